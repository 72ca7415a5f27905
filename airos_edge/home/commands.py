"""What a sentence means in this house, what it does, and what is answered."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from airos_edge.errors import EngineError
from airos_edge.home.house import DeviceSettings, House
from airos_edge.home.sentences import Sentences
from airos_edge.home.timers import Timer, Timers
from airos_edge.home.writing import folded
from airos_edge.languages.phrases import ENGLISH, contents, phrases, says_all
from airos_edge.voice.ports import Call

if TYPE_CHECKING:
    from hassil.models import MatchEntity

EFFECTS = {
    *("HassTurnOn", "HassTurnOff", "HassLightSet"),
    *("HassStartTimer", "HassCancelTimer", "HassCancelAllTimers"),
}
"""The intents that change something; the others only look."""
ABOUT_THE_HOUSE = {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassGetState"}
LONGEST_COMMAND = 300
"""Characters. What is longer is no command, and would take long to be found to be none."""
SERVICES = {"HassTurnOn": "turn_on", "HassLightSet": "turn_on", "HassTurnOff": "turn_off"}


@dataclass(frozen=True, slots=True)
class Understood:
    """A sentence's intent. `slots` are values, `said` the words they were said in."""

    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    response: str = "default"
    language: str = "en"
    """Whose sentence it is."""

    @property
    def is_effect(self) -> bool:
        return self.intent in EFFECTS

    @property
    def is_grave(self) -> bool:
        """It concerns all there is of its kind in the house."""
        is_everywhere = self.intent in SERVICES and not {"name", "area"} & self.slots.keys()
        return is_everywhere or self.intent == "HassCancelAllTimers"


