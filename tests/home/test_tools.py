"""What a model is offered of a house, what it may say wrongly, and what it has to ask for."""

from collections.abc import Mapping
from typing import Any

import pytest

from airos_edge.errors import EngineError
from airos_edge.home.house import DeviceSettings, Settings
from airos_edge.home.timers import Timers
from airos_edge.home.tools import HouseTools
from airos_edge.voice.ports import Call
from tests.home.people import HOUSE, NOW, People, SomeDead, lights
from tests.phrases import SAYS


def tools_of(people: People) -> HouseTools:
    return HouseTools(people.house, people.timers, people.commands.call, lambda: NOW)


def described(people: People) -> dict[str, Any]:
    return {tool["name"]: tool["parameters"] for tool in tools_of(people).described()}


# ---- what is offered ----------------------------------------------------------------------------


async def test_names_areas_and_kinds_are_those_of_this_house() -> None:
    which = described(People())["HassTurnOn"]["properties"]
    assert which["name"]["enum"] == [device.name for device in HOUSE.devices]
    assert which["area"]["enum"] == ["kitchen", "living room"]
    assert which["domain"]["enum"] == ["fan", "light", "switch"]


async def test_only_lights_have_a_brightness() -> None:
    dimmed = described(People())["HassLightSet"]
    assert dimmed["properties"]["name"]["enum"] == ["kitchen light", "floor lamp", "ceiling light"]
    assert dimmed["required"] == ["brightness"]
    fan = Settings(devices=(DeviceSettings("fan", "fan"),))
    assert "HassLightSet" not in described(People(fan))


async def test_what_is_not_there_is_not_offered() -> None:
    empty = People(Settings())
    assert set(described(empty)) == {
        "HassGetCurrentTime",
        *("HassStartTimer", "HassTimerStatus", "HassCancelTimer", "HassCancelAllTimers"),
    }
    assert "area" not in described(People(lights("lamp")))["HassTurnOn"]["properties"]


async def test_where_nothing_could_ring_there_are_no_timers() -> None:
    people = People()

    async def ring(timer: object) -> None:
        raise AssertionError

    tools = HouseTools(people.house, Timers(ring, most=0), people.commands.call, lambda: NOW)
    assert not [tool for tool in tools.described() if "Timer" in tool["name"]]


# ---- what is done -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "result", "on"),
    [
        (Call("HassTurnOn", {"name": "floor lamp"}), "floor lamp", ["floor lamp"]),
        (Call("HassTurnOn", {"name": "Cooking Light"}), "kitchen light", ["kitchen light"]),
        (Call("HassTurnOn", {"name": "floor lamp", "area": None}), "floor lamp", ["floor lamp"]),
        (
            Call("HassTurnOn", {"area": "lounge", "domain": "light"}),
            "floor lamp, ceiling light",
            ["floor lamp", "ceiling light"],
        ),
        (
            Call("HassLightSet", {"area": "kitchen", "brightness": "40"}),
            "kitchen light",
            ["kitchen light"],
        ),
    ],
)
async def test_devices_are_switched(call: Call, result: str, on: list[str]) -> None:
    async with People() as people:
        assert await tools_of(people).call(call) == result
        assert people.on() == on


async def test_timers_are_set_told_and_cancelled() -> None:
    async with People() as people:
        tools = tools_of(people)
        assert await tools.call(Call("HassTimerStatus")) == "no timer runs"
        assert await tools.call(Call("HassStartTimer", {"minutes": 2, "seconds": 5.0})) == "125 s"
        assert await tools.call(Call("HassTimerStatus")) == "set for 125 s, 125 s left"
        cancelled = Call("HassCancelTimer", {"start_minutes": 2, "start_seconds": 5})
        assert await tools.call(cancelled) == "125 s"
        assert people.timers.running == []


async def test_states_are_told() -> None:
    async with People() as people:
        tools = tools_of(people)
        await tools.call(Call("HassLightSet", {"name": "floor lamp", "brightness": 40}))
        everything = (await tools.call(Call("HassGetState"))).splitlines()
        assert len(everything) == len(HOUSE.devices)
        assert "kitchen light (light in the kitchen): off" in everything
        lamp = await tools.call(Call("HassGetState", {"name": "floor lamp"}))
        assert lamp == "floor lamp (light in the living room): on, 40 %"
        nothing = await tools.call(Call("HassGetState", {"area": "kitchen", "domain": "fan"}))
        assert nothing == "there is nothing of the kind"


