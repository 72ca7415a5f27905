"""The house's sentence templates, compiled to the grammar that its recogniser listens with.

A template is characters with optional parts ("light[s]", "( |-)hour[s]"), a grammar is words. So each
template first becomes a network of text fragments; from every place where a word may begin, the
fragments are followed to the next space or the end, and what they spell is a word.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airos_edge.home.names import WORD, number_words
from airos_edge.voice.grammar import Grammar, Network

if TYPE_CHECKING:
    from hassil.expression import Expression
    from hassil.intents import IntentData, Intents, SlotList

COURTESIES = ("please", "can you", "could you")
"""May come before a sentence. After one they would leave every sentence open to go on."""


def compile_grammar(intents: "Intents", slot_lists: "Mapping[str, SlotList]") -> Grammar:
    """All sentences of the intents that need no context but what is in the lists.

    A value with anything in it that is no word ("%", "TV-2") is left out: it is written, never
    spoken. A name that is not English stays as it is; the recogniser finds its pronunciation.
    """
    network = Network()
    begin = network.state()
    network.arc(network.start, None, begin)
    for courtesy in COURTESIES:
        state = network.start
        words = courtesy.split()
        for place, word in enumerate(words):
            target = begin if place == len(words) - 1 else network.state()
            network.arc(state, word, target)
            state = target
    for intent in intents.intents.values():
        for data in intent.data:
            lists = _lists_for(data, {**intents.slot_lists, **slot_lists, **data.slot_lists})
            for sentence in data.sentences:
                fragments = _Fragments(lists, {**intents.expansion_rules, **data.expansion_rules})
                end = fragments.add(sentence.expression, fragments.start)
                if end is not None:
                    fragments.spell_into(network, begin, end)
    return network.grammar()


def _lists_for(data: "IntentData", lists: "Mapping[str, SlotList]") -> "Mapping[str, SlotList]":
    """The lists without the values that the sentences' `requires_context` rules out."""
    from hassil.intents import TextSlotList

    allowed: dict[str, Any] = {
        key: wanted for key, wanted in (data.requires_context or {}).items() if key != "area"
    }
    if not allowed:
        return lists

    def fits(context: Mapping[str, Any] | None) -> bool:
        return all(
            (context or {}).get(key) in (wanted if isinstance(wanted, list | set) else [wanted])
            for key, wanted in allowed.items()
        )

    names = lists.get("name")
    if not isinstance(names, TextSlotList):
        return lists
    return {**lists, "name": TextSlotList("name", [v for v in names.values if fits(v.context)])}


class _Fragments:
    """One template as a network of text fragments; " " is the end of a word."""

    def __init__(self, lists: "Mapping[str, SlotList]", rules: Mapping[str, Any]) -> None:
        self.start = 0
        self._lists = lists
        self._rules = rules
        self._arcs: list[list[tuple[str, int]]] = [[]]

    def add(self, expression: "Expression", source: int) -> int | None:
        """Adds what the expression may say after `source`; gives its end, None if it can say nothing."""
        from hassil.expression import (
            Alternative,
            ListReference,
            Permutation,
            RuleReference,
            Sequence,
            TextChunk,
        )

        match expression:
            case TextChunk():
                return self._text(expression.text, source)
            case Alternative():
                return self._any(expression.items, source)
            case Permutation():
                return self._permuted(list(expression.items), source)
            case Sequence():
                return self._all(expression.items, source)
            case RuleReference():
                return self.add(self._rules[expression.rule_name].expression, source)
            case ListReference():
                return self._any(list(_values(self._lists.get(expression.list_name))), source)
            case _:
                return None

    def spell_into(self, network: Network, begin: int, end: int) -> None:
        """Adds the words that the fragments spell, from `begin` of the network to its end."""
        reached = {self.start: begin}
        waiting = [self.start]
        while waiting:
            place = waiting.pop()
            for word, after in self._words(place, end):
                if after is None:
                    network.arc(reached[place], word or None, network.final)
                    continue
                if after not in reached:
                    reached[after] = network.state()
                    waiting.append(after)
                network.arc(reached[place], word or None, reached[after])

    def _words(self, place: int, end: int) -> Iterator[tuple[str, int | None]]:
        """Each word that can begin here, and the place after its space; None: the sentence ends."""
        waiting = [(place, "")]
        seen = set()
        while waiting:
            at, spelled = waiting.pop()
            if (at, spelled) in seen:
                continue
            seen.add((at, spelled))
            if at == end and (not spelled or WORD.fullmatch(spelled)):
                yield spelled, None
            for fragment, target in self._arcs[at]:
                if fragment != " ":
                    waiting.append((target, spelled + fragment))
                elif not spelled or WORD.fullmatch(spelled):
                    yield spelled, target

    def _state(self) -> int:
        self._arcs.append([])
        return len(self._arcs) - 1

    def _step(self, source: int, fragment: str) -> int:
        target = self._state()
        self._arcs[source].append((fragment, target))
        return target

    def _text(self, text: str, source: int) -> int:
        for fragment in re.findall(r"\s+|\S+", text.lower()):
            source = self._step(source, " " if fragment.isspace() else fragment.strip(".,!?"))
        return source

    def _all(self, items: "list[Expression]", source: int | None) -> int | None:
        for item in items:
            if source is None:
                return None
            source = self.add(item, source)
        return source

    def _any(self, items: "list[Expression]", source: int) -> int | None:
        ends = [end for item in items if (end := self.add(item, source)) is not None]
        return self._join(ends)

    def _permuted(self, items: "list[Expression]", source: int) -> int | None:
        if len(items) == 1:
            return self.add(items[0], source)
        ends = []
        for place, item in enumerate(items):
            middle = self.add(item, source)
            if middle is not None:
                spaced = self._step(middle, " ")
                ends.append(self._permuted(items[:place] + items[place + 1 :], spaced))
        return self._join([end for end in ends if end is not None])

    def _join(self, ends: list[int]) -> int | None:
        if not ends:
            return None
        joined = self._state()
        for end in ends:
            self._arcs[end].append(("", joined))
        return joined


def _values(slot_list: "SlotList | None") -> "Iterator[Expression]":
    """What a list's values are called. Of a list of anything at all, nothing can be listened for."""
    from hassil.expression import TextChunk
    from hassil.intents import RangeSlotList, TextSlotList

    if isinstance(slot_list, TextSlotList):
        yield from (value.text_in for value in slot_list.values)
    elif isinstance(slot_list, RangeSlotList):
        yield from (
            TextChunk(number_words(int(n)))
            for n in range(slot_list.start, slot_list.stop + 1, slot_list.step)
        )
