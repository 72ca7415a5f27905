"""The house: what can be spoken to, and what state it is in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from airos_edge.errors import ConfigError
from airos_edge.voice.events import Event

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


@dataclass(slots=True)
class House:
    """Raises ConfigError where the settings contradict themselves."""

    settings: Settings
    devices: Devices
    publish: Callable[[Event], None]
    label: str = ""
    """Said after answers about it: a demonstration house is to be known as one."""
    states: dict[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        areas = {area.name for area in self.settings.areas}
        seen: set[str] = set()
        for place, device in enumerate(self.settings.devices):
            path = f"home.devices[{place}]"
            if device.area is not None and device.area not in areas:
                raise ConfigError(f"{path}.area: {device.area!r} is not one of home.areas")
            for name in (device.name, *device.aliases):
                if name.lower() in seen:
                    raise ConfigError(f"{path}: another device is called {name!r}, too")
                seen.add(name.lower())
            self.states.setdefault(device.name, State())

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
        """Raises EngineError."""
        before = self.states[device.name]
        after = await self.devices.call(device, before, service, data)
        self.states[device.name] = after
        if after != before:
            self.publish(DeviceChanged(name=device.name, domain=device.domain, state=after))


class VirtualDevices:
    """Devices that are nothing but their state."""

    async def call(
        self, device: DeviceSettings, before: State, service: str, data: Mapping[str, Any]
    ) -> State:
        if service == "turn_off":
            return replace(before, is_on=False)
        return State(True, data.get("brightness_pct", before.brightness_pct))
