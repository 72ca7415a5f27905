"""What a sentence means in this house, what it does, and what is answered."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airos_edge.errors import EngineError
from airos_edge.home.house import DeviceSettings, House
from airos_edge.home.sentences import Sentences
from airos_edge.home.timers import Timer, Timers
from airos_edge.voice.ports import Call

log = logging.getLogger(__name__)

EFFECTS = {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassStartTimer", "HassCancelTimer"}
"""The intents that change something; the others only look."""
ABOUT_THE_HOUSE = {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassGetState"}
HALF = {"half": 30, "1/2": 30}


@dataclass(frozen=True, slots=True)
class Understood:
    """A sentence's intent. `slots` are values, `said` the words they were said in."""

    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    response: str = "default"

    @property
    def is_effect(self) -> bool:
        return self.intent in EFFECTS


class HouseCommands:
    """`now` is the wall clock."""

    def __init__(
        self, sentences: Sentences, house: House, timers: Timers, now: Callable[[], datetime]
    ) -> None:
        from jinja2.sandbox import SandboxedEnvironment

        self._sentences = sentences
        self._house = house
        self._timers = timers
        self._now = now
        self._templates = SandboxedEnvironment()

    def understand(self, text: str, place: str | None) -> Understood | None:
        """None if it is no command. `place` is the area where it was said; "the lights" are those there."""
        from hassil.recognize import recognize_best

        found = recognize_best(
            text,
            self._sentences.intents,
            slot_lists=dict(self._sentences.slot_lists),
            intent_context={"area": place} if place else None,
            language=self._sentences.language,
            best_slot_name="name",
        )
        if found is None:
            return None
        return Understood(
            found.intent.name,
            {name: _whole(entity.value) for name, entity in found.entities.items()},
            {
                name: str(entity.text_clean or entity.value)
                for name, entity in found.entities.items()
            },
            found.response or "default",
        )

    async def call(self, call: Call) -> str:
        """The house's tools, named like the intents. Gives the devices or the timer it concerned.

        Raises EngineError when there is nothing of the kind or a device fails.
        """
        slots = call.arguments
        if call.name == "HassStartTimer":
            seconds = _seconds(slots, "")
            if seconds <= 0:
                raise EngineError("timers", "a timer needs a duration")
            return f"{self._timers.start(seconds).seconds} s"
        if call.name == "HassCancelTimer":
            return f"{self._timers.cancel(_seconds(slots, 'start_') or None).seconds} s"
        services = {"HassTurnOn": "turn_on", "HassLightSet": "turn_on", "HassTurnOff": "turn_off"}
        if call.name not in services:
            raise EngineError("house", f"there is no tool {call.name!r}")
        devices = self._targets(slots)
        if not devices:
            raise EngineError("house", "nothing in the house is meant by that")
        data = {"brightness_pct": int(slots["brightness"])} if "brightness" in slots else {}
        for device in devices:
            await self._house.call(device, services[call.name], data)
        return ", ".join(device.name for device in devices)

    def answer(self, understood: Understood) -> str:
        """The answer from the intents package's own template, after the effect if there is one."""
        slots: dict[str, Any] = dict(understood.said)
        query: dict[str, list[StateView]] = {}
        state: StateView | None = None
        if understood.intent == "HassGetCurrentTime":
            slots["time"] = self._now().time()
        elif understood.intent == "HassGetCurrentDate":
            slots["date"] = self._now().date()
        elif understood.intent == "HassTimerStatus":
            slots["timers"] = [TimerView.of(timer) for timer in self._timers.running]
        elif understood.intent in ABOUT_THE_HOUSE:
            views = [self._view(device) for device in self._targets(understood.slots)]
            wanted = understood.slots.get("state")
            query = {
                "matched": [view for view in views if view.state == wanted],
                "unmatched": [view for view in views if view.state != wanted],
            }
            state = views[0] if views else None
        template = self._sentences.responses[understood.intent][understood.response]
        text = self._templates.from_string(template).render(slots=slots, state=state, query=query)
        text = " ".join(text.split())
        if text and self._house.label and understood.intent in ABOUT_THE_HOUSE:
            return f"{text}, {self._house.label}"
        return text

    def sorry(self, understood: Understood) -> str:
        """What is said when the effect was not possible."""
        if understood.intent == "HassCancelTimer":
            return self._sentences.errors["timer_not_found"]
        name = understood.said.get("area") or understood.said.get("name") or "this"
        return f"Sorry, I can't do that with {name}"

    def _targets(self, slots: Mapping[str, Any]) -> list[DeviceSettings]:
        domain = slots.get("domain") or ("light" if "brightness" in slots else None)
        return list(self._house.find(slots.get("name"), slots.get("area"), domain))

    def _view(self, device: DeviceSettings) -> "StateView":
        return StateView(device.name, device.domain, self._house.states[device.name].text)


@dataclass(frozen=True, slots=True)
class StateView:
    """A device's state as the templates know it."""

    name: str
    domain: str
    state: str

    @property
    def state_with_unit(self) -> str:
        return self.state


@dataclass(frozen=True, slots=True)
class TimerView:
    """A timer as the templates know it (Home Assistant's own fields, rounded as it rounds)."""

    total_seconds_left: int
    rounded_hours_left: int
    rounded_minutes_left: int
    rounded_seconds_left: int
    start_hours: int
    start_minutes: int
    start_seconds: int
    is_active: bool = True
    name: str = ""
    area: str = ""

    @classmethod
    def of(cls, timer: Timer) -> "TimerView":
        left = timer.seconds_left
        return cls(left, *_hours_minutes_seconds(left), *_hours_minutes_seconds(timer.seconds))


def _hours_minutes_seconds(seconds: int) -> tuple[int, int, int]:
    return seconds // 3600, seconds // 60 % 60, seconds % 60


def _seconds(slots: Mapping[str, Any], prefix: str) -> int:
    parts = {"hours": 3600, "minutes": 60, "seconds": 1}
    return sum(_number(slots.get(prefix + part, 0)) * size for part, size in parts.items())


def _whole(value: Any) -> Any:
    """hassil gives a percentage as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: Any) -> int:
    return HALF.get(value, 0) if isinstance(value, str) and value in HALF else int(value)
