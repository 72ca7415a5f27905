"""The sentences that are served: Home Assistant's own, for what this house can do, and a few of ours."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airos_edge.errors import ConfigError
from airos_edge.home.house import House
from airos_edge.voice.grammar import Grammar

if TYPE_CHECKING:
    from hassil.intents import Intents, SlotList

SERVED: Mapping[str, tuple[str, ...]] = {
    # The intent, and the combinations of slots of it that are understood.
    "HassTurnOn": ("name_only", "area_domain", "domain_only"),
    "HassTurnOff": ("name_only", "area_domain", "domain_only", "domain_all"),
    "HassLightSet": ("name_brightness", "area_brightness", "brightness_only"),
    "HassGetState": ("name_state", "domain_state", "domain_state_area"),
    "HassGetCurrentTime": ("default",),
    "HassGetCurrentDate": ("default",),
    "HassStartTimer": (
        "seconds_only",
        "minutes_only",
        "hours_only",
        "minutes_seconds",
        "hours_minutes",
    ),
    "HassCancelTimer": ("default", "seconds_only", "minutes_only", "hours_only"),
    "HassTimerStatus": ("default",),
    "HassNevermind": ("default",),
}
OWN: Mapping[str, Mapping[str, Any]] = {
    "HassStartTimer": {
        "data": [
            {
                "sentences": ["<timer_set> [a|the|my] timer for (an|one) hour and a half"],
                "slots": {"hours": 1, "minutes": 30},
                "response": "default",
            }
        ]
    },
    "AirosStop": {
        "data": [{"sentences": ["stop", "(stop|be) (talking|quiet)"], "response": "default"}],
    },
}
OWN_RESPONSES = {"AirosStop": {"default": ""}}
DOMAINS = {"light", "switch", "fan"}
SPOKEN_RULES = {
    # What people say of what they might write. A recogniser mistakes rare words for common ones, so
    # each word that it listens for and nobody says costs accuracy.
    "the": "the",
    "all": "all",
    "in": "in",
    "light": "(light|lights)",
    "turn": "(turn|switch)",
    "home": "house",
    "everywhere": "everywhere",
    "here": "here",
    "which": "(which|what)",
    "any": "any",
    "is": "(is|are)",
    "what_is": "(what's|what is|tell me)",
    "timer_set": "(set|start)",
    "timer_cancel": "(cancel|stop)",
    "numeric_value_set": "(set|change|turn)",
}
VERB_LEFT_OUT = re.compile(r"^\[<(turn|numeric_value_set|timer_set)>\]")
"""Written, "kitchen light on" will do; spoken, a sentence without its verb is mostly something else."""
UNSPOKEN = re.compile(
    r"^[\[{]|^<light>|^fan|activate|illuminate|light up|^timers? |^light |get every|make sure|^nevermind"
)
"""Templates that are not listened for, by what they begin with or hold."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """What is understood in writing, the grammar of what is listened for, and the answers' templates."""

    language: str
    intents: "Intents"
    slot_lists: "Mapping[str, SlotList]"
    responses: Mapping[str, Mapping[str, str]]
    errors: Mapping[str, str]
    grammar: Grammar


def compile_sentences(house: House, language: str) -> Sentences:
    """Takes about a fifth of a second. Raises ConfigError for a language that has no sentences."""
    import home_assistant_intents
    from hassil.intents import Intents

    from airos_edge.home.grammar import compile_grammar

    data = home_assistant_intents.get_intents(language)
    if data is None:
        raise ConfigError(f"language: there are no sentences in {language!r}")
    served = {name: {"data": list(_blocks(data["intents"], name))} for name in {**SERVED, **OWN}}
    written = {
        **data,
        "intents": {name: blocks for name, blocks in served.items() if blocks["data"]},
    }
    lists = _slot_lists(house)
    return Sentences(
        language,
        Intents.from_dict(written),
        lists,
        {**data["responses"]["intents"], **OWN_RESPONSES},
        data["responses"]["errors"],
        compile_grammar(Intents.from_dict(_spoken(written)), lists),
    )


def _blocks(intents: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    for block in intents.get(name, {"data": []})["data"]:
        if _is_served(block, SERVED.get(name, ())):
            yield block
    yield from OWN.get(name, {"data": []})["data"]


def _is_served(block: Mapping[str, Any], combinations: tuple[str, ...]) -> bool:
    if block["metadata"]["slot_combination"] not in combinations:
        return False
    needed = block.get("requires_context", {}).get("domain")
    domain = block.get("slots", {}).get("domain")
    return (needed is None or bool(DOMAINS & set(needed))) and (domain is None or domain in DOMAINS)


def _spoken(written: Mapping[str, Any]) -> dict[str, Any]:
    intents = {}
    for name, intent in written["intents"].items():
        blocks = []
        for block in intent["data"]:
            sentences = list(_spoken_templates(block["sentences"]))
            if sentences and "area" not in block.get("requires_context", {}):
                blocks.append({**block, "sentences": sentences})
        intents[name] = {"data": blocks}
    return {
        **written,
        "intents": intents,
        "expansion_rules": {**written["expansion_rules"], **SPOKEN_RULES},
    }


def _spoken_templates(templates: list[str]) -> Iterator[str]:
    for template in templates:
        spoken = VERB_LEFT_OUT.sub(r"<\1>", template)
        spoken = re.sub("^<is>", "is", spoken)  # one device; "are" is heard for "turn"
        spoken = spoken.replace("[(<all>|<the>)]", "[<the>]").replace("[<all>] ", "")
        if not UNSPOKEN.search(spoken):
            yield spoken


def _slot_lists(house: House) -> "dict[str, SlotList]":
    from hassil.intents import TextSlotList

    names = [
        (name, device.name, {"domain": device.domain})
        for device in house.settings.devices
        for name in (device.name, *device.aliases)
    ]
    areas = [
        (name, area.name) for area in house.settings.areas for name in (area.name, *area.aliases)
    ]
    return {
        "name": TextSlotList.from_tuples(names, allow_template=False, name="name"),
        "area": TextSlotList.from_tuples(areas, allow_template=False, name="area"),
    }
