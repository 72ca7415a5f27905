"""Which announcements become devices of the house, as what, and which are nothing for it."""

import json
import random
import tracemalloc
from typing import Any

import pytest

from airos_edge.home.announcement import Announcement
from airos_edge.home.discovery import ABBREVIATIONS, Unusable, read_device, read_single
from airos_edge.home.house import DeviceSettings
from airos_edge.mqtt.discovery import Offers, discovery

PUMP = {"name": "pump", "cmd_t": "pump/set"}


def single(options: dict[str, Any], component: str = "switch") -> Announcement | None:
    return read_single(component, json.dumps(options))


def named(**options: Any) -> DeviceSettings:
    found = single({"cmd_t": "x"} | options)
    assert found is not None
    return found.device


def test_short_and_long_options_and_a_base_are_the_same() -> None:
    short = single(
        {
            "~": "home/pump",
            "name": "pump",
            "cmd_t": "~/set",
            "stat_t": "~",
            "avty": [{"t": "~/there", "pl_avail": "yes", "pl_not_avail": "no"}],
            "dev": {"name": "cellar", "sa": "Cellar"},
        }
    )
    assert short == single(
        {
            "name": "pump",
            "command_topic": "home/pump/set",
            "state_topic": "home/pump",
            "availability": [
                {
                    "topic": "home/pump/there",
                    "payload_available": "yes",
                    "payload_not_available": "no",
                }
            ],
            "device": {"name": "cellar", "suggested_area": "Cellar"},
        }
    )
    assert short is not None
    assert short.device == DeviceSettings("cellar pump", "switch", "Cellar")


def test_it_is_called_by_its_device_and_what_it_is_of_it() -> None:
    assert named(name="pump").name == "pump"
    assert named(name=None, dev={"name": "cellar  pump"}).name == "cellar pump"
    assert named(dev={"name": "cellar pump"}).name == "cellar pump"
    assert named(name="left", dev={"name": "cellar pump"}).name == "cellar pump left"
    assert named(name="Cellar pump left", dev={"name": "cellar pump"}).name == "Cellar pump left"


def test_zigbee2mqtts_lamp_is_understood() -> None:
    lamp = single(
        {
            "availability": [
                {"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"},
                {
                    "topic": "zigbee2mqtt/hall/availability",
                    "value_template": "{{ value_json.state }}",
                },
            ],
            "availability_mode": "all",
            "brightness": True,
            "brightness_scale": 254,
            "command_topic": "zigbee2mqtt/hall/set",
            "device": {"identifiers": ["zigbee2mqtt_0x1"], "name": "hall lamp", "model": "LED1"},
            "effect": True,
            "effect_list": ["blink"],
            "name": None,
            "object_id": "hall",
            "origin": {"name": "Zigbee2MQTT", "sw": "2.0"},
            "schema": "json",
            "state_topic": "zigbee2mqtt/hall",
            "supported_color_modes": ["brightness"],
            "unique_id": "0x1_light_zigbee2mqtt",
        },
        "light",
    )
    assert lamp is not None
    assert lamp.device == DeviceSettings("hall lamp", "light")
    assert lamp.availability_mode == "all"
    assert lamp.topics == {
        *("zigbee2mqtt/bridge/state", "zigbee2mqtt/hall", "zigbee2mqtt/hall/availability"),
    }


def test_of_a_device_its_lights_and_switches_are_read_with_what_they_have_in_common() -> None:
    payload = {
        "dev": {"name": "cellar"},
        "o": {"name": "esphome"},
        "avty_t": "cellar/there",
        "cmps": {
            "pump": {"p": "switch", "name": "pump", "cmd_t": "pump/set"},
            "lamp": {"p": "light", "name": "lamp", "cmd_t": "lamp/set"},
            "dim": {"p": "light", "name": "dim", "schema": "template", "cmd_t": "dim/set"},
            "warmth": {"p": "sensor", "name": "warmth", "stat_t": "warmth"},
            "gone": {"p": "switch"},
            "unfit": {"p": "switch", "name": "no topic"},
            "odd": 7,
        },
    }
    found = dict(read_device(json.dumps(payload)))
    assert {key: isinstance(one, Announcement) for key, one in found.items()} == {
        "pump": True,
        "lamp": True,
        "dim": False,
        "unfit": False,
    }
    pump = found["pump"]
    assert isinstance(pump, Announcement)
    assert pump.device == DeviceSettings("cellar pump", "switch")
    assert pump.topics == {"cellar/there"}


