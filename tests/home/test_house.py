"""The house: what can be spoken to, what state it is in, and who hears of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from airos_edge.errors import ConfigError, EngineError
from airos_edge.home.house import (
    AreaSettings,
    DeviceChanged,
    DeviceSettings,
    House,
    Settings,
    State,
    VirtualDevices,
    furnished,
)
from airos_edge.voice.events import Event
from airos_edge.voice.hub import Hub
from tests.home.people import HOUSE, SomeDead

LAMP, MACHINE, *_ = HOUSE.devices


def house(settings: Settings = HOUSE, devices: VirtualDevices | None = None) -> House:
    return House(settings, devices or VirtualDevices(), lambda event: None)


def test_devices_are_found_by_all_that_is_said_of_them() -> None:
    def found(**wanted: str) -> list[str]:
        return [device.name for device in house().find(**wanted)]

    assert found(name="floor lamp") == ["floor lamp"]
    assert found(area="kitchen") == ["kitchen light", "coffee machine"]
    assert found(area="living room", domain="light") == ["floor lamp", "ceiling light"]
    assert found(name="floor lamp", area="kitchen") == []
    assert len(found()) == len(HOUSE.devices)


async def test_who_watches_the_hub_sees_a_device_change_and_only_then() -> None:
    hub = Hub()
    home = House(HOUSE, VirtualDevices(), hub.publish)
    with hub.watch() as watch:
        await home.call(LAMP, "turn_on", {"brightness_pct": 30})
        await home.call(LAMP, "turn_on", {})
        await home.call(LAMP, "turn_off", {})
        seen = [await anext(watch), await anext(watch)]
        assert seen == [
            DeviceChanged(name="kitchen light", domain="light", state=State(True, 30)),
            DeviceChanged(name="kitchen light", domain="light", state=State(False, 30)),
        ]
        assert home.states["kitchen light"].text == "off"
        await home.call(MACHINE, "turn_on", {})
        assert await anext(watch) == DeviceChanged(
            name="coffee machine", domain="switch", state=State(True)
        )


async def test_a_device_that_fails_keeps_its_state_until_it_answers_again() -> None:
    published: list[Event] = []
    devices = SomeDead("kitchen light")
    home = House(HOUSE, devices, published.append)
    with pytest.raises(EngineError, match="does not answer"):
        await home.call(LAMP, "turn_on", {})
    assert home.unreachable == {"kitchen light"}
    assert home.states["kitchen light"] == State()
    assert published == []
    devices.dead.clear()
    await home.call(LAMP, "turn_on", {})
    assert home.unreachable == set()
    assert home.states["kitchen light"] == State(is_on=True)


async def test_real_devices_are_called_as_home_assistants_services_are() -> None:
    calls: list[tuple[str, str, Mapping[str, Any]]] = []

    class Bus:
        async def call(
            self, device: DeviceSettings, before: State, service: str, data: Mapping[str, Any]
        ) -> State:
            calls.append((device.name, service, data))
            return State(is_on=False)

    home = House(HOUSE, Bus(), lambda event: None)
    await home.call(LAMP, "turn_on", {"brightness_pct": 30})
    assert calls == [("kitchen light", "turn_on", {"brightness_pct": 30})]
    assert home.states["kitchen light"] == State(is_on=False), "what the device says counts"


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            Settings(devices=(DeviceSettings("lamp", area="attic"),)),
            r"home\.devices\[0\]\.area: 'attic' is not one of home\.areas",
        ),
        (
            Settings(devices=(DeviceSettings("lamp"), DeviceSettings("Lamp"))),
            r"home\.devices\[1\]: 'Lamp' sounds like a name of home\.devices\[0\], 'lamp'",
        ),
        (
            Settings(devices=(DeviceSettings("lamp"), DeviceSettings("lamp"))),
            r"home\.devices\[1\]: 'lamp' sounds like",
        ),
        (
            Settings(devices=(DeviceSettings("TV-2"), DeviceSettings("set", aliases=("tv two",)))),
            r"home\.devices\[1\]: 'tv two' sounds like a name of home\.devices\[0\], 'TV-2'",
        ),
        (
            Settings(areas=(AreaSettings("hall"), AreaSettings("corridor", ("hall",)))),
            r"home\.areas\[1\]: 'hall' sounds like",
        ),
        (
            Settings(devices=(DeviceSettings("!?"),)),
            r"home\.devices\[0\]: '!\?' has no letter or number",
        ),
    ],
)
def test_a_house_that_contradicts_itself_is_refused_with_the_place(
    settings: Settings, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        house(settings)


def test_a_device_may_have_its_name_for_an_alias_and_an_areas_name() -> None:
    settings = Settings(
        (AreaSettings("porch"),),
        (DeviceSettings("TV-2", aliases=("tv 2",)), DeviceSettings("porch", area="porch")),
    )
    assert set(house(settings).states) == {"TV-2", "porch"}


class FoundDevices(VirtualDevices):
    """A source of devices, which somebody else may switch too."""

    def __init__(self, *devices: DeviceSettings) -> None:
        self.devices = devices
        self.states: dict[str, State] = {}
        self.called: list[str] = []

    def found(self) -> tuple[DeviceSettings, ...]:
        return self.devices

    def state_of(self, name: str) -> State:
        return self.states.get(name, State())

    async def call(
        self, device: DeviceSettings, before: State, service: str, data: Mapping[str, Any]
    ) -> State:
        self.called.append(device.name)
        self.states[device.name] = await super().call(device, before, service, data)
        return self.states[device.name]


def test_what_was_found_is_in_the_house_and_what_is_configured_comes_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = FoundDevices(
        DeviceSettings("Hall Lamp", "light", "Hall"),
        DeviceSettings("Cooking Light"),
        DeviceSettings("hall lamp", "switch"),
        DeviceSettings("TV-2", "switch", "Lounge"),
        DeviceSettings("!?"),
    )
    settings, whose = furnished(HOUSE, [source])
    assert settings.devices == (
        *HOUSE.devices,
        DeviceSettings("Hall Lamp", "light", "Hall"),
        DeviceSettings("TV-2", "switch", "living room"),
    )
    assert settings.areas == (*HOUSE.areas, AreaSettings("Hall"))
    assert set(whose) == {"Hall Lamp", "TV-2"}
    house(settings)
    for name in ("Cooking Light", "hall lamp", "!?"):
        assert f"{name!r} is left out" in caplog.text


async def test_each_device_is_switched_by_who_found_it() -> None:
    source = FoundDevices(DeviceSettings("hall lamp"))
    settings, whose = furnished(HOUSE, [source])
    home = House(settings, VirtualDevices(), lambda event: None, found=whose)
    await home.call(LAMP, "turn_on", {})
    await home.call(settings.devices[-1], "turn_on", {})
    assert source.called == ["hall lamp"]
    assert home.states["kitchen light"] == home.states["hall lamp"] == State(True)


def test_what_changes_without_us_is_followed_and_published() -> None:
    published: list[Event] = []
    source = FoundDevices(DeviceSettings("hall lamp"), DeviceSettings("kitchen light"))
    settings, whose = furnished(HOUSE, [source])
    home = House(settings, VirtualDevices(), published.append, found=whose)
    source.states = {"hall lamp": State(True, 20), "kitchen light": State(True)}
    for name in ("hall lamp", "kitchen light", "attic light"):
        home.look_at(name)
    home.look()
    assert home.states["hall lamp"] == State(True, 20)
    assert home.states["kitchen light"] == State(), "that one is the configured one"
    assert published == [DeviceChanged(name="hall lamp", domain="light", state=State(True, 20))]
