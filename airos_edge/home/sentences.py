"""The sentences that are served: Home Assistant's own, for what this house can do, and a few of ours."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airos_edge.errors import ConfigError
from airos_edge.home.house import AreaSettings, DeviceSettings, House
from airos_edge.home.names import can_be_said, forms
from airos_edge.voice.grammar import Grammar, Network

if TYPE_CHECKING:
    from hassil.intents import Intents, SlotList

log = logging.getLogger(__name__)

SERVED: Mapping[str, tuple[str, ...]] = {
    # The intent, and the combinations of slots of it that are understood.
    "HassTurnOn": ("name_only", "area_domain", "domain_only"),
    "HassTurnOff": ("name_only", "area_domain", "domain_only", "domain_all"),
    "HassLightSet": ("name_brightness", "area_brightness", "brightness_only"),
    "HassGetState": ("name_only", "name_state", "domain_state", "domain_state_area"),
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
    "HassCancelAllTimers": ("default",),
    "HassTimerStatus": ("default", "seconds_only", "minutes_only", "hours_only"),
    "HassNevermind": ("default",),
}
_SET = "<timer_set> [a|the|my] timer for"
OWN: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    # What people say, too, in English. The answers are still the package's where it has one.
    "HassTurnOn": (
        {
            # The package's own block for where one is comes before it.
            "sentences": [
                "<turn> on [<the>] lights",
                "<turn> [<the>] lights on",
                "<turn> on <all> (<the> lights|lights)",
                "<turn> <all> (<the> lights|lights) on",
            ],
            "slots": {"domain": "light"},
            "response": "light_all",
        },
    ),
    "HassTurnOff": (
        {
            "sentences": [
                "<turn> (off|out) [<the>] lights",
                "<turn> [<the>] lights (off|out)",
                "<turn> off <all> <the> lights",
                "<turn> <all> <the> lights off",
            ],
            "slots": {"domain": "light"},
            "response": "light_all",
        },
    ),
    "HassLightSet": (
        {
            "sentences": [
                "<numeric_value_set> [<the>] {area} <light> to {brightness}[([ ]%)| percent]"
            ],
            "slots": {"domain": "light"},
            "response": "brightness",
        },
    ),
    "HassGetState": (
        {
            "sentences": [
                "<is> [<the>] <light> {on_off_states:state} <in> [<the>] {area}",
                "<is> [<the>] {area} <light> {on_off_states:state}",
                "<is> [<the>] lights {on_off_states:state}",
            ],
            "slots": {"domain": "light"},
            "response": "any",
        },
    ),
    "HassGetCurrentDate": (
        {"sentences": ["what day is it [today]"], "response": "weekday"},
        {"sentences": ["what date is it [today]"], "response": "default"},
    ),
    "HassStartTimer": (
        {"sentences": [f"{_SET} a minute"], "slots": {"minutes": 1}},
        {"sentences": [f"{_SET} a minute and a half"], "slots": {"minutes": 1, "seconds": 30}},
        {"sentences": [f"{_SET} an hour"], "slots": {"hours": 1}},
        {
            "sentences": [f"{_SET} (an|one) hour and a half"],
            "slots": {"hours": 1, "minutes": 30},
        },
        {
            "sentences": [f"{_SET} an hour and {{timer_minutes:minutes}} minute[s]"],
            "slots": {"hours": 1},
        },
    ),
    "HassTimerStatus": ({"sentences": ["how (much time|long) is left [on (the|my) timer]"]},),
    "AirosStop": ({"sentences": ["stop [talking]", "be quiet"]},),
}
OWN_RESPONSES: Mapping[str, Mapping[str, str]] = {
    "AirosStop": {"default": ""},
    "HassGetCurrentDate": {"weekday": "{{ slots.date.strftime('%A') }}"},
}
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
ENDING_LEFT_OUT = re.compile(r" \[(brightness|today|\[right\] now)\]$")
"""Hardly ever said, and with it no sentence would be known to be whole before it had gone on."""
UNSPOKEN = re.compile(
    r"^[\[{]|^<light>|^fan|activate|illuminate|light up|^timers? |^light |get every|make sure|^nevermind"
    r"|^\(do you know|^<how_is>|\{name\} <light>|\[<the>\] lights"
)
"""Templates that are not listened for, by what they begin with or hold. With "desk lamp
light" no "desk lamp" would be known to be whole; and "turn on the", broken off, is soon taken for
"turn on the lights", which are all the lights of the house."""


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
    """Takes about a fifth of a second. Raises ConfigError for a language that has no sentences.

    The grammar is of English sentences, like our own additions; of any other language, it has none.
    """
    import home_assistant_intents
    from hassil.intents import Intents

    from airos_edge.home.grammar import compile_grammar

    data = home_assistant_intents.get_intents(language)
    if data is None:
        raise ConfigError(f"language: there are no sentences in {language!r}")
    is_english = language.partition("-")[0] == "en"
    own = OWN if is_english else {}
    served = {
        name: {"data": list(_blocks(data["intents"], own, name))} for name in {**SERVED, **own}
    }
    written = {
        **data,
        "intents": {name: blocks for name, blocks in served.items() if blocks["data"]},
    }
    responses = data["responses"]["intents"]
    lists = _slot_lists(house)
    if is_english:
        grammar = compile_grammar(Intents.from_dict(_spoken(written)), lists)
        _warn_of_what_cannot_be_said(house)
    else:
        grammar = Network().grammar()
    return Sentences(
        language,
        Intents.from_dict(written),
        lists,
        {
            **responses,
            **{name: {**responses.get(name, {}), **OWN_RESPONSES[name]} for name in OWN_RESPONSES},
        },
        data["responses"]["errors"],
        grammar,
    )


def _warn_of_what_cannot_be_said(house: House) -> None:
    named: list[AreaSettings | DeviceSettings] = [*house.settings.areas, *house.settings.devices]
    for one in named:
        if not any(can_be_said(name) for name in (one.name, *one.aliases)):
            log.warning(
                "home: %r can be typed but not said; an alias in Latin letters would mend it",
                one.name,
            )


def _blocks(
    intents: Mapping[str, Any], own: Mapping[str, Any], name: str
) -> Iterator[Mapping[str, Any]]:
    for block in intents.get(name, {"data": []})["data"]:
        if _is_served(block, SERVED.get(name, ())):
            yield block
    yield from own.get(name, ())


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
        spoken = ENDING_LEFT_OUT.sub("", VERB_LEFT_OUT.sub(r"<\1>", template))
        spoken = re.sub("^<is>", "is", spoken)  # one device; "are" is heard for "turn"
        spoken = spoken.replace("[(<all>|<the>)]", "[<the>]").replace("[<all>] ", "")
        if not UNSPOKEN.search(spoken):
            yield spoken


def _slot_lists(house: House) -> "dict[str, SlotList]":
    from hassil.intents import TextSlotList

    names = [
        (form, device.name, {"domain": device.domain})
        for device in house.settings.devices
        for name in (device.name, *device.aliases)
        for form in forms(name)
    ]
    areas = [
        (form, area.name)
        for area in house.settings.areas
        for name in (area.name, *area.aliases)
        for form in forms(name)
    ]
    return {
        "name": TextSlotList.from_tuples(names, allow_template=False, name="name"),
        "area": TextSlotList.from_tuples(areas, allow_template=False, name="area"),
    }