@pytest.mark.parametrize(
    ("options", "is_dimmed"),
    [
        ({}, False),
        ({"brightness": True}, True),
        ({"sup_clrm": ["onoff"]}, False),
        ({"supported_color_modes": ["color_temp"]}, True),
    ],
)
def test_a_light_of_json_says_whether_it_can_be_dimmed(
    options: dict[str, Any], is_dimmed: bool
) -> None:
    found = single(PUMP | {"schema": "json"} | options, "light")
    assert found is not None
    assert (found.brightness is not None) == is_dimmed


@pytest.mark.parametrize(
    "options",
    [
        PUMP | {"entity_category": "config"},
        PUMP | {"en": False},
        PUMP | {"o": {"name": "airos-edge"}},
    ],
)
def test_settings_of_a_device_and_other_boxes_are_no_devices_of_the_house(
    options: dict[str, Any],
) -> None:
    assert single(options) is None


def test_a_box_does_not_take_another_ones_mute_for_a_switch() -> None:
    payload = discovery(
        "0123456789ab", "Kitchen", "airos/0123456789ab", Offers(True, True, True, True)
    )
    assert list(read_device(json.dumps(payload))) == []


@pytest.mark.parametrize(
    ("component", "options", "why"),
    [
        ("switch", {"name": "pump"}, "no command_topic"),
        ("switch", PUMP | {"cmd_t": "pump/#"}, "no topic"),
        ("switch", PUMP | {"stat_t": "x" * 2000}, "no topic"),
        ("switch", PUMP | {"stat_t": "\ud800"}, "no topic"),
        ("switch", PUMP | {"avty": [{"t": None}]}, "no topic"),
        ("switch", PUMP | {"avty": "there"}, "no topic"),
        ("switch", PUMP | {"avty_t": "x", "avty_tpl": "{{ 1 + 1 }}"}, "availability"),
        ("switch", {"cmd_t": "x"}, "no name"),
        ("switch", {"cmd_t": "x", "name": "a" * 100}, "no name"),
        ("switch", {"cmd_t": "x", "name": "\x1b[2J"}, "no name"),
        ("switch", PUMP | {"avty": [{"t": f"{n}"} for n in range(9000)]}, "9000 topics"),
        ("light", PUMP | {"schema": "template"}, "schema"),
        ("light", PUMP | {"bri_cmd_t": "dim", "bri_scl": "much"}, "brightness_scale"),
    ],
)
def test_what_cannot_be_used_is_said(component: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(Unusable, match=why):
        single(options, component)


def test_a_short_announcement_cannot_fill_the_memory() -> None:
    options = PUMP | {"~": "x" * 100_000} | {f"{number}_topic": "~x" for number in range(1000)}
    tracemalloc.start()
    try:
        assert single(options) is not None
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_what_is_no_announcement_at_all_is_refused_and_nothing_worse() -> None:
    chance = random.Random(7)
    options = [*ABBREVIATIONS, *ABBREVIATIONS.values(), "name", "~", "schema"]
    values: list[Any] = [None, 7, -1.5, True, "", "x", "~/x", "{{ value_json.x }}", [], {}, [7]]
    values += [{"name": 7}, {"name": ["x"]}, {"p": "light", "cmd_t": "x"}, {"t": "x"}, 10**400]

    def payload(deep: int) -> Any:
        if not deep or chance.random() < 0.3:
            return chance.choice(values)
        return {key: payload(deep - 1) for key in chance.sample(options, 8)}

    texts = [json.dumps(payload(3)) for _ in range(500)]
    texts += ["", "[", "null", "[" * 100_000, "\ud800", '{"cmps": []}', "NaN"]
    for text in texts:
        for component in ("light", "switch"):
            try:
                read_single(component, text)
            except Unusable:
                continue
        try:
            list(read_device(text))
        except Unusable:
            continue
