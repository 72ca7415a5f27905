"""Devices that announce themselves: taken in, followed, switched, and gone again."""

import asyncio
import json
import logging
from typing import Any

import pytest

from airos_edge.errors import ConfigError, EngineError
from airos_edge.home import announced
from airos_edge.home.announced import Announced
from airos_edge.home.house import DeviceSettings, State
from airos_edge.voice.flow import Scope
from tests.fake_broker import FakeBroker

LAMP = "homeassistant/light/hall/config"
OPTIONS = {"name": "hall lamp", "cmd_t": "hall/set", "stat_t": "hall"}
HALL = DeviceSettings("hall lamp")


class Found:
    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.changed: list[str] = []
        self.source = Announced(self.broker, "homeassistant", self.changed.append)

    def announce(self, topic: str, **options: Any) -> None:
        self.broker.say(topic, json.dumps(options))

    async def call(self, service: str, device: DeviceSettings = HALL) -> State:
        return await self.source.call(device, State(), service, {})


async def test_a_lamp_comes_is_switched_and_goes() -> None:
    found = Found()
    found.announce(LAMP, **OPTIONS)
    assert found.source.found() == [HALL]
    assert await found.call("turn_on") == State(), "it has not said that it is on"
    assert found.broker.published == [("hall/set", "ON", False)]
    found.broker.say("hall", "ON")
    assert found.changed == ["hall lamp"]
    assert found.source.state_of("hall lamp") == State(True)
    found.broker.say(LAMP, "")
    assert found.source.found() == []
    assert "hall" not in found.broker.topics
    with pytest.raises(EngineError):
        await found.call("turn_on")


async def test_without_a_state_topic_it_is_what_it_was_switched_to() -> None:
    found = Found()
    found.announce(LAMP, name="hall lamp", cmd_t="hall/set", ret=True)
    assert await found.call("turn_on") == State(True)
    assert found.source.state_of("hall lamp") == State(True)
    assert found.broker.published == [("hall/set", "ON", True)], "kept, as it asks for"


async def test_the_same_announcement_again_changes_nothing() -> None:
    found = Found()
    found.announce(LAMP, **OPTIONS)
    found.broker.say("hall", "ON")
    found.announce(LAMP, **OPTIONS)
    assert found.source.state_of("hall lamp") == State(True)
    found.announce(LAMP, **OPTIONS | {"name": "roof lamp", "stat_t": "roof"})
    assert found.source.found() == [DeviceSettings("roof lamp")]
    assert "hall" not in found.broker.topics


@pytest.mark.parametrize(
    ("mode", "said", "is_there"),
    [
        ("latest", {}, False),
        ("latest", {"a": "online", "b": "offline"}, False),
        ("latest", {"b": "offline", "a": "online"}, True),
        ("all", {"a": "online"}, False),
        ("all", {"a": "online", "b": "online"}, True),
        ("any", {"a": "online", "b": "offline"}, True),
        ("any", {"a": "offline"}, False),
    ],
)
async def test_it_is_switched_only_while_it_is_available(
    mode: str, said: dict[str, str], is_there: bool
) -> None:
    found = Found()
    topics = [{"t": "a"}, {"t": "b"}]
    found.announce(LAMP, **OPTIONS, avty=topics, avty_mode=mode)
    for topic, text in said.items():
        found.broker.say(topic, text)
    if is_there:
        await found.call("turn_on")
        return
    with pytest.raises(EngineError, match="not there"):
        await found.call("turn_on")
    assert found.broker.published == []


async def test_without_the_broker_nothing_is_switched() -> None:
    found = Found()
    found.announce(LAMP, **OPTIONS)
    found.broker.is_there = False
    with pytest.raises(EngineError):
        await found.call("turn_on")


