"""How it is asked which of some sentences was said, and by which phrases the answer may name one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from airos_edge.languages.phrases import ENGLISH, Phrases

NUMBERS = {
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
    *("hundred",),
}
UNITS = {"second", "seconds", "minute", "minutes", "hour", "hours", "percent"}
ON_OFF = {"on", "off", "out"}
ARTICLES = {"the", "a", "an", "my"}
ENDS = ".!? 。！？¡¿"
MOST = 3
"""Of more than so many nobody remembers the first."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a sentence differs from the others: its words there, what stood before, what follows."""

    before: tuple[str, ...]
    words: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def noun(self) -> tuple[str, ...]:
        """The word that those are of: five *minutes*, the desk *lamp*."""
        first, *more = self.after or ("",)
        is_noun = first and first not in ON_OFF and (first in UNITS or not more)
        return (first,) if is_noun else ()


def plain(text: str) -> str:
    """The words alone, by which phrases are compared."""
    return " ".join(re.findall(r"[\w']+|%", text.lower().replace("’", "'")))


def as_question(sentence: str, says: Phrases) -> str:
    return says.whether.format(sentence=f"{sentence[:1].upper()}{sentence[1:].strip(ENDS)}")


def which(sentences: Sequence[str], says: Phrases) -> str:
    """ "Five or nine minutes?" where they differ in one thing, or else "Did you say X, or Y?". What of a
    sentence belongs together is known of English ones."""
    stretches = _stretches(sentences) if says.language == ENGLISH else []
    if stretches and all(stretch.before for stretch in stretches):
        *most, last = [" ".join(stretch.words) for stretch in stretches]
        if not any(ARTICLES.intersection(stretch.words) for stretch in stretches):
            noun = " ".join(("", *stretches[0].noun))
            return as_question(f"{', '.join(most)} or {last}{noun}", says)
    *most, last = [sentence.strip(ENDS) for sentence in sentences]
    return says.which.format(most=", ".join(most), last=last)


def names_of(sentences: Sequence[str], says: Phrases) -> list[list[str]]:
    """For each sentence the phrases that name it and no other."""
    named = [list(says.places[place]) for place in range(len(sentences))]
    for names, stretch in zip(named, _stretches(sentences), strict=False):
        names += _names(stretch)
    return [
        [name for name in names if sum(name in others for others in named) == 1] for names in named
    ]


def _names(stretch: Stretch) -> list[str]:
    """ "Nine", "nine minutes", and of things "the desk lamp", too."""
    number = tuple(takewhile(NUMBERS.__contains__, stretch.words))
    short = dict.fromkeys((stretch.words, (*stretch.words, *stretch.noun), number))
    names = [" ".join(words) for words in short if words]
    is_thing = stretch.before[-1:] == ("the",)
    return [*names, *(f"the {name}" for name in names if is_thing)]


def _stretches(sentences: Sequence[str]) -> list[Stretch]:
    """Where each differs from the others; empty where one of them has nothing there.

    Neither a number nor what it counts is taken apart: "twenty five" and "twenty nine" differ as a whole.
    """
    words = [tuple(plain(sentence).split()) for sentence in sentences]
    shortest = min(map(len, words))
    first = _same(words, shortest)
    last = _same([each[::-1] for each in words], shortest - first)
    while first and words[0][first - 1] in NUMBERS | UNITS:
        first -= 1
    while last and words[0][-last] in NUMBERS:
        last -= 1
    stretches = [
        Stretch(each[:first], each[first : len(each) - last], each[len(each) - last :])
        for each in words
    ]
    return stretches if all(stretch.words for stretch in stretches) else []


def _same(words: Sequence[tuple[str, ...]], most: int) -> int:
    """How many words, at the most so many, all begin with."""
    count = 0
    while count < most and len({each[count] for each in words}) == 1:
        count += 1
    return count