async def test_what_cannot_be_reached_is_said_to_be_so() -> None:
    async with People(devices=SomeDead("floor lamp")) as people:
        tools = tools_of(people)
        with pytest.raises(EngineError, match="could not reach floor lamp"):
            await tools.call(Call("HassTurnOn", {"name": "floor lamp"}))
        state = await tools.call(Call("HassGetState", {"name": "floor lamp"}))
        assert state.endswith(": off, cannot be reached")


async def test_the_time_is_told_with_its_day() -> None:
    told = await tools_of(People()).call(Call("HassGetCurrentTime"))
    assert told == "15:05, Friday, 27 November 2026"


# ---- what a model says wrongly ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("HassOpenSesame", {}, "there is no tool 'HassOpenSesame'"),
        ("HassTurnOn", {"name": "flor lamp"}, "there is no name 'flor lamp'; there is floor lamp"),
        ("HassTurnOn", {"name": ["floor lamp"]}, "there is no name"),
        ("HassTurnOn", {"name": ""}, "there is no name ''"),
        ("HassTurnOn", {"area": "cellar"}, "there is no area 'cellar'; there is kitchen, living"),
        ("HassTurnOn", {"device": "lamp"}, "HassTurnOn takes name, area, domain, but no 'device'"),
        ("HassGetCurrentTime", {"zone": "utc"}, "takes nothing, but no 'zone'"),
        ("HassLightSet", {"name": "floor lamp"}, "HassLightSet needs brightness"),
        ("HassLightSet", {"brightness": None}, "HassLightSet needs brightness"),
        ("HassLightSet", {"brightness": 101}, "a whole number from 0 to 100, not 101"),
        ("HassLightSet", {"brightness": "dim"}, "a whole number from 0 to 100, not 'dim'"),
        ("HassLightSet", {"brightness": True}, "not True"),
        ("HassLightSet", {"brightness": 4.5}, "not 4.5"),
        ("HassLightSet", {"brightness": float("nan")}, "not nan"),
        ("HassLightSet", {"brightness": float("inf")}, "not inf"),
        ("HassLightSet", {"name": "old fan", "brightness": 5}, "there is no name 'old fan'"),
        ("HassStartTimer", {}, "a timer needs a duration"),
        ("HassStartTimer", {"minutes": -1}, "not -1"),
    ],
)
async def test_a_mistake_is_told_in_a_sentence_and_nothing_is_done(
    name: str, arguments: Mapping[str, Any], error: str
) -> None:
    async with People() as people:
        tools = tools_of(people)
        with pytest.raises(EngineError) as caught:
            await tools.call(Call(name, arguments))
        assert error in str(caught.value)
        assert people.on() == []
        assert people.timers.running == []
        assert not tools.needs_yes(Call(name, arguments)), "nobody is asked for what is not done"


# ---- what needs a yes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (Call("HassTurnOff", {"domain": "light"}), "turn off all the lights"),
        (Call("HassTurnOff", {"domain": "light", "name": None}), "turn off all the lights"),
        (Call("HassTurnOn", {"domain": "switch"}), "turn on all the switches"),
        (Call("HassTurnOff"), "turn off everything"),
        (Call("HassLightSet", {"brightness": "5"}), "set all the lights to 5 percent"),
        (Call("HassCancelAllTimers"), "cancel all timers"),
    ],
)
async def test_what_concerns_all_there_is_needs_a_yes(call: Call, words: str) -> None:
    tools = tools_of(People())
    assert tools.needs_yes(call)
    assert tools.in_words(call, SAYS) == words


@pytest.mark.parametrize(
    "call",
    [
        Call("HassTurnOff", {"name": "floor lamp"}),
        Call("HassTurnOff", {"area": "kitchen", "domain": "light"}),
        Call("HassGetState"),
        Call("HassStartTimer", {"minutes": 1}),
        Call("HassCancelTimer"),
        Call("HassOpenSesame"),
    ],
)
async def test_what_concerns_less_does_not(call: Call) -> None:
    assert not tools_of(People()).needs_yes(call)
