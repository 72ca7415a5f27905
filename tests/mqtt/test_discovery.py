"""The box as Home Assistant is told of it: with the options that its MQTT platforms have, and no others."""

import pytest

from airos_edge.mqtt.discovery import Offers, discovery

ANY = {"p", "name", "unique_id", "entity_category", "device_class"}
STATEFUL = {"state_topic", "value_template", "json_attributes_topic"}
OPTIONS = {
    "sensor": ANY | STATEFUL | {"options", "unit_of_measurement", "state_class"},
    "event": ANY | STATEFUL | {"event_types"},
    "switch": ANY | STATEFUL | {"command_topic"},
    "number": ANY | STATEFUL | {"command_topic", "min", "max", "unit_of_measurement"},
    "notify": ANY | {"command_topic"},
    "button": ANY | {"command_topic"},
}
NEEDED = {
    "sensor": {"state_topic"},
    "event": {"state_topic", "event_types"},
    "switch": {"command_topic"},
    "number": {"command_topic"},
    "notify": {"command_topic"},
    "button": {"command_topic"},
}
ALL = Offers(words=True, say=True, controls=True, restart=True)


def test_it_is_one_device_with_an_origin_an_availability_and_components() -> None:
    payload = discovery("0123456789ab", "Kitchen", "airos/0123456789ab", ALL)
    assert set(payload) == {"dev", "o", "availability", "cmps"}
    assert payload["o"]["name"], "of a device, the origin's name is required"
    assert payload["dev"]["identifiers"] == ["airos_0123456789ab"]
    assert payload["dev"]["name"] == "Kitchen"
    assert payload["availability"] == [{"topic": "airos/0123456789ab/availability"}]
    assert set(payload["cmps"]) == {
        *("state", "transcript", "answer", "wake", "mute", "volume"),
        *("say", "stop", "restart", "latency", "left"),
    }


@pytest.mark.parametrize("key", discovery("0", "", "airos/0", ALL)["cmps"])
def test_each_component_has_what_its_platform_needs_and_nothing_it_does_not_know(key: str) -> None:
    component = discovery("0123456789ab", "Kitchen", "airos/0123456789ab", ALL)["cmps"][key]
    platform = component["p"]
    assert NEEDED[platform] | {"unique_id"} <= component.keys() <= OPTIONS[platform]
    assert component["unique_id"] == f"airos_0123456789ab_{key}"
    topics = [value for option, value in component.items() if option.endswith("topic")]
    assert all(topic.startswith("airos/0123456789ab/") for topic in topics)


def test_a_state_is_never_longer_than_home_assistant_takes_it() -> None:
    component = discovery("0", "", "airos/0", ALL)["cmps"]["transcript"]
    assert component["value_template"] == "{{ value_json.text[:255] }}"
    assert component["json_attributes_topic"] == component["state_topic"]


def test_what_the_box_has_not_is_taken_away_again() -> None:
    nothing = Offers(words=False, say=False, controls=False, restart=False)
    components = discovery("0", "", "airos/0", nothing)["cmps"]
    assert components["mute"] == {"p": "switch"}
    assert components["volume"] == {"p": "number"}
    assert components["say"] == {"p": "notify"}
    assert components["stop"] == {"p": "button"}
    assert components["restart"] == {"p": "button"}
    assert components["transcript"] == components["answer"] == {"p": "sensor"}
    assert "state_topic" in components["state"]