async def test_a_device_with_components_is_taken_in_and_changes_as_a_whole() -> None:
    found = Found()
    pump = {"p": "switch", "name": "pump", "cmd_t": "pump/set"}
    lamp = {"p": "light", "name": "lamp", "cmd_t": "lamp/set"}
    topic = "homeassistant/device/node/cellar/config"
    found.announce(topic, cmps={"1": pump, "2": lamp})
    assert [device.name for device in found.source.found()] == ["pump", "lamp"]
    found.announce(topic, cmps={"2": lamp, "1": {"p": "switch"}})
    assert [device.name for device in found.source.found()] == ["lamp"]


async def test_what_cannot_be_used_is_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = Found()
    found.announce(LAMP, name="hall lamp")
    found.broker.say(LAMP, "no JSON")
    found.announce("homeassistant/device/cellar/config", cmps={"1": {"p": "switch", "name": "x"}})
    found.announce("homeassistant/device/cellar/config", name="nothing in it")
    assert found.source.found() == []
    assert caplog.text.count("is left out") == 4


async def test_of_two_with_one_name_the_first_is_meant() -> None:
    found = Found()
    found.announce(LAMP, **OPTIONS)
    found.announce("homeassistant/light/other/config", name="hall lamp", cmd_t="o/set", stat_t="o")
    found.broker.say("o", "ON")
    assert found.changed == []
    await found.call("turn_on")
    assert found.broker.published == [("hall/set", "ON", False)]
    found.broker.say(LAMP, "")
    assert found.source.state_of("hall lamp") == State(True)


async def test_there_is_an_end_to_what_is_taken_in(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(announced, "MOST", 2)
    found = Found()
    for number in range(3):
        found.announce(f"homeassistant/light/{number}/config", name=f"{number}", cmd_t="x")
    assert len(found.source.found()) == 2
    assert "there are 2 devices" in caplog.text


async def test_the_house_is_made_anew_once_when_all_have_come() -> None:
    found, built = Found(), list[int]()

    async def rebuild() -> None:
        built.append(len(found.source.found()))

    async with Scope() as scope:
        scope.start(found.source.follow(rebuild), "following")
        for number in range(300):
            found.announce(f"homeassistant/light/{number}/config", name=f"{number}", cmd_t="x")
            await asyncio.sleep(0.003)
        await asyncio.sleep(2)
        found.announce("homeassistant/light/0/config", name="0", cmd_t="y")
        await asyncio.sleep(2)
        found.broker.say("homeassistant/light/0/config", "")
        await asyncio.sleep(2)
    assert built == [300, 299], "where it is switched is nothing to the house"


async def test_a_house_that_cannot_be_made_is_said_and_the_next_one_is_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found, built = Found(), list[int]()

    async def rebuild() -> None:
        built.append(len(found.source.found()))
        if len(built) == 1:
            raise ConfigError("two sound alike")

    async with Scope() as scope:
        scope.start(found.source.follow(rebuild), "following")
        for number in range(2):
            found.announce(f"homeassistant/light/{number}/config", name=f"{number}", cmd_t="x")
            await asyncio.sleep(2)
    assert built == [1, 2]
    assert "two sound alike" in caplog.text


async def test_where_they_never_end_the_house_is_made_all_the_same() -> None:
    found, built = Found(), list[int]()

    async def rebuild() -> None:
        built.append(len(found.source.found()))

    async with Scope() as scope:
        scope.start(found.source.follow(rebuild), "following")
        for number in range(100):
            found.announce(f"homeassistant/light/{number}/config", name=f"{number}", cmd_t="x")
            await asyncio.sleep(0.2)
    assert len(built) == 1


def test_nothing_is_logged_for_what_is_no_light_or_switch(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        found = Found()
        found.announce("homeassistant/device/x/config", cmps={"1": {"p": "sensor"}})
    assert caplog.text == ""


def test_what_a_stranger_writes_cannot_begin_a_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = Found()
    key = "x\nERROR the house burns"
    found.announce("homeassistant/device/x/config", cmps={key: {"p": "light", "cmd_t": "x"}})
    assert "is left out" in caplog.text
    assert "\nERROR" not in caplog.text
