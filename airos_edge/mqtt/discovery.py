"""What the box says of itself to Home Assistant: one device with its entities.

The keys are those of Home Assistant's MQTT discovery for devices, https://www.home-assistant.io/integrations/mqtt/.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airos_edge import __version__

ORIGIN = "airos-edge"
"""How a box knows that an announcement is one of its own kind's, and no lamp."""
STATES = ("idle", "listening", "processing", "responding", "error", "muted")
LONGEST_STATE = 255
"""Characters; Home Assistant refuses a longer state. The whole text is among the attributes."""

Component = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offers:
    """What this box has to offer by now: the words, a loudspeaker to speak on, that or a microphone to
    control, a restart."""

    words: bool
    say: bool
    controls: bool
    restart: bool


def discovery(identity: str, name: str, base: str, offers: Offers) -> dict[str, Any]:
    """The payload. What is not offered is named without its options, which takes it away again."""
    components = {
        **_states(base),
        **_shown(_words(base), offers.words),
        **_shown(_say(base), offers.say),
        **_shown(_controls(base), offers.controls),
        **_shown(_restart(base), offers.restart),
    }
    for key, component in components.items():
        if len(component) > 1:
            components[key] = {**component, "unique_id": f"airos_{identity}_{key}"}
    return {
        "dev": {
            "identifiers": [f"airos_{identity}"],
            "name": name,
            "manufacturer": "Airos Edge",
            "model": "Airos Edge",
            "sw_version": __version__,
        },
        "o": {"name": ORIGIN, "sw_version": __version__},
        "availability": [{"topic": f"{base}/availability"}],
        "cmps": components,
    }


def _shown(components: dict[str, Component], is_offered: bool) -> dict[str, Component]:
    if is_offered:
        return components
    return {key: {"p": component["p"]} for key, component in components.items()}


def _states(base: str) -> dict[str, Component]:
    return {
        "state": {
            "p": "sensor",
            "name": "State",
            "device_class": "enum",
            "options": list(STATES),
            "state_topic": f"{base}/state",
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": f"{base}/state",
        },
        "wake": {
            "p": "event",
            "name": "Wake word",
            "event_types": ["wake"],
            "state_topic": f"{base}/wake",
        },
        "latency": {
            "p": "sensor",
            "name": "Latency",
            "device_class": "duration",
            "state_class": "measurement",
            "unit_of_measurement": "ms",
            "entity_category": "diagnostic",
            "state_topic": f"{base}/latency",
            "value_template": "{{ value_json.ms }}",
            "json_attributes_topic": f"{base}/latency",
        },
        "left": {
            "p": "sensor",
            "name": "Left the box",
            "device_class": "enum",
            "options": ["nothing", "lan", "internet"],
            "entity_category": "diagnostic",
            "state_topic": f"{base}/left",
        },
    }


def _words(base: str) -> dict[str, Component]:
    return {
        key: {
            "p": "sensor",
            "name": key.capitalize(),
            "state_topic": f"{base}/{key}",
            "value_template": f"{{{{ value_json.text[:{LONGEST_STATE}] }}}}",
            "json_attributes_topic": f"{base}/{key}",
        }
        for key in ("transcript", "answer")
    }


def _say(base: str) -> dict[str, Component]:
    return {"say": {"p": "notify", "name": "Say", "command_topic": f"{base}/cmd/say"}}


def _controls(base: str) -> dict[str, Component]:
    return {
        "mute": {
            "p": "switch",
            "name": "Mute",
            "state_topic": f"{base}/mute",
            "command_topic": f"{base}/mute/set",
        },
        "volume": {
            "p": "number",
            "name": "Volume",
            "min": 0,
            "max": 100,
            "unit_of_measurement": "%",
            "state_topic": f"{base}/volume",
            "command_topic": f"{base}/volume/set",
        },
        "stop": {"p": "button", "name": "Stop", "command_topic": f"{base}/cmd/stop"},
    }


def _restart(base: str) -> dict[str, Component]:
    return {
        "restart": {
            "p": "button",
            "name": "Restart",
            "device_class": "restart",
            "entity_category": "config",
            "command_topic": f"{base}/cmd/restart",
        }
    }
