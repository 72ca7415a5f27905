"""Reading what lights and switches say of themselves by MQTT discovery.

The options are those of https://www.home-assistant.io/integrations/light.mqtt/ and …/switch.mqtt/,
default and JSON schema; the abbreviations, those of its discovery page.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from airos_edge.home.announcement import (
    Announcement,
    Availability,
    Brightness,
    Reading,
    mapping,
    number,
    object_of,
    written,
)
from airos_edge.home.house import DeviceSettings

ABBREVIATIONS = {
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "bri_cmd_t": "brightness_command_topic",
    "bri_cmd_tpl": "brightness_command_template",
    "bri_scl": "brightness_scale",
    "bri_stat_t": "brightness_state_topic",
    "bri_val_tpl": "brightness_value_template",
    "cmd_t": "command_topic",
    "cmps": "components",
    "dev": "device",
    "en": "enabled_by_default",
    "ent_cat": "entity_category",
    "o": "origin",
    "on_cmd_type": "on_command_type",
    "opt": "optimistic",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "ret": "retain",
    "sa": "suggested_area",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "stat_val_tpl": "state_value_template",
    "sup_clrm": "supported_color_modes",
    "t": "topic",
    "val_tpl": "value_template",
}
"""Of all that there are, those of the options that are read here."""
TEMPLATE = re.compile(r"""\{\{-?\s*value_json(?:\.(\w+)|\[\s*['"]([^'"]+)['"]\s*\])\s*-?\}\}""")
"""The one that can be followed without a template engine, which should not run what strangers send."""
PLAIN = re.compile(r"\{\{-?\s*value\s*-?\}\}")
LONGEST_NAME = 80
LONGEST_TOPIC = 1000
MOST_AVAILABILITIES = 16
BRIGHTNESS_SCALE = 255
SHARED = {
    *("device", "origin", "command_topic", "state_topic", "payload_available"),
    *("payload_not_available", "availability", "availability_mode"),
    *("availability_topic", "availability_template"),
}
"""What a device may say once for all its components."""

Options = Mapping[str, Any]


class Unusable(ValueError):
    """What was announced cannot be used; the text says why."""


def read_single(component: str, text: str) -> Announcement | None:
    """Of `<prefix>/light/…/config`. None: it is nothing to talk to, such as a setting of a device.

    Raises Unusable.
    """
    return _announcement(component, _expanded(object_of(text)))


def read_device(text: str) -> Iterator[tuple[str, Announcement | Unusable]]:
    """Of `<prefix>/device/…/config`: its lights and switches, by their key. Raises Unusable."""
    whole = _expanded(object_of(text))
    components = whole.get("components")
    if not isinstance(components, Mapping):
        raise Unusable("it has no components")
    common = {key: value for key, value in whole.items() if key in SHARED}
    for key, component in components.items():
        own = _expanded(mapping(component))
        if not own.keys() - {"platform"}:
            continue  # a component that was there, and is taken away
        try:
            found = _announcement(str(own.get("platform")), {**common, **own})
        except Unusable as error:
            yield key, error
            continue
        if found is not None:
            yield key, found


def _announcement(component: str, options: Options) -> Announcement | None:
    is_ours = mapping(options.get("origin")).get("name") == "airos-edge"
    is_hidden = options.get("entity_category") or options.get("enabled_by_default") is False
    if component not in ("light", "switch") or is_ours or is_hidden:
        return None
    schema = str(options.get("schema", "default")) if component == "light" else "default"
    if schema not in ("default", "json", "basic"):
        raise Unusable(f"its schema, {schema[:LONGEST_NAME]!r}, is not known here")
    is_json = schema == "json"
    payload_on = written(options.get("payload_on", "ON"))
    payload_off = written(options.get("payload_off", "OFF"))
    template = options.get("state_value_template", options.get("value_template"))
    state = _state(options, "{{ value_json.state }}" if is_json else template)
    return Announcement(
        device=_device(component, options),
        command_topic=_topic(options, "command_topic"),
        is_json=is_json,
        payload_on=payload_on,
        payload_off=payload_off,
        state=state,
        is_optimistic=state is None or options.get("optimistic") is True,
        state_on="ON" if is_json else written(options.get("state_on", payload_on)),
        state_off="OFF" if is_json else written(options.get("state_off", payload_off)),
        brightness=_brightness(options, is_json) if component == "light" else None,
        availability=tuple(_availability(options)),
        availability_mode=_mode(options),
        retain=options.get("retain") is True,
    )


def _device(component: str, options: Options) -> DeviceSettings:
    """Named as Home Assistant does: by the device, by what it is of it, or by both."""
    device = mapping(options.get("device"))
    whole, part = (" ".join(_text(each.get("name")).split()) for each in (device, options))
    name = part if part.lower().startswith(whole.lower()) else f"{whole} {part}".strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Unusable(f"its name, {name[:LONGEST_NAME]!r}, is no name to say")
    area = " ".join(_text(device.get("suggested_area")).split())
    if len(area) > LONGEST_NAME or not area.isprintable():
        area = ""
    return DeviceSettings(name, "light" if component == "light" else "switch", area or None)


def _state(options: Options, template: Any) -> Reading | None:
    return _reading(options["state_topic"], template) if "state_topic" in options else None


def _reading(topic: Any, template: Any) -> Reading | None:
    """None for a template that is more than a key."""
    if template is None or PLAIN.fullmatch(_text(template).strip()):
        return Reading(_valid(topic))
    found = TEMPLATE.fullmatch(_text(template).strip())
    return Reading(_valid(topic), found[1] or found[2]) if found else None


def _brightness(options: Options, is_json: bool) -> Brightness | None:
    scale = number(options.get("brightness_scale", BRIGHTNESS_SCALE))
    if scale is None or scale < 1:
        raise Unusable("its brightness_scale is no number")
    if is_json:
        modes = options.get("supported_color_modes")
        is_dimmed = isinstance(modes, list) and modes != ["onoff"]
        if not is_dimmed and options.get("brightness") is not True:
            return None
        state = _state(options, "{{ value_json.brightness }}")
        return Brightness("", state, round(scale))
    if "brightness_command_topic" not in options or "brightness_command_template" in options:
        return None
    topic = options.get("brightness_state_topic")
    reading = topic and _reading(topic, options.get("brightness_value_template"))
    order = options.get("on_command_type", "last")
    return Brightness(
        _topic(options, "brightness_command_topic"),
        reading or None,
        round(scale),
        order if order in ("first", "brightness") else "last",
    )


def _availability(options: Options) -> Iterator[Availability]:
    listed = options.get("availability", [])
    each = listed if isinstance(listed, list) else [listed]
    if "availability_topic" in options:
        topic, template = options["availability_topic"], options.get("availability_template")
        each = [{**options, "topic": topic, "value_template": template}]
    if len(each) > MOST_AVAILABILITIES:
        raise Unusable(f"it has {len(each)} topics of its availability")
    for one in each:
        one = _expanded(mapping(one))
        reading = _reading(one.get("topic"), one.get("value_template"))
        if reading is None:
            raise Unusable("the template of its availability is more than a key")
        yield Availability(
            reading,
            written(one.get("payload_available", "online")),
            written(one.get("payload_not_available", "offline")),
        )


def _mode(options: Options) -> Literal["all", "any", "latest"]:
    mode = options.get("availability_mode")
    return mode if mode in ("all", "any") else "latest"


def _expanded(options: Mapping[Any, Any]) -> dict[str, Any]:
    """Abbreviations written out, in the device too, and `~` put where it stands in topics. One that is
    longer than a topic is not: it may stand in thousands."""
    base = options.get("~")
    if isinstance(base, str) and len(base) > LONGEST_TOPIC:
        base = None
    full = {}
    for key, value in options.items():
        key = ABBREVIATIONS.get(str(key), str(key))
        if key.endswith("topic") and isinstance(value, str) and isinstance(base, str):
            value = base + value[1:] if value.startswith("~") else value
            value = value[:-1] + base if value.endswith("~") else value
        elif key in ("device", "origin") and isinstance(value, Mapping):
            value = _expanded(value)
        elif key == "availability" and isinstance(base, str):
            each = value if isinstance(value, list) else [value]
            value = [_expanded({"~": base, **mapping(one)}) for one in each]
        full[key] = value
    return full


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _topic(options: Options, key: str) -> str:
    if key not in options:
        raise Unusable(f"it has no {key}")
    return _valid(options[key])


def _valid(topic: Any) -> str:
    """One that the broker would refuse would cost the connection."""
    is_one = isinstance(topic, str) and 0 < len(topic) <= LONGEST_TOPIC and topic.isprintable()
    if not is_one or {"+", "#"} & set(topic):
        raise Unusable(f"{topic!r:.80} is no topic")
    return str(topic)
