"""How a light or switch that announced itself is switched, and how its state is read."""

import json
from typing import Any

import pytest

from airos_edge.home.announcement import Announcement
from airos_edge.home.discovery import read_single
from airos_edge.home.house import State

SWITCH = {"name": "pump", "command_topic": "pump/set", "state_topic": "pump"}
LIGHT = {
    "name": "lamp",
    "command_topic": "lamp/set",
    "state_topic": "lamp",
    "brightness_command_topic": "lamp/dim/set",
    "brightness_state_topic": "lamp/dim",
}
JSON_LIGHT = {
    "name": "lamp",
    "schema": "json",
    "brightness": True,
    "command_topic": "lamp/set",
    "state_topic": "lamp",
}


def announced(component: str, options: dict[str, Any]) -> Announcement:
    found = read_single(component, json.dumps(options))
    assert found is not None
    return found


def called(found: Announcement, service: str, **data: int) -> list[tuple[str, str]]:
    wanted = found.wanted(State(), service, data)
    return list(found.commands(wanted, "brightness_pct" in data))


def test_a_switch_is_sent_its_own_words() -> None:
    assert called(announced("switch", SWITCH), "turn_on") == [("pump/set", "ON")]
    own = announced("switch", SWITCH | {"payload_on": 1, "payload_off": False})
    assert called(own, "turn_on") == [("pump/set", "1")]
    assert called(own, "turn_off") == [("pump/set", "False")]
    assert called(own, "turn_on", brightness_pct=50) == [("pump/set", "1")], "it has no brightness"


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("last", [("lamp/dim/set", "128"), ("lamp/set", "ON")]),
        ("first", [("lamp/set", "ON"), ("lamp/dim/set", "128")]),
        ("brightness", [("lamp/dim/set", "128")]),
    ],
)
def test_a_light_is_dimmed_in_the_order_it_asks_for(kind: str, sent: list[object]) -> None:
    light = announced("light", LIGHT | {"on_command_type": kind})
    assert called(light, "turn_on", brightness_pct=50) == sent


def test_a_light_of_json_is_sent_one_object() -> None:
    light = announced("light", JSON_LIGHT | {"brightness_scale": 1000})

    def sent(service: str, **data: int) -> object:
        ((topic, text),) = called(light, service, **data)
        assert topic == "lamp/set"
        return json.loads(text)

    assert sent("turn_on") == {"state": "ON"}
    assert sent("turn_on", brightness_pct=50) == {"state": "ON", "brightness": 500}
    assert sent("turn_on", brightness_pct=0) == {"state": "OFF"}
    assert sent("turn_off") == {"state": "OFF"}


@pytest.mark.parametrize(
    ("component", "options", "topic", "text", "after"),
    [
        ("switch", SWITCH, "pump", "ON", State(True)),
        ("switch", SWITCH | {"state_on": "running"}, "pump", "running", State(True)),
        ("switch", SWITCH, "pump", "perhaps", State()),
        ("switch", SWITCH | {"val_tpl": "{{ value_json.l1 }}"}, "pump", '{"l1":"ON"}', State(True)),
        (
            "switch",
            SWITCH | {"val_tpl": "{{value_json['l 1']}}"},
            "pump",
            '{"l 1":"ON"}',
            State(True),
        ),
        ("switch", SWITCH | {"val_tpl": "{{ value }}"}, "pump", "ON", State(True)),
        ("switch", SWITCH | {"val_tpl": "{{ value_json.l1 }}"}, "pump", "ON", State()),
        (
            "switch",
            SWITCH | {"val_tpl": "{{ value_json.on }}", "pl_on": True},
            "pump",
            '{"on": true}',
            State(True),
        ),
        ("light", LIGHT, "lamp", "ON", State(True)),
        ("light", LIGHT, "lamp/dim", "51", State(False, 20)),
        ("light", LIGHT, "lamp/dim", "510", State(False, 100)),
        ("light", LIGHT, "lamp/dim", "bright", State()),
        ("light", JSON_LIGHT, "lamp", '{"state": "ON", "brightness": 255}', State(True, 100)),
        ("light", JSON_LIGHT, "lamp", '{"state": "ON", "brightness": null}', State(True)),
        ("light", JSON_LIGHT, "lamp", '{"linkquality": 7}', State()),
        ("light", JSON_LIGHT, "lamp", "[1]", State()),
        ("light", JSON_LIGHT, "lamp", "ON", State()),
    ],
)
def test_its_state_is_what_its_topic_says(
    component: str, options: dict[str, Any], topic: str, text: str, after: State
) -> None:
    assert announced(component, options).state_after(topic, text, State()) == after


def test_a_state_that_cannot_be_read_is_taken_to_be_what_was_wanted() -> None:
    nothing = announced("switch", {"name": "pump", "command_topic": "pump/set"})
    clever = announced("switch", SWITCH | {"val_tpl": "{{ 'ON' if value|int > 3 else 'OFF' }}"})
    asked = announced("switch", SWITCH | {"opt": True})
    assert [one.is_optimistic for one in (nothing, clever, asked)] == [True, True, True]
    assert asked.state_after("pump", "ON", State()) == State(True), "and follows what it says"
    assert not announced("switch", SWITCH).is_optimistic


def test_what_tells_of_it_is_all_that_has_to_be_listened_to() -> None:
    light = announced("light", LIGHT | {"avty_t": "lamp/there"})
    assert light.topics == {"lamp", "lamp/dim", "lamp/there"}
    assert light.availability_after("lamp/there", "online") is True
    assert light.availability_after("lamp/there", "offline") is False
    assert light.availability_after("lamp/there", "hello") is None
    assert light.availability_after("lamp", "online") is None
