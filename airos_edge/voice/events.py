"""What happened, as frozen values: told to the face whose session it concerns, published to the hub.

The order of a turn: SpeechStarted, SpeechStopped, QuestionEnded, ItemAdded, Transcribed, then
ReplyStarted, and for each of its items ItemStarted, TextSaid…, ItemEnded, and at last ReplyEnded.
Every ReplyStarted is followed by one ReplyEnded, every ItemStarted by one ItemEnded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from airos_edge.voice.history import Item
from airos_edge.voice.ports import Left, Place, Prompt
from airos_edge.voice.utterance import EndReason, Judgement, OpenedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`at_ms`: how much sound its conversation had been fed when it was told."""

    session_id: str = ""
    at_ms: int = 0


# ---- what the ears think, frame by frame: published while somebody watches, told to no face -----


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechProbable(Event):
    """A frame's speech probability, and the level of the sound it ended in."""

    probability: float
    level_dbfs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeScored(Event):
    """How much the last sound was like a wake word; `threshold` is the score that counts as the word."""

    word: str
    score: float
    threshold: float


# ---- the question -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Woke(Event):
    word: str
    score: float
    loudness_dbfs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted(Event):
    """`item_id` is the id that the question will have in the history."""

    item_id: str
    opened_by: OpenedBy
    start_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechConfirmed(Event):
    """It has gone on for long enough, or has a word in it: it is no cough."""

    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechPaused(Event):
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechResumed(Event):
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStopped(Event):
    """`end_ms` is where speech ended, and `judgement` what the recogniser thought of the words by then."""

    item_id: str
    opened_by: OpenedBy
    reason: EndReason
    end_ms: int
    judgement: Judgement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionEnded(Event):
    """The recording is a question, and from now on an item of the history."""

    item: Item
    previous_id: str | None
    audio_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptChanged(Event):
    """What has been understood until now; the next one may differ from its first word on.

    `agreed`: the next words that will most probably stay, to be joined to those before them. All else is as
    in `Transcript`.
    """

    item_id: str
    text: str
    judgement: Judgement | None
    agreed: str = ""
    language: str | None = None
    went: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcribed(Event):
    """`text` "": nothing was said that was meant for us. `rest`: what follows on what was agreed, if the
    text goes on from there. All else is as in the final `Transcript`."""

    item_id: str
    text: str
    audio_ms: int
    rest: str = ""
    alternatives: tuple[str, ...] = ()
    sure: bool = True
    certainty: float | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionFailed(Event):
    item_id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleTimedOut(Event):
    """Nobody has spoken since the last reply was heard, from `start_ms` to `end_ms` of the sound. `item_id`
    is the id that the empty question will have in the history, which the box puts to itself now."""

    item_id: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionDropped(Event):
    """What was heard is not answered: nothing was said, or nothing for us, or nobody asked for answers."""

    item_id: str


# ---- the history --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAdded(Event):
    """An item that is whole: a question, or what a client put there."""

    item: Item
    previous_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDeleted(Event):
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTruncated(Event):
    item_id: str
    heard_ms: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkStarted(Event):
    """An item that the box works at outside of replies: tools that are listed, a call that was allowed."""

    item: Item
    previous_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEnded(Event):
    item: Item
    previous_id: str | None


# ---- the reply ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reply ended. `reason` says why it was cancelled or is incomplete; `left`, what left the box.

    `expects`: it was a question, and these phrases may answer it; `declined`: it was a no. `stages_ms`:
    milliseconds from the end of the question (or the request) to the end of each stage.
    """

    status: Literal["completed", "cancelled", "failed", "incomplete"]
    reason: str | None = None
    error: str | None = None
    error_code: str | None = None
    """Of a failure that is of the prompt's own making (`PromptError`): which."""
    text: str = ""
    tier: str | None = None
    intent: str | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    left: Left = Left.NOTHING
    expects: tuple[str, ...] = ()
    declined: bool = False
    items: tuple[Item, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    stages_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyStarted(Event):
    """`apart`: out of band, its items do not become part of the history."""

    reply_id: str
    prompt: Prompt
    apart: bool
    metadata: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStarted(Event):
    reply_id: str
    item: Item
    previous_id: str | None
    output_index: int
    apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSaid(Event):
    """The next piece of an item's text; of a spoken one, just before its sound."""

    reply_id: str
    item_id: str
    output_index: int
    text: str
    spoken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEnded(Event):
    """`item.text` is all that was said, of which less may have been heard."""

    reply_id: str
    item: Item
    previous_id: str | None
    output_index: int
    apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyEnded(Event):
    reply_id: str
    prompt: Prompt
    outcome: Outcome
    apart: bool
    metadata: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced(Event):
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFinished(Event):
    name: str | None
    seconds: int


# ---- the box ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """The last event of its conversation, when its face has left it."""


Phase = Literal["idle", "listening", "processing", "responding"]
"""Home Assistant's names (AssistSatelliteState)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged(Event):
    """What the box as a whole is doing now; see `phase.py`."""

    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteChanged(Event):
    """Whether the box's own microphone is muted now."""

    is_muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeChanged(Event):
    """How loud the box's own loudspeaker is now, 0 to 100."""

    volume_pct: int
