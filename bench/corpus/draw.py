"""`python -m bench.corpus.draw`: draws commands.txt and broken.txt anew from what the house listens for.

Each template gives as many sentences as the others, with values drawn evenly, so that what is said
is as broad as what can be said, and not the few sentences one thinks of.
"""

import random
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from airos_edge.home.commands import HouseCommands
from airos_edge.home.demo import demo_house
from airos_edge.home.house import House, VirtualDevices
from airos_edge.home.multilingual import Multilingual
from airos_edge.home.names import number_words
from airos_edge.home.sentences import Sentences, compile_sentences
from airos_edge.home.timers import Timers
from airos_edge.voice.utterance import Judgement

HERE = Path(__file__).parent
SEED = 20261124
PER_TEMPLATE = 8
BROKEN = 120
SPLITS = ("tune", "test")


def main() -> None:
    commands = list(drawn())
    for name, lines in ("commands.txt", commands), ("broken.txt", broken_off(commands)):
        text = "".join(f"{split}\t{text}\n" for split, text in lines)
        (HERE / name).write_text(text, encoding="utf-8")


@cache
def house_commands() -> Multilingual:
    """The demonstration house, as the measure of what a sentence means."""
    house = House(demo_house("en"), VirtualDevices(), publish=lambda event: None)

    async def ring(timer: object) -> None: ...

    return Multilingual([HouseCommands(house_sentences(), house, Timers(ring, 0), datetime.now)])


@cache
def house_sentences() -> Sentences:
    return compile_sentences(
        House(demo_house("en"), VirtualDevices(), publish=lambda event: None), "en"
    )


def drawn() -> Iterator[tuple[str, str]]:
    """Split and sentence. A sentence is in one split only."""
    chance = random.Random(SEED)
    sentences, commands = house_sentences(), house_commands()
    intents = sentences.spoken
    known: set[str] = set()
    for name, intent in sorted(intents.intents.items()):
        for data in intent.data:
            lists = {**intents.slot_lists, **sentences.slot_lists, **data.slot_lists}
            rules = {**intents.expansion_rules, **data.expansion_rules}
            for template in data.sentences:
                for _ in range(PER_TEMPLATE):
                    text = _tidy(_expand(template.expression, lists, rules, chance) or "")
                    if text in known or not sentences.grammar.accepts(text.split()):
                        continue
                    understood = commands.understand(text, None)
                    if understood is not None and understood.intent == name:
                        known.add(text)
                        yield chance.choice(SPLITS), text


def broken_off(commands: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Beginnings of commands, of two words or more, that are no commands themselves."""
    chance, grammar = random.Random(SEED), house_sentences().grammar
    found: dict[str, str] = {}
    while len(found) < BROKEN:
        split, text = chance.choice(commands)
        words = text.split()
        words = words[: chance.randint(2, max(2, len(words) - 1))]
        if grammar.judge(words) is Judgement.PREFIX:
            found.setdefault(" ".join(words), split)
    return [(split, text) for text, split in found.items()]


def _expand(
    expression: Any, lists: Mapping[str, Any], rules: Mapping[str, Any], chance: random.Random
) -> str | None:
    """One of the texts that the expression stands for; None if a list in it is empty."""
    from hassil.expression import (
        Alternative,
        ListReference,
        Permutation,
        RuleReference,
        Sequence,
        TextChunk,
    )
    from hassil.intents import RangeSlotList, TextSlotList

    match expression:
        case TextChunk():
            return str(expression.text)
        case Alternative():
            return _expand(chance.choice(expression.items), lists, rules, chance)
        case Permutation() | Sequence():
            items = list(expression.items)
            if isinstance(expression, Permutation):
                chance.shuffle(items)
            parts = [_expand(item, lists, rules, chance) for item in items]
            joint = " " if isinstance(expression, Permutation) else ""
            return None if None in parts else joint.join(map(str, parts))
        case RuleReference():
            return _expand(rules[expression.rule_name].expression, lists, rules, chance)
        case ListReference():
            match lists.get(expression.list_name):
                case TextSlotList(values=values) if values:
                    return _expand(chance.choice(values).text_in, lists, rules, chance)
                case RangeSlotList() as numbers:
                    span = range(numbers.start, numbers.stop + 1, numbers.step)
                    return number_words(chance.choice(span))
    return None


def _tidy(text: str) -> str:
    return " ".join(re.sub(r"[.,!?]", " ", text.lower()).split())


if __name__ == "__main__":
    main()
