"""The sentences that are served: Home Assistant's own, for what this house can do, and a few of ours.

Written, all of them are understood; listened for are those that people say (`english.py`). What other
languages add is in their files (`languages/de.yaml`).
"""

import logging
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from airos_edge.errors import ConfigError
from airos_edge.home.english import (
    OWN,
    OWN_RESPONSES,
    SPOKEN_FORMS,
    SPOKEN_RULES,
    UNSPOKEN,
)
from airos_edge.home.house import AreaSettings, DeviceSettings, House
from airos_edge.home.names import can_be_said, forms
from airos_edge.home.writing import folded, folded_sentences, is_chinese
from airos_edge.languages.phrases import ENGLISH, contents, languages
from airos_edge.voice.grammar import Grammar, Network
from airos_edge.voice.tags import nearest

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
DOMAINS = {"light", "switch", "fan"}


@dataclass(frozen=True, slots=True)
class Sentences:
    """What is understood in writing, what of it is listened for and its grammar, and the answers' templates."""

    language: str
    """As Home Assistant writes its tag."""
    intents: "Intents"
    spoken: "Intents"
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

    tag = tag_of(language)
    data = home_assistant_intents.get_intents(tag)
    assert data is not None
    if is_chinese(tag):
        data = folded_sentences(data)
    is_english = tag == "en"
    own = OWN if is_english else _own(language)
    served = {
        name: {"data": list(_blocks(data["intents"], own, name))} for name in {**SERVED, **own}
    }
    written = {
        **data,
        "intents": {name: blocks for name, blocks in served.items() if blocks["data"]},
    }
    responses = data["responses"]["intents"]
    lists = _slot_lists(house, tag)
    if is_english:
        spoken = Intents.from_dict(
            _spoken(written, {device.domain for device in house.settings.devices})
        )
        _warn_of_what_cannot_be_said(house)
    else:
        spoken = Intents.from_dict({**data, "intents": {}})
    return Sentences(
        tag,
        Intents.from_dict(written),
        spoken,
        lists,
        {
            **responses,
            **{name: {**responses.get(name, {}), **OWN_RESPONSES[name]} for name in OWN_RESPONSES},
        },
        data["responses"]["errors"],
        compile_grammar(spoken, lists) if is_english else Network().grammar(),
    )


def tag_of(language: str, option: str = "language") -> str:
    """What Home Assistant calls the language: of "de-AT" that is "de", of "zh" "zh-CN".

    Raises ConfigError, about that option, for one that has no sentences.
    """
    from home_assistant_intents import get_languages

    known = sorted(get_languages())
    tag = nearest(language, known)
    if tag is None:
        near = get_close_matches(language, known, n=3)
        hint = f"try {' or '.join(near or ['en', 'de', 'fr'])}"
        hint += "" if near else "; docs/languages.md names them all"
        raise ConfigError(f"{option}: there are no sentences in {language!r}; {hint}")
    return tag


def share_of(language: str) -> tuple[int, int]:
    """How many of the intents that are served can be asked for in the language, and how many there are.

    An intent counts by the combinations of its slots that it is understood with: half of them is half of it,
    rounded down. Raises ConfigError as `tag_of` does.
    """
    from home_assistant_intents import get_intents

    data = get_intents(tag_of(language)) or {"intents": {}}
    shares = 0.0
    for name, combinations in SERVED.items():
        blocks = data["intents"].get(name, {"data": []})["data"]
        found = {
            block["metadata"]["slot_combination"]
            for block in blocks
            if _is_served(block, combinations)
        }
        shares += len(found) / len(combinations)
    return int(shares + 1e-9), len(SERVED)


def _own(language: str) -> Mapping[str, Any]:
    tag = nearest(language, languages())
    own: Mapping[str, Any] = contents(tag).get("sentences", {}) if tag else {}
    return folded_sentences({"intents": own})["intents"] if is_chinese(language) else own


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


def _spoken(written: Mapping[str, Any], present: Set[str]) -> dict[str, Any]:
    """What is listened for in a house with devices of these domains; of lights one may always ask."""
    intents = {}
    for name, intent in written["intents"].items():
        blocks = []
        for block in intent["data"]:
            sentences = list(_spoken_templates(block["sentences"]))
            is_there = block.get("slots", {}).get("domain", "light") in {"light", *present}
            if sentences and is_there and "area" not in block.get("requires_context", {}):
                blocks.append({**block, "sentences": sentences})
        intents[name] = {"data": blocks}
    return {
        **written,
        "intents": intents,
        "expansion_rules": {**written["expansion_rules"], **SPOKEN_RULES},
    }


def _spoken_templates(templates: list[str]) -> Iterator[str]:
    for template in templates:
        spoken = template
        for written, said in SPOKEN_FORMS:
            spoken = re.sub(written, said, spoken)
        if not UNSPOKEN.search(spoken):
            yield spoken


def _slot_lists(house: House, tag: str) -> "dict[str, SlotList]":
    from hassil.intents import TextSlotList

    def ways(name: str) -> Iterator[str]:
        yield from dict.fromkeys(folded(form, tag) for form in (*forms(name), *_counted(name, tag)))

    names = [
        (form, device.name, {"domain": device.domain})
        for device in house.settings.devices
        for name in (device.name, *device.aliases)
        for form in ways(name)
    ]
    areas = [
        (form, area.name)
        for area in house.settings.areas
        for name in (area.name, *area.aliases)
        for form in ways(name)
    ]
    return {
        "name": TextSlotList.from_tuples(names, allow_template=False, name="name"),
        "area": TextSlotList.from_tuples(areas, allow_template=False, name="area"),
    }


def _counted(name: str, tag: str) -> Iterator[str]:
    """The name with its numbers as words, which a recogniser may write: "Lampe zwei" for "Lampe 2"."""
    if tag == ENGLISH or not any(sign.isdecimal() for sign in name):
        return
    from hassil.numbers import get_rbnf_engine

    engine = get_rbnf_engine(tag)
    yield re.sub(r"\d{1,2}(?!\d)", lambda found: engine.format_number(int(found[0])).text, name)
