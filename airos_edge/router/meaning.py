"""What a question means where it is not certain what was said, or where it answers what the box asked.

What the box has asked is not remembered: it follows from the history, as what it would ask again.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from airos_edge.router.wording import MOST, as_question, phrases, plain, which
from airos_edge.voice.history import Item

NOT_HEARD = "Sorry, I didn't catch that."
NO_COMMAND = "I only know house commands yet."
GIVEN_UP = "Okay."
YES = ("yes", "yes please", "do it")
NO = ("no", "no thanks")
NOTHING = ""
"""The sentence of an answer that gives up what was asked about."""
ASKED = "asked back"
"""What comes of a sentence where the box asks back. No meaning is equal to it."""
MOST_TIMES = 2
"""How often in a row the box asks back: a room where somebody talks would have it ask for ever."""
LOOK_BACK = 2 * MOST_TIMES + 1
"""Items: as many questions with their answers, and what is said now."""


class Understood(Protocol):
    @property
    def intent(self) -> str: ...
    @property
    def slots(self) -> Mapping[str, Any]: ...
    @property
    def is_effect(self) -> bool: ...
    @property
    def is_grave(self) -> bool:
        """It is not to be done by mistake."""


U = TypeVar("U", bound=Understood)


class House(Protocol[U]):
    """What the house makes of a sentence."""

    def understand(self, text: str, place: str | None) -> U | None: ...
    def meaning(self, understood: U) -> Hashable:
        """Equal for what comes to the same, in whatever words it was said."""

    def answer(self, understood: U, result: str) -> str: ...
    def sorry(self, understood: U) -> str: ...


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said where nothing is done. Of a question, `answers` are the sentences that phrases stand
    for, `times` how often in a row the box has asked by then."""

    text: str
    answers: Mapping[str, str] = field(default_factory=dict)
    times: int = 0

    @property
    def is_no(self) -> bool:
        return self.text in (NOT_HEARD, NO_COMMAND)


@dataclass(frozen=True, slots=True)
class Reading(Generic[U]):
    """One thing that may have been said. `understood` None: no longer what was asked about."""

    said: str
    sentence: str
    understood: U | None


def meant(items: Sequence[Item], house: House[U], place: str | None) -> U | Saying:
    """What the last of these items means, or what is said instead of doing it."""
    talk = [item for item in items if item.role != "system"]
    if talk and talk[-1].kind != "message":
        return Saying(NO_COMMAND)
    if not talk or talk[-1].role != "user" or not (talk[-1].text or "").strip():
        return Saying(NOT_HEARD)
    heard = [item for item in talk[:-1] if item.text or item.role != "user"]  # no cough, no noise
    return _meant([*heard, talk[-1]][-LOOK_BACK:], house, place)


def outcome(item: Item, house: House[U], place: str | None = None) -> Hashable | None:
    """What comes of it by itself: a meaning, ASKED, or None where it is no command."""
    understood = meant([item], house, place)
    if isinstance(understood, Saying):
        return ASKED if understood.answers else None
    return house.meaning(understood)


def _meant(items: Sequence[Item], house: House[U], place: str | None) -> U | Saying:
    *before, item = items
    asked = _asked(before, house, place)
    readings = list(islice(_readings(item, asked, house, place), MOST))
    if not readings:
        return Saying(NO_COMMAND)
    first = readings[0].understood
    if len(readings) == 1 and (first is None or item.sure or not first.is_grave):
        return Saying(GIVEN_UP) if first is None else first
    if asked.times == MOST_TIMES:
        return Saying(NOT_HEARD)
    if len(readings) == 1:
        return _whether(readings[0].sentence, asked.times + 1)
    return _which(readings, asked.times + 1)


def _asked(before: Sequence[Item], house: House[U], place: str | None) -> Saying:
    """What the box has asked of the last of these items, at least the beginning of it; or nothing."""
    if len(before) > 1 and before[-1].role == "assistant" and _is_doubtful(before[-2]):
        saying = _meant(before[:-1], house, place)
        heard = plain(before[-1].text or "")
        if isinstance(saying, Saying) and heard and plain(saying.text).startswith(heard):
            return saying
    return Saying("")


def _is_doubtful(item: Item) -> bool:
    return item.role == "user" and bool(item.text) and (bool(item.alternatives) or not item.sure)


def _readings(
    item: Item, asked: Saying, house: House[U], place: str | None
) -> Iterator[Reading[U]]:
    """All that it may mean, likeliest first; of what comes to the same, the likeliest."""
    found: set[Hashable] = set()
    for text in (item.text or "", *item.alternatives):
        said = text.strip()
        sentence = asked.answers.get(plain(said), said)
        understood = house.understand(sentence, place) if sentence else None
        if understood is None and sentence != NOTHING:
            continue
        meaning = NOTHING if understood is None else house.meaning(understood)
        if meaning not in found:
            found.add(meaning)
            yield Reading(said, sentence, understood)


def _whether(sentence: str, times: int) -> Saying:
    answers = {**dict.fromkeys(YES, sentence), **dict.fromkeys(NO, NOTHING)}
    return Saying(as_question(sentence), answers, times)


def _which(readings: Sequence[Reading[U]], times: int) -> Saying:
    """By the sentences, unless one of them is none: then by what was said."""
    is_a_choice = all(reading.understood is not None for reading in readings)
    names = [reading.sentence if is_a_choice else reading.said for reading in readings]
    answers = dict.fromkeys(NO, NOTHING)
    for reading, name, named in zip(readings, names, phrases(names), strict=True):
        short = named if name == reading.sentence else [*named, plain(name)]
        answers |= dict.fromkeys(short, reading.sentence)
    return Saying(which(names), answers, times)
