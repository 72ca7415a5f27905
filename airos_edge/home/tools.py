"""The house as tools for a model: its intents as JSON Schemas, with the names of this house in them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from airos_edge.errors import EngineError
from airos_edge.home.commands import Understood
from airos_edge.home.house import AreaSettings, DeviceSettings, House
from airos_edge.home.names import forms, said
from airos_edge.home.timers import Timer, Timers
from airos_edge.languages.phrases import Phrases
from airos_edge.voice.ports import Call

Properties = dict[str, dict[str, Any]]
MOST_OF_A_UNIT = 9999
WHICH = (
    "The one named, or all of an area, of a domain, or of both. Gives the names of those it did."
)
MEANING = {
    "name": "One device.",
    "area": "All the devices in it.",
    "domain": "All the devices of this kind.",
}


class HouseTools:
    """Described anew each time: a house may gain a lamp while it is lived in. `now` is the wall clock.

    `act` makes the calls that change something, as `HouseCommands.call` does.
    """

    def __init__(
        self,
        house: House,
        timers: Timers,
        act: Callable[[Call], Awaitable[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._house = house
        self._timers = timers
        self._act = act
        self._now = now

    def described(self) -> Iterator[Mapping[str, Any]]:
        """Of each tool `name`, `description` and `parameters`, a JSON Schema object."""
        yield _tool("HassGetCurrentTime", "The time of day and the date.")
        if any(self._house.find()):
            which = self._which()
            yield _tool("HassGetState", "The state of devices; without arguments, of all.", which)
            yield _tool("HassTurnOn", f"Turns devices on. {WHICH}", which)
            yield _tool("HassTurnOff", f"Turns devices off. {WHICH}", which)
        if any(self._house.find(domain="light")):
            which = {**self._which("light"), "brightness": _number("percent", 0, 100)}
            yield _tool(
                "HassLightSet", f"Sets the brightness of lights. {WHICH}", which, ["brightness"]
            )
        if self._timers.most:
            started = "Which one: how long it was set for. Without arguments: the only one."
            yield _tool("HassStartTimer", "Sets a timer, which will ring.", _duration())
            yield _tool("HassTimerStatus", "The timers that run, and how much is left of each.")
            yield _tool("HassCancelTimer", f"Cancels a timer. {started}", _duration("start_"))
            yield _tool("HassCancelAllTimers", "Cancels every timer.")

    def needs_yes(self, call: Call) -> bool:
        """It concerns all there is of a kind in the house."""
        try:
            checked = self._checked(call)
        except EngineError:  # nor will it be made
            return False
        return Understood(checked.name, checked.arguments).is_grave

    def in_words(self, call: Call, says: Phrases) -> str:
        """What a call that needs a yes does: "turn off all the lights". Raises EngineError as `call` does."""
        arguments = self._checked(call).arguments
        kind = "light" if call.name == "HassLightSet" else arguments.get("domain")
        every = {
            "light": says.all_lights,
            "switch": says.all_switches,
            "fan": says.all_fans,
            None: says.everything,
        }
        does = {
            "HassTurnOn": says.turn_on,
            "HassTurnOff": says.turn_off,
            "HassLightSet": says.set_brightness,
            "HassCancelAllTimers": says.cancel_timers,
        }[call.name]
        return does.format(which=every[kind], brightness=arguments.get("brightness"))

    async def call(self, call: Call) -> str:
        """Gives what a model is told: states, the names of what was switched, a timer's length.

        Raises EngineError for what is not of this house, for a device that fails, and for arguments
        that are wrong.
        """
        checked = self._checked(call)
        arguments = checked.arguments
        match call.name:
            case "HassGetCurrentTime":
                return f"{self._now():%H:%M, %A, %d %B %Y}"
            case "HassGetState":
                devices = self._house.find(
                    arguments.get("name"), arguments.get("area"), arguments.get("domain")
                )
                return "\n".join(map(self._state, devices)) or "there is nothing of the kind"
            case "HassTimerStatus":
                return "\n".join(map(_left, self._timers.running)) or "no timer runs"
        return await self._act(checked)

    def _state(self, device: DeviceSettings) -> str:
        state = self._house.states[device.name]
        where = f" in the {device.area}" if device.area else ""
        lit = state.is_on and state.brightness_pct is not None
        bright = f", {state.brightness_pct} %" if lit else ""
        lost = ", cannot be reached" if device.name in self._house.unreachable else ""
        return f"{device.name} ({device.domain}{where}): {state.text}{bright}{lost}"

    def _which(self, domain: str | None = None) -> Properties:
        devices = list(self._house.find(domain=domain))
        chosen = {
            "name": [device.name for device in devices],
            "area": sorted({device.area for device in devices if device.area}),
            "domain": sorted({device.domain for device in devices}),
        }
        return {
            key: {"type": "string", "enum": values, "description": MEANING[key]}
            for key, values in chosen.items()
            if values
        }

    def _checked(self, call: Call) -> Call:
        """As the house knows it. Raises EngineError where it does not."""
        tools = {tool["name"]: tool for tool in self.described()}
        if call.name not in tools:
            raise EngineError("house", f"there is no tool {call.name!r}")
        schema = tools[call.name]["parameters"]
        given = {key: value for key, value in call.arguments.items() if value is not None}
        unknown = sorted(given.keys() - schema["properties"].keys())
        if unknown:
            known = ", ".join(schema["properties"]) or "nothing"
            raise EngineError("house", f"{call.name} takes {known}, but no {unknown[0]!r}")
        missing = [key for key in schema["required"] if key not in given]
        if missing:
            raise EngineError("house", f"{call.name} needs {' and '.join(missing)}")
        checked = {
            key: self._value(key, value, schema["properties"][key]) for key, value in given.items()
        }
        return replace(call, arguments=checked)

    def _value(self, key: str, value: Any, schema: Mapping[str, Any]) -> Any:
        if schema["type"] == "integer":
            return _whole(key, value, schema["minimum"], schema["maximum"])
        known: list[str] = schema["enum"]
        names = {form: name for name in known for form in self._forms(key, name)}
        if isinstance(value, str) and said(value) in names:
            return names[said(value)]
        near = get_close_matches(str(value), known, n=3) or known[:10]
        raise EngineError("house", f"there is no {key} {value!r}; there is {', '.join(near)}")

    def _forms(self, key: str, name: str) -> Iterator[str]:
        """How a name may be said: models do not always keep to the names they are given."""
        named: list[AreaSettings | DeviceSettings] = []
        named += self._house.find() if key == "name" else ()
        named += self._house.settings.areas if key == "area" else ()
        aliases = [alias for one in named if one.name == name for alias in one.aliases]
        for each in (name, *aliases):
            yield from map(said, forms(each))


def _tool(
    name: str,
    description: str,
    properties: Properties | None = None,
    required: list[str] | None = None,
) -> Mapping[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties or {},
        "required": required or [],
        "additionalProperties": False,
    }
    return {"name": name, "description": description, "parameters": parameters}


def _number(unit: str, low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, "description": unit}


def _duration(prefix: str = "") -> Properties:
    units = ("hours", "minutes", "seconds")
    return {f"{prefix}{unit}": _number(unit, 0, MOST_OF_A_UNIT) for unit in units}


def _whole(key: str, value: Any, low: int, high: int) -> int:
    """Models write numbers as text, too."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or value != int(value):
        wanted = f"a whole number from {low} to {high}"
        raise EngineError("house", f"{key} is to be {wanted}, not {value!r}")
    return int(value)


def _left(timer: Timer) -> str:
    return f"set for {timer.seconds} s, {timer.seconds_left} s left"
