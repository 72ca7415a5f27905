"""A light or a switch that announced itself by MQTT: how it is switched, and how its state is read.

What is known of it is what Home Assistant's own MQTT lights and switches know.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from airos_edge.home.house import DeviceSettings, State


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a value comes from: a topic, and the key in its JSON, or None where it is all of it."""

    topic: str
    key: str | None = None

    def value(self, text: str) -> str | None:
        """What the text says, written as MQTT writes it; None if it says nothing of this."""
        if self.key is None:
            return text
        found = object_of(text).get(self.key)
        return None if found is None else written(found)


@dataclass(frozen=True, slots=True)
class Availability:
    reading: Reading
    available: str
    unavailable: str


@dataclass(frozen=True, slots=True)
class Brightness:
    """`command_topic` is unused under the JSON schema. `scale` is the value that is full brightness."""

    command_topic: str
    reading: Reading | None
    scale: int
    order: Literal["first", "last", "brightness"] = "last"


@dataclass(frozen=True, slots=True)
class Announcement:
    """`is_optimistic`: nothing tells its state, or too late, so it is taken to be what it was switched to."""

    device: DeviceSettings
    command_topic: str
    is_json: bool
    payload_on: str
    payload_off: str
    state: Reading | None
    is_optimistic: bool
    state_on: str
    state_off: str
    brightness: Brightness | None
    availability: tuple[Availability, ...]
    availability_mode: Literal["all", "any", "latest"]
    retain: bool

    @property
    def topics(self) -> set[str]:
        """All that tells of it."""
        readings = [self.state, *(one.reading for one in self.availability)]
        readings.append(self.brightness.reading if self.brightness else None)
        return {reading.topic for reading in readings if reading is not None}

    def wanted(self, before: State, service: str, data: Mapping[str, Any]) -> State:
        """The state that a call of Home Assistant's `turn_on` or `turn_off` wants of it."""
        brightness_pct = data.get("brightness_pct") if self.brightness else None
        if service == "turn_off" or brightness_pct == 0:
            return replace(before, is_on=False)
        return State(True, before.brightness_pct if brightness_pct is None else brightness_pct)

    def commands(self, wanted: State, with_brightness: bool) -> Iterator[tuple[str, str]]:
        """The topics and payloads that bring it there."""
        level = None
        if with_brightness and wanted.is_on and self.brightness:
            level = round((wanted.brightness_pct or 0) * self.brightness.scale / 100)
        if self.is_json:
            payload: dict[str, Any] = {"state": "ON" if wanted.is_on else "OFF"}
            yield (
                self.command_topic,
                json.dumps(payload | ({} if level is None else {"brightness": level})),
            )
            return
        switch = (self.command_topic, self.payload_on if wanted.is_on else self.payload_off)
        if level is None or self.brightness is None:
            yield switch
            return
        dim = (self.brightness.command_topic, str(level))
        match self.brightness.order:
            case "last":  # Home Assistant's names: when the "on" is sent
                yield from (dim, switch)
            case "first":
                yield from (switch, dim)
            case "brightness":
                yield dim

    def state_after(self, topic: str, text: str, before: State) -> State:
        """What a message says of its state; what it does not say stays."""
        after = before
        if self.state is not None and self.state.topic == topic:
            value = self.state.value(text)
            if value in (self.state_on, self.state_off):
                after = replace(after, is_on=value == self.state_on)
        dimmer = self.brightness
        if dimmer is not None and dimmer.reading is not None and dimmer.reading.topic == topic:
            level = number(dimmer.reading.value(text))
            if level is not None:
                pct = min(100, round(level * 100 / dimmer.scale))
                after = replace(after, brightness_pct=pct)
        return after

    def availability_after(self, topic: str, text: str) -> bool | None:
        """What a message says of whether it can be reached; None if nothing."""
        for one in self.availability:
            if one.reading.topic == topic:
                value = one.reading.value(text)
                if value in (one.available, one.unavailable):
                    return value == one.available
        return None


# ---- values -------------------------------------------------------------------------------------


def object_of(text: str) -> Mapping[Any, Any]:
    """Of a text that is no JSON object, an empty one."""
    try:
        return mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def written(value: Any) -> str:
    """As Home Assistant's templates write it."""
    return value if isinstance(value, str) else str(value)


def number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e9 else None