class HouseCommands:
    """`now` is the wall clock."""

    def __init__(
        self, sentences: Sentences, house: House, timers: Timers, now: Callable[[], datetime]
    ) -> None:
        from jinja2.sandbox import SandboxedEnvironment

        self._sentences = sentences
        self._phrases = phrases(sentences.language)
        self._house = house
        self._timers = timers
        self._now = now
        self._compiled = cache(SandboxedEnvironment().from_string)  # some milliseconds, each time

    @property
    def language(self) -> str:
        """Of its sentences and answers, as Home Assistant writes its tag."""
        return self._sentences.language

    def warm_up(self) -> None:
        """The first sentence of a kind takes some thirty milliseconds more: better before anybody waits."""
        tag = self._phrases.language if says_all(self.language) else ENGLISH
        for sentence in contents(tag)["warm_up"]:
            self.understand(sentence, None)

    def understand(self, text: str, place: str | None) -> Understood | None:
        """None if it is no command. `place` is the area where it was said; "the lights" are those there."""
        from hassil.recognize import recognize_best

        text = folded(text, self.language)
        found = len(text) <= LONGEST_COMMAND and recognize_best(
            text,
            self._sentences.intents,
            slot_lists=dict(self._sentences.slot_lists),
            intent_context={"area": place} if place else None,
            language=self._sentences.language,
            best_slot_name="name",
        )
        if not found:
            return None
        return Understood(
            found.intent.name,
            {name: _whole(entity.value) for name, entity in found.entities.items()},
            {name: self._as_said(entity) for name, entity in found.entities.items()},
            found.response or "default",
            self.language,
        )

    def _as_said(self, entity: "MatchEntity") -> str:
        """A name in the characters of the house, whichever a recogniser writes."""
        said, own = str(entity.text_clean or entity.value), str(entity.value)
        return own if folded(own, self.language) == said else said

    def meaning(self, understood: Understood) -> Hashable:
        """Equal for what comes to the same in this house: the same is done to, or asked of, the same."""
        intent, slots = understood.intent, understood.slots
        # Of several things one may ask whether any are, or whether all are; of one it is the same.
        way: object = None if understood.is_effect else understood.response
        match intent:
            case "HassStartTimer":
                return intent, _seconds(slots)
            case "HassCancelTimer" | "HassTimerStatus":
                return intent, _started_for(slots)
            case _ if intent in ABOUT_THE_HOUSE:
                devices = [device.name for device in self._targets(slots)]
                nowhere = [slots.get(key) for key in ("name", "area", "domain")]
                values = tuple(slots.get(key) for key in ("brightness", "state"))
                return intent, tuple(devices or nowhere), values, way if len(devices) > 1 else None
            case "HassNevermind" | "AirosStop":
                return ""
        return intent, way

    async def call(self, call: Call) -> str:
        """The house's tools, named like the intents. Gives the devices or timers it concerned.

        Raises EngineError when there is nothing of the kind or a device fails; the other devices
        have then done what they should.
        """
        slots = call.arguments
        match call.name:
            case "HassStartTimer":
                seconds = _seconds(slots)
                if seconds <= 0:
                    raise EngineError("timers", "a timer needs a duration")
                return f"{self._timers.start(seconds).seconds} s"
            case "HassCancelTimer":
                return f"{self._timers.cancel(_started_for(slots)).seconds} s"
            case "HassCancelAllTimers":
                return str(self._timers.cancel_all())
            case "HassTurnOn" | "HassTurnOff" | "HassLightSet":
                return await self._switch(SERVICES[call.name], slots)
        raise EngineError("house", f"there is no tool {call.name!r}")

    async def _switch(self, service: str, slots: Mapping[str, Any]) -> str:
        devices = self._targets(slots)
        if not devices:
            raise EngineError("house", "nothing in the house is meant by that")
        data = {"brightness_pct": int(slots["brightness"])} if "brightness" in slots else {}
        failed = []
        for device in devices:
            try:
                await self._house.call(device, service, data)
            except EngineError:
                failed.append(device.name)
        if failed:
            raise EngineError("house", f"could not reach {' and '.join(failed)}")
        return ", ".join(device.name for device in devices)

    def answer(self, understood: Understood, result: str = "") -> str:
        """The answer from the intents package's own template, after the effect if there is one.

        `result` is what `call` gave for the effect.
        """
        slots: dict[str, Any] = dict(understood.said)
        query: dict[str, list[StateView]] = {}
        state: StateView | None = None
        match understood.intent:
            case "HassGetCurrentTime":
                slots["time"] = self._now().time()
            case "HassGetCurrentDate":
                slots["date"] = self._now().date()
            case "HassCancelAllTimers":
                slots["canceled"] = int(result)
            case "HassTimerStatus":
                seconds = _started_for(understood.slots)
                timers = self._timers.lasting(seconds)
                if seconds is not None and not timers:
                    return self._sentences.errors["timer_not_found"]
                slots["timers"] = [TimerView.of(timer) for timer in timers]
            case intent if intent in ABOUT_THE_HOUSE:
                views = [self._view(device) for device in self._targets(understood.slots)]
                if not views:
                    return self._not_there(understood)
                wanted = understood.slots.get("state")
                query = {
                    "matched": [view for view in views if view.state == wanted],
                    "unmatched": [view for view in views if view.state != wanted],
                }
                state = views[0]
        templates = self._sentences.responses[understood.intent]
        template = templates.get(understood.response) or templates["default"]
        text = self._render(template, slots=slots, state=state, query=query)
        return self._labelled(text) if understood.intent in ABOUT_THE_HOUSE else text

    def sorry(self, understood: Understood) -> str:
        """What is said when the effect was not possible."""
        errors = self._sentences.errors
        match understood.intent:
            case "HassStartTimer":
                most = self._timers.most
                says = self._phrases
                return says.most_timers.format(most=most) if most else says.no_timers
            case "HassCancelTimer":
                found = self._timers.lasting(_started_for(understood.slots))
                return errors["multiple_timers_matched" if found else "timer_not_found"]
        devices = self._targets(understood.slots)
        if not devices:
            return self._not_there(understood)
        silent = [device.name for device in devices if device.name in self._house.unreachable]
        if not silent:  # what kept it from being done was not the house
            return self._phrases.apology
        names = self._phrases.names(silent)
        return self._labelled(self._phrases.unreachable.format(names=names))

    def _not_there(self, understood: Understood) -> str:
        """No device is what was meant, in the package's words."""
        kind = "no_domain_in_area" if "area" in understood.slots else "no_domain"
        slots = {"domain": "light", **understood.slots}
        return self._labelled(self._render(self._sentences.errors[kind], **slots))

    def _render(self, template: str, **values: Any) -> str:
        return " ".join(self._compiled(template).render(values).split())

    def _labelled(self, text: str) -> str:
        if not text or not self._house.is_demo:
            return text
        says = self._phrases
        return says.labelled.format(answer=text.rstrip(".。"), label=says.in_demo)

    def _targets(self, slots: Mapping[str, Any]) -> list[DeviceSettings]:
        domain = slots.get("domain") or ("light" if "brightness" in slots else None)
        return list(self._house.find(slots.get("name"), slots.get("area"), domain))

    def _view(self, device: DeviceSettings) -> "StateView":
        state = self._house.states[device.name]
        said = self._phrases.on if state.is_on else self._phrases.off
        return StateView(device.name, device.domain, state.text, said)


@dataclass(frozen=True, slots=True)
class StateView:
    """A device's state as the templates know it."""

    name: str
    domain: str
    state: str
    state_with_unit: str
    """As it is said."""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimerView:
    """A timer as the templates know it: Home Assistant's own fields, rounded to what is worth saying."""

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
        # To five minutes above an hour, to five seconds above a minute.
        step = 300 if left >= 3600 else 5 if left >= 60 else 1
        rounded = round(left / step) * step
        return cls(left, *_hours_minutes_seconds(rounded), *_hours_minutes_seconds(timer.seconds))


def _hours_minutes_seconds(seconds: int) -> tuple[int, int, int]:
    return seconds // 3600, seconds // 60 % 60, seconds % 60


def _seconds(slots: Mapping[str, Any], prefix: str = "") -> int:
    parts = {"hours": 3600, "minutes": 60, "seconds": 1}
    return sum(int(slots.get(prefix + part, 0)) * size for part, size in parts.items())


def _started_for(slots: Mapping[str, Any]) -> int | None:
    """How long the timer that is meant was set for; None if that was not said."""
    return _seconds(slots, "start_") or None


def _whole(value: Any) -> Any:
    """hassil gives a percentage as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
