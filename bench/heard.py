"""What a box's ears made of a recording: its questions, the drafts of replies to them, and what would come of it.

What the recogniser was not certain enough of is kept, marked as refused: so one may ask afterwards
what another threshold would have let through.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from airos_edge.listening import of_kind
from airos_edge.router import meaning
from airos_edge.router.meaning import ASKED
from airos_edge.voice import events
from airos_edge.voice.events import Event
from airos_edge.voice.history import Item
from airos_edge.voice.utterance import Judgement
from bench.corpus.draw import house_commands
from bench.corpus.recipes import Recipe

Verdict = Literal["right", "wrong", "asked back", "nothing"]
"""Of what is no command, "wrong" is that it was acted on."""


@dataclass(frozen=True)
class Draft:
    """A reply that would be begun at a COMPLETE partial. `stands`: its words did not change any more."""

    text: str
    at_ms: int
    stands: bool


@dataclass(frozen=True)
class Question:
    """`text`, `alternatives`, `sure` and `certainty` are those of the final transcript; of one that is
    `refused`, of what it would have been if it were believed."""

    closed_ms: int
    text: str
    alternatives: tuple[str, ...] = ()
    sure: bool = True
    certainty: float | None = None
    refused: bool = False
    drafts: tuple[Draft, ...] = ()

    def is_believed(self, least: float | None = None) -> bool:
        """As it was; or if so much certainty were needed, by a recogniser that tells it."""
        if not self.text or least is None or self.certainty is None:
            return bool(self.text) and not self.refused
        return self.certainty >= least

    def adopts(self, draft: Draft) -> bool:
        """As a turn does it: the words and all that is thought of them are what the draft answers."""
        is_plain = self.sure and not self.alternatives and self.is_believed()
        return is_plain and draft.stands and draft.text == self.text


@dataclass(frozen=True)
class Heard:
    """`end_ms`: where the recording's last sound is, to the sample."""

    recipe: Recipe
    end_ms: float
    questions: Sequence[Question]

    @property
    def is_cut_off(self) -> bool:
        """Whether a question was closed before the last sound."""
        return any(question.closed_ms < self.end_ms for question in self.questions)

    @property
    def closing_ms(self) -> float | None:
        """From the last sound to the closing; None if there was no question, or it was cut off."""
        closed_ms = [question.closed_ms for question in self.questions]
        return closed_ms[0] - self.end_ms if closed_ms and not self.is_cut_off else None

    def verdict(self, least: float | None = None) -> Verdict:
        """By what the house would do and say, not by the letters. `least` as in `is_believed`."""
        is_command = self.recipe.kind == "command"
        wanted = outcome(self.recipe.text) if is_command else None
        came = [
            what
            for question in self.questions
            if question.is_believed(least)
            and (what := outcome(question.text, question.alternatives, question.sure)) is not None
        ]
        if not came:
            return "nothing"
        if any(what not in (wanted, ASKED) for what in came):
            return "wrong"
        return "asked back" if ASKED in came else "right"

    def told(self) -> str:
        believed = [repr(one.text) for one in self.questions if one.is_believed()]
        said = f"{self.recipe.text!r} ({self.recipe.condition})"
        return f"{said} was heard as {', '.join(believed) or 'nothing'}"


@cache
def outcome(text: str, alternatives: tuple[str, ...] = (), sure: bool = True) -> Hashable | None:
    """What the demonstration house makes of it: a meaning, or ASKED; None: it is no command."""
    said = Item("", role="user", text=text, spoken=True, alternatives=alternatives, sure=sure)
    return meaning.outcome(said, house_commands())


def questions_of(happened: Iterable[Event]) -> list[Question]:
    """In their order, without coughs. Raises RuntimeError where the recogniser failed."""
    happened = list(happened)
    for failed in of_kind(events.TranscriptionFailed, happened):
        raise RuntimeError(failed.message)
    closed_ms = {event.item_id: event.at_ms for event in of_kind(events.SpeechStopped, happened)}
    confirmed = {event.item_id for event in of_kind(events.SpeechConfirmed, happened)}
    partials = of_kind(events.TranscriptChanged, happened)
    return [
        Question(
            closed_ms[final.item_id],
            final.text,
            final.alternatives,
            final.sure,
            final.certainty,
            drafts=drafts_of([one for one in partials if one.item_id == final.item_id]),
        )
        for final in of_kind(events.Transcribed, happened)
        if final.text or final.certainty is not None or final.item_id in confirmed
    ]


def with_refused(questions: Iterable[Question], credulous: Iterable[Question]) -> list[Question]:
    """Those whose text was refused get it from those of an ear that refuses nothing."""
    others = {question.closed_ms: question for question in credulous}
    return [
        replace(others[one.closed_ms], sure=False, refused=True)
        if is_refused(one) and one.closed_ms in others
        else one
        for one in questions
    ]


def is_refused(question: Question) -> bool:
    """Whether it was a sentence, and not certain enough."""
    return not question.text and question.certainty is not None


def drafts_of(partials: Iterable[events.TranscriptChanged]) -> tuple[Draft, ...]:
    """Those that a turn would make of a question's partials: one at a time, as long as its words stay."""
    dropped: list[Draft] = []
    draft: Draft | None = None
    for partial in partials:
        if draft is not None and draft.text != partial.text:
            dropped.append(draft)
            draft = None
        if draft is None and partial.judgement is Judgement.COMPLETE:
            draft = Draft(partial.text, partial.at_ms, stands=False)
    if draft is None:
        return tuple(dropped)
    return (*dropped, Draft(draft.text, draft.at_ms, stands=True))


@dataclass(frozen=True)
class Speculation:
    """Of some commands: of how many a draft was begun `before_end`, the last sound, and `before_closing`;
    how many `drafts` there were in all, which were `adopted` or else dropped, and how many of those dropped
    had not the words of the final transcript (`wrong`); and by how many milliseconds the adopted ones
    came before the closing."""

    commands: int
    before_end: int
    before_closing: int
    drafts: int
    adopted: int
    wrong: int
    ahead_ms: Sequence[int]


def speculation(heard: Sequence[Heard]) -> Speculation:
    pairs = [(one, draft) for each in heard for one in each.questions for draft in one.drafts]
    adopted = [(one, draft) for one, draft in pairs if one.adopts(draft)]
    return Speculation(
        len(heard),
        sum(
            any(draft.at_ms < each.end_ms for one in each.questions for draft in one.drafts)
            for each in heard
        ),
        sum(
            any(draft.at_ms < one.closed_ms for one in each.questions for draft in one.drafts)
            for each in heard
        ),
        len(pairs),
        len(adopted),
        sum(draft.text != one.text or not one.is_believed() for one, draft in pairs),
        [one.closed_ms - draft.at_ms for one, draft in adopted],
    )
