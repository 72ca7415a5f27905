"""The house: what can be spoken to, and what state it is in."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from airos_edge.errors import ConfigError, EngineError
from airos_edge.home.names import said
from airos_edge.voice.events import Event

log = logging.getLogger(__name__)

Domain = Literal["light", "switch", "fan"]


@dataclass(frozen=True, slots=True)
class AreaSettings:
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    name: str
    domain: Domain = "light"
    area: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The `home` section."""

    areas: tuple[AreaSettings, ...] = ()
    devices: tuple[DeviceSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    is_on: bool = False
    brightness_pct: int | None = None

    @property
    def text(self) -> str:
        return "on" if self.is_on else "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChanged(Event):
    """A device is in another state now."""

    name: str
    domain: Domain
    state: State


class Devices(Protocol):
    """What stands behind the house's devices: they are switched here, wherever they really are."""

    async def call(
        self, device: DeviceSettings, before: State, service: str, data: Mapping[str, Any]
    ) -> State:
        """Home Assistant's services `turn_on` (with `brightness_pct`) and `turn_off`; gives the new state.

        Raises EngineError when the device cannot be reached.
        """


class Source(Devices, Protocol):
    """Where devices come from that are not in the configuration."""

    def found(self) -> Sequence[DeviceSettings]:
        """Those that are there by now."""

    def state_of(self, name: str) -> State:
        """The state of one of them, by its name."""


@dataclass(slots=True)
class House:
    """Raises ConfigError where the settings contradict themselves."""

    settings: Settings
    devices: Devices
    publish: Callable[[Event], None]
    is_demo: bool = False
    """Said after answers about it: a demonstration house is to be known as one."""
    states: dict[str, State] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    """The devices whose last call failed. Their state is what it was before."""
    found: Mapping[str, Source] = field(default_factory=dict)
    """Who answers for the devices that were found, by their names; for all others `devices` does."""

    def __post_init__(self) -> None:
        _check_names("home.areas", self.settings.areas)
        _check_names("home.devices", self.settings.devices)
        areas = {area.name for area in self.settings.areas}
        for place, device in enumerate(self.settings.devices):
            if device.area is not None and device.area not in areas:
                raise ConfigError(
                    f"home.devices[{place}].area: {device.area!r} is not one of home.areas"
                )
            self.states.setdefault(device.name, State())

    @property
    def names(self) -> tuple[str, ...]:
        """What its areas and devices are called."""
        named: list[AreaSettings | DeviceSettings] = [*self.settings.areas, *self.settings.devices]
        return tuple(dict.fromkeys(name for one in named for name in (one.name, *one.aliases)))

    def find(
        self, name: str | None = None, area: str | None = None, domain: str | None = None
    ) -> Iterator[DeviceSettings]:
        """The devices of which all that is given is true."""
        for device in self.settings.devices:
            if (
                name in (None, device.name)
                and area in (None, device.area)
                and domain in (None, device.domain)
            ):
                yield device

    async def call(self, device: DeviceSettings, service: str, data: Mapping[str, Any]) -> None:
        """Raises EngineError; the device's state is then what it was."""
        before = self.states[device.name]
        try:
            behind = self.found.get(device.name, self.devices)
            after = await behind.call(device, before, service, data)
        except EngineError as error:
            log.warning("%s could not be reached: %s", device.name, error)
            self.unreachable.add(device.name)
            raise
        self.unreachable.discard(device.name)
        self._note(device, after)

    def look(self) -> None:
        """Asks after the state of every device that was found."""
        for name in self.found:
            self.look_at(name)

    def look_at(self, name: str) -> None:
        """It may have changed without us. Of a device that was not found here, nothing is asked."""
        if name in self.found:
            for device in self.find(name):
                self._note(device, self.found[name].state_of(name))

    def _note(self, device: DeviceSettings, state: State) -> None:
        if state != self.states[device.name]:
            self.states[device.name] = state
            self.publish(DeviceChanged(name=device.name, domain=device.domain, state=state))


class VirtualDevices:
    """Devices that are nothing but their state."""

    async def call(
        self, device: DeviceSettings, before: State, service: str, data: Mapping[str, Any]
    ) -> State:
        brightness_pct = data.get("brightness_pct", before.brightness_pct)
        if service == "turn_off" or brightness_pct == 0:  # Home Assistant's lights are off at 0 %
            return replace(before, is_on=False)
        return State(True, brightness_pct)


def furnished(
    settings: Settings, sources: Sequence[Source]
) -> tuple[Settings, Mapping[str, Source]]:
    """The settings with the devices that were found, and whose each of those is.

    A device whose name is taken, sounds like one that is, or cannot be said, is left out with a warning:
    what the configuration says comes first, then what was found first. An area that sounds like one of the
    configuration's is that one.
    """
    areas, devices, whose = list(settings.areas), list(settings.devices), dict[str, Source]()
    area_of = {said(name): area.name for area in areas for name in (area.name, *area.aliases)}
    taken = {said(name) for device in devices for name in (device.name, *device.aliases)}
    for source in sources:
        for device in source.found():
            if said(device.name) in taken | {""}:
                log.warning("%r is left out: its name is taken, or cannot be said", device.name)
                continue
            taken.add(said(device.name))
            area = device.area if device.area and said(device.area) else None
            if area is not None and said(area) not in area_of:
                areas.append(AreaSettings(area))
                area_of[said(area)] = area
            devices.append(replace(device, area=area and area_of[said(area)]))
            whose[device.name] = source
    return Settings(tuple(areas), tuple(devices)), whose


def _check_names(path: str, named: Sequence[AreaSettings | DeviceSettings]) -> None:
    """Two that sound alike cannot be told apart, and a name without a word cannot be called."""
    seen: dict[str, int] = {}
    for place, one in enumerate(named):
        for name in (one.name, *one.aliases):
            spoken = said(name)
            if not spoken:
                raise ConfigError(f"{path}[{place}]: {name!r} has no letter or number to say")
            first = seen.setdefault(spoken, place)
            if first != place:
                raise ConfigError(
                    f"{path}[{place}]: {name!r} sounds like a name of {path}[{first}], "
                    f"{named[first].name!r}; each needs its own"
                )
