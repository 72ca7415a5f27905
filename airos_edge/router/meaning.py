"""What a question means where it is not certain what was said, or where it answers what the box asked.

What the box has asked is not remembered: it follows from the history, as what it would ask again.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, Literal, Protocol, TypeVar

from airos_edge.languages.phrases import ENGLISH, Phrases, phrases
from airos_edge.router.wording import MOST, as_question, names_of, plain, which
from airos_edge.voice.history import Item

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
    def language(self) -> str:
        """In which it was said, and is answered."""

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

    def understand(self, text: str, place: str | None, language: str | None) -> U | None:
        """`language`: the one that was heard, where that is known."""

    def meaning(self, understood: U) -> Hashable:
        """Equal for what comes to the same, in whatever words it was said."""

    def answer(self, understood: U, result: str) -> str: ...
    def sorry(self, understood: U) -> str: ...


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said where nothing is done. Of a question, `answers` are the sentences that phrases stand
    for, `times` how often in a row the box has asked by then. `why`: of a no, what it is about."""

    text: str
    language: str = ENGLISH
    answers: Mapping[str, str] = field(default_factory=dict)
    times: int = 0
    why: Literal["not heard", "no command"] | None = None


@dataclass(frozen=True, slots=True)
class Reading(Generic[U]):
    """One thing that may have been said. `understood` None: no longer what was asked about."""

    said: str
    sentence: str
    understood: U | None


def meant(
    items: Sequence[Item], house: House[U], place: str | None, language: str = ENGLISH
) -> U | Saying:
    """What the last of these items means, or what is said instead of doing it: in the language that it was
    heard in, or where that is not known, in `language`."""
    talk = [item for item in items if item.role != "system"]
    says = phrases((talk[-1].language if talk else None) or language)
    if talk and talk[-1].kind != "message":
        return no_command(says)
    if not talk or talk[-1].role != "user" or not (talk[-1].text or "").strip():
        return _not_heard(says)
    heard = [item for item in talk[:-1] if item.text or item.role != "user"]  # no cough, no noise
    return _meant([*heard, talk[-1]][-LOOK_BACK:], _Listener(house, place, language))


def no_command(says: Phrases) -> Saying:
    return Saying(says.no_command, says.language, why="no command")


def _not_heard(says: Phrases) -> Saying:
    return Saying(says.not_heard, says.language, why="not heard")


def outcome(
    item: Item, house: House[U], place: str | None = None, language: str = ENGLISH
) -> Hashable | None:
    """What comes of it by itself: a meaning, ASKED, or None where it is no command."""
    understood = meant([item], house, place, language)
    if isinstance(understood, Saying):
        return ASKED if understood.answers else None
    return house.meaning(understood)


@dataclass(frozen=True, slots=True)
class _Listener(Generic[U]):
    """Who makes something of what was said, and where: `language` is the box's own."""

    house: House[U]
    place: str | None
    language: str

    def understand(self, sentence: str, item: Item) -> U | None:
        return self.house.understand(sentence, self.place, item.language)

    def phrases(self, item: Item) -> Phrases:
        return phrases(item.language or self.language)


def _meant(items: Sequence[Item], listener: _Listener[U]) -> U | Saying:
    *before, item = items
    asked, says = _asked(before, listener), listener.phrases(item)
    readings = list(islice(_readings(item, asked, listener), MOST))
    if not readings:
        return no_command(says)
    first = readings[0].understood
    if len(readings) == 1 and (first is None or item.sure or not first.is_grave):
        return Saying(says.given_up, says.language) if first is None else first
    if asked.times == MOST_TIMES:
        return _not_heard(says)
    if len(readings) == 1:
        return _whether(readings[0].sentence, asked.times + 1, says)
    return _which(readings, asked.times + 1, says)


def _asked(before: Sequence[Item], listener: _Listener[U]) -> Saying:
    """What the box has asked of the last of these items, at least the beginning of it; or nothing."""
    if len(before) > 1 and before[-1].role == "assistant" and _is_doubtful(before[-2]):
        saying = _meant(before[:-1], listener)
        heard = plain(before[-1].text or "")
        if isinstance(saying, Saying) and heard and plain(saying.text).startswith(heard):
            return saying
    return Saying("")


def _is_doubtful(item: Item) -> bool:
    return item.role == "user" and bool(item.text) and (bool(item.alternatives) or not item.sure)


def _readings(item: Item, asked: Saying, listener: _Listener[U]) -> Iterator[Reading[U]]:
    """All that it may mean, likeliest first; of what comes to the same, the likeliest."""
    found: set[Hashable] = set()
    for text in (item.text or "", *item.alternatives):
        said = text.strip()
        sentence = asked.answers.get(plain(said), said)
        understood = listener.understand(sentence, item) if sentence else None
        if understood is None and sentence != NOTHING:
            continue
        meaning = NOTHING if understood is None else listener.house.meaning(understood)
        if meaning not in found:
            found.add(meaning)
            yield Reading(said, sentence, understood)


def _whether(sentence: str, times: int, says: Phrases) -> Saying:
    answers = {**_answers(says.yes, sentence), **_answers(says.no, NOTHING)}
    return Saying(as_question(sentence, says), says.language, answers, times)


def _answers(phrases: Sequence[str], sentence: str) -> dict[str, str]:
    return dict.fromkeys(map(plain, phrases), sentence)


def _which(readings: Sequence[Reading[U]], times: int, says: Phrases) -> Saying:
    """By the sentences, unless one of them is none: then by what was said."""
    is_a_choice = all(reading.understood is not None for reading in readings)
    names = [reading.sentence if is_a_choice else reading.said for reading in readings]
    answers = _answers(says.no, NOTHING)
    for reading, name, named in zip(readings, names, names_of(names, says), strict=True):
        short = named if name == reading.sentence else [*named, plain(name)]
        answers |= dict.fromkeys(short, reading.sentence)
    return Saying(which(names, says), says.language, answers, times)
