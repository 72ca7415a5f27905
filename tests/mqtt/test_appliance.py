"""The box by MQTT: what is published of what happens, and which commands are obeyed."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from airos_edge.errors import EngineError
from airos_edge.health import PartChanged, PartsRenewed
from airos_edge.mqtt.appliance import MOST_SAYING, Appliance, Deeds
from airos_edge.voice.events import (
    Event,
    MuteChanged,
    Outcome,
    PhaseChanged,
    ReplyEnded,
    Transcribed,
    VolumeChanged,
    Woke,
)
from airos_edge.voice.flow import Scope
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import Left, Prompt
from tests.fake_broker import FakeBroker

BASE = "airos/0123456789ab"
CONFIG = "homeassistant/device/airos_0123456789ab/config"


class FakeControls:
    def __init__(self, hub: Hub) -> None:
        self.is_muted = False
        self.volume_pct = 60
        self._hub = hub

    def mute(self, on: bool) -> None:
        self.is_muted = on
        self._hub.publish(MuteChanged(is_muted=on))

    def set_volume(self, pct: int) -> None:
        self.volume_pct = pct
        self._hub.publish(VolumeChanged(volume_pct=pct))


class House:
    """A box with its broker. `done` is what it was told to do."""

    def __init__(self, supervised: bool = False, sound: bool = True) -> None:
        self.hub = Hub()
        self.broker = FakeBroker()
        self.done: list[str] = []
        self.failing: Mapping[str, str] = {}
        self.shares_words = True
        self.can_speak = True
        self.controls = FakeControls(self.hub) if sound else None
        self._deeds = Deeds(
            self._say if sound else None,
            lambda: self.done.append("stop"),
            (lambda: self.done.append("restart")) if supervised else None,
            self.controls,
        )

    async def _say(self, text: str) -> None:
        await asyncio.sleep(1)
        if not self.can_speak:
            raise EngineError("espeak", "lost its voice")
        self.done.append(f"say {text}")

    @asynccontextmanager
    async def live(self) -> AsyncIterator["House"]:
        appliance = Appliance(
            "0123456789ab",
            "Kitchen",
            "homeassistant",
            self.broker,  # type: ignore[arg-type]
            self._deeds,
            lambda: self.failing,
            lambda: self.shares_words,
        )
        async with Scope() as scope:
            scope.start(appliance.run(self.hub), "appliance")
            await asyncio.sleep(0)
            await self.broker.greet()
            yield self

    async def happens(self, *events: Event) -> None:
        for event in events:
            self.hub.publish(event)
        await asyncio.sleep(0.01)

    async def told(self, topic: str, text: str, retained: bool = False) -> None:
        self.broker.say(f"{BASE}/{topic}", text, retained)
        await asyncio.sleep(0.01)

    def states(self) -> list[str]:
        return [json.loads(text)["state"] for text in self.broker.on(f"{BASE}/state")]


def ended(outcome: Outcome, apart: bool = False) -> ReplyEnded:
    return ReplyEnded(reply_id="r", prompt=Prompt(), outcome=outcome, apart=apart, metadata=None)


DONE = Outcome(
    "completed",
    text="It is five o'clock",
    tier="commands",
    intent="HassGetCurrentTime",
    stages_ms={"recognise": 67.5, "respond": 71.3, "speak": 72.8, "done": 77.4},
)


async def test_what_it_is_doing_is_its_state() -> None:
    async with House().live() as house:
        for phase in ("listening", "processing", "responding", "idle"):
            await house.happens(PhaseChanged(phase=phase))  # type: ignore[arg-type]
    assert house.states() == ["idle", "listening", "processing", "responding", "idle"]
    assert (f"{BASE}/state", '{"state": "idle", "failed": {}}', True) in house.broker.published


async def test_a_part_that_a_reload_took_away_fails_no_more() -> None:
    async with House().live() as house:
        house.failing = {"fast": "does its server run?"}
        await house.happens(PartChanged(part="fast", state="failed"))
        house.failing = {}
        await house.happens(PartsRenewed())
    assert house.states() == ["idle", "error", "idle"]


async def test_idle_it_says_that_it_is_muted_or_that_a_part_has_failed() -> None:
    async with House().live() as house:
        house.failing = {"microphone": "it has vanished"}
        await house.happens(PartChanged(part="microphone", state="failed", why="it has vanished"))
        await house.happens(PhaseChanged(phase="responding"))
        await house.happens(PhaseChanged(phase="idle"))
        assert house.controls is not None
        house.controls.mute(True)
        await house.happens()
    assert house.states() == ["idle", "error", "responding", "error", "muted"]
    newest = json.loads(house.broker.on(f"{BASE}/state")[-1])
    assert newest["failed"] == {"microphone": "it has vanished"}


async def test_what_was_heard_and_answered_is_told_and_kept_by_nobody() -> None:
    text = "word " * 200
    async with House().live() as house:
        await house.happens(
            Transcribed(item_id="i", text="what time is it", audio_ms=900, certainty=0.9),
            Transcribed(item_id="i", text="", audio_ms=900),
            ended(Outcome("completed", text=text)),
            ended(Outcome("completed", text="of no conversation"), apart=True),
        )
    (heard,) = house.broker.on(f"{BASE}/transcript")
    assert json.loads(heard) == {"text": "what time is it", "certainty": 0.9}
    (answer,) = house.broker.on(f"{BASE}/answer")
    assert json.loads(answer)["text"] == text, "the whole, for the attributes"
    retained = {topic for topic, _, retain in house.broker.published if retain}
    assert not {f"{BASE}/transcript", f"{BASE}/answer", f"{BASE}/wake"} & retained


async def test_words_do_not_go_beyond_reach_and_all_else_does() -> None:
    async with House().live() as house:
        await house.happens(Transcribed(item_id="i", text="a secret", audio_ms=900), ended(DONE))
        house.shares_words = False
        house.broker.published.clear()
        await house.broker.greet()
        await house.happens(
            Transcribed(item_id="i", text="another secret", audio_ms=900), ended(DONE)
        )
    published = json.dumps(house.broker.published)
    assert "secret" not in published
    assert "five o'clock" not in published
    assert "HassGetCurrentTime" not in published
    assert json.loads(house.broker.on(CONFIG)[-1])["cmps"]["transcript"] == {"p": "sensor"}
    assert house.broker.on(f"{BASE}/left")[-1] == "nothing"


async def test_how_long_it_took_and_how_far_it_went() -> None:
    async with House().live() as house:
        written = Outcome("completed", stages_ms={"respond": 3.5}, left=Left.LAN)
        await house.happens(ended(DONE), ended(written), ended(Outcome("failed")))
    latencies = [json.loads(text) for text in house.broker.on(f"{BASE}/latency")]
    assert [latency["ms"] for latency in latencies] == [72.8, 3.5]
    assert latencies[0]["stages_ms"]["recognise"] == 67.5
    assert house.broker.on(f"{BASE}/left") == ["nothing", "lan", "nothing"]


async def test_a_wake_word_is_an_event_that_nobody_hears_of_later() -> None:
    async with House().live() as house:
        await house.happens(Woke(word="hey_jarvis", score=0.91234, loudness_dbfs=-20.0))
        await house.broker.greet()
    (woken,) = house.broker.on(f"{BASE}/wake")
    assert json.loads(woken) == {
        "event_type": "wake",
        "word": "hey_jarvis",
        "score": 0.912,
        "loudness_dbfs": -20.0,
    }


async def test_without_the_broker_nothing_waits_and_then_the_newest_is_told() -> None:
    async with House().live() as house:
        house.broker.is_there = False
        await house.happens(PhaseChanged(phase="listening"), ended(DONE))
        house.broker.is_there = True
        house.broker.published.clear()
        await house.broker.greet()
    assert house.states() == ["listening"]
    assert json.loads(house.broker.on(f"{BASE}/latency")[0])["ms"] == 72.8
    assert json.loads(house.broker.on(CONFIG)[0])["dev"]["name"] == "Kitchen"


@pytest.mark.parametrize("retained", [False, True])
async def test_home_assistant_is_told_all_again_soon_after_it_has_started(retained: bool) -> None:
    async with House().live() as house:
        house.broker.say("homeassistant/status", "offline")
        house.broker.say("homeassistant/status", "online", retained)
        assert len(house.broker.on(CONFIG)) == 1, "not at once: the whole house does so"
        await asyncio.sleep(3.1)
        assert len(house.broker.on(CONFIG)) == (1 if retained else 2)


async def test_who_starts_a_thousand_times_is_told_once() -> None:
    async with House().live() as house:
        for _ in range(1000):
            house.broker.say("homeassistant/status", "online")
        await asyncio.sleep(3.1)
        assert len(house.broker.on(CONFIG)) == 2
        house.broker.say("homeassistant/status", "online")
        await asyncio.sleep(3.1)
        assert len(house.broker.on(CONFIG)) == 3


async def test_it_says_stops_and_restarts_as_it_is_told() -> None:
    async with House(supervised=True).live() as house:
        await house.told("cmd/say", " good morning ")
        await house.told("cmd/stop", "PRESS")
        await house.told("cmd/restart", "PRESS")
        await asyncio.sleep(2)
    assert house.done == ["stop", "restart", "say good morning"]


async def test_mute_and_volume_are_set_and_their_state_is_echoed() -> None:
    async with House().live() as house:
        await house.told("mute/set", "ON")
        await house.told("volume/set", "35.0")
        assert house.broker.on(f"{BASE}/mute")[-1] == "ON"
        assert house.broker.on(f"{BASE}/volume")[-1] == "35"
        count = len(house.broker.on(f"{BASE}/mute"))
        await house.told("mute/set", "ON")
        assert len(house.broker.on(f"{BASE}/mute")) > count, "who said it waits for an echo"


@pytest.mark.parametrize(
    ("topic", "text", "retained"),
    [
        ("cmd/say", "good morning", True),
        ("cmd/say", "", False),
        ("cmd/say", "x" * 10_001, False),
        ("cmd/restart", "PRESS", False),
        ("cmd/dance", "PRESS", False),
        ("mute/set", "maybe", False),
        ("volume/set", "101", False),
        ("volume/set", "nan", False),
        ("volume/set", "loud", False),
    ],
)
async def test_what_it_does_not_do_is_refused_with_a_warning(
    topic: str, text: str, retained: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with House().live() as house:
            await house.told(topic, text, retained)
            await asyncio.sleep(2)
            assert house.controls is not None
            assert (house.controls.is_muted, house.controls.volume_pct) == (False, 60)
    assert house.done == []
    assert f"{BASE}/{topic} is refused" in caplog.text


async def test_without_microphone_and_loudspeaker_it_offers_nothing_to_be_heard_or_muted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with House(sound=False).live() as house:
        await house.told("mute/set", "ON")
        await house.told("cmd/say", "good morning")
    assert f"{BASE}/mute/set is refused" in caplog.text
    assert f"{BASE}/cmd/say is refused" in caplog.text
    offered = json.loads(house.broker.on(CONFIG)[0])["cmps"]
    assert {key for key, options in offered.items() if len(options) == 1} >= {"mute", "say", "stop"}


async def test_only_so_much_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async with House().live() as house:
        for number in range(MOST_SAYING + 1):
            await house.told("cmd/say", f"number {number}")
        await asyncio.sleep(2)
        await house.told("cmd/say", "and again")
        await asyncio.sleep(2)
    assert len(house.done) == MOST_SAYING + 1
    assert caplog.text.count("refused") == 1


async def test_a_voice_that_fails_costs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async with House().live() as house:
        house.can_speak = False
        await house.told("cmd/say", "good morning")
        await asyncio.sleep(2)
    assert "lost its voice" in caplog.text
