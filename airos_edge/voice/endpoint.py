"""When someone began to speak and when they had finished: speech probabilities to edges, frame by frame.

Milliseconds are those of the audio, never a clock's.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

from airos_edge.limits import Range
from airos_edge.voice.utterance import Judgement

Detection = Literal["wake", "speech", "push"]
Interrupt = Literal["stop", "duck", "wake", "never"]
Answering = Literal["never", "understood", "always"]
"""Which questions are answered unasked: "understood" leaves out what was only overheard and held no
word for us; a client that has asked for an answer to everything it hears gets "always"."""

HYSTERESIS = 0.15
"""Speech goes on until its probability is this much under the threshold (as Silero's own iterator has it)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The `turn` section: how long to wait, and what speech does to a reply that is being spoken."""

    active_frame_threshold_ms: Annotated[int, Range(32, 1000)] = 96
    """Speech this long opens an utterance."""
    user_silence_threshold_ms: Annotated[int, Range(50, 5000)] = 400
    """Silence this long is a pause."""
    question_end_silence_ms: Annotated[int, Range(0, 5000)] = 300
    """Silence this much longer ends the question."""
    complete_silence_ms: Annotated[int, Range(30, 5000)] = 100
    """Silence that ends a question whose words are complete (stop consonants last 50–100 ms)."""
    open_silence_ms: Annotated[int, Range(30, 5000)] = 400
    """Silence that ends a question whose words could end here or go on ("… for five minutes")."""
    prefix_silence_ms: Annotated[int, Range(100, 10000)] = 1500
    """Silence that ends a question whose words cannot end here ("turn on the")."""
    interrupt: Interrupt = "duck"
    longest_s: Annotated[int, Range(1, 600)] = 60


@dataclass(frozen=True, slots=True)
class TurnRules(Settings):
    """All that one session's ear obeys."""

    detection: Detection = "speech"
    threshold: float = 0.5
    judged: bool = True
    """Whether a recogniser's judgement of the words changes the silence waited for."""
    confirm_ms: int = 250
    """Speech this long is speech, not a cough."""
    padding_ms: int = 300
    """Kept from before the speech began."""
    answer: Answering = "understood"

    def silence_ms(self, judgement: Judgement | None) -> int:
        """The silence that ends a question of which a recogniser thinks so."""
        match judgement if self.judged else None:
            case Judgement.COMPLETE:
                return self.complete_silence_ms
            case Judgement.OPEN:
                return self.open_silence_ms
            case Judgement.PREFIX:
                return self.prefix_silence_ms
        return self.user_silence_threshold_ms + self.question_end_silence_ms


class Edge(Enum):
    OPENED = "opened"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CLOSED = "closed"
    NO_SPEECH = "no_speech"


class Endpoint:
    """Feed it every frame; it says what changed. `open` begins an utterance that has no speech yet."""

    def __init__(self, rules: TurnRules) -> None:
        self.rules = rules
        self.quiet_ms = 0
        """How long it has been silent, within an utterance."""
        self.active_ms = 0
        """How long speech has gone on without a break."""
        self._is_open = False
        self._in_speech = False
        self._paused = False
        self._confirmed = False
        self._spoken_ms = 0
        self._patience_ms: int | None = None

    def open(self, patience_ms: int) -> None:
        """Someone was told to speak; NO_SPEECH follows if they do not begin in time."""
        self.close()
        self._is_open, self._patience_ms = True, patience_ms

    def close(self) -> None:
        """Back to waiting for speech."""
        self.quiet_ms = self.active_ms = self._spoken_ms = 0
        self._is_open = self._in_speech = self._paused = self._confirmed = False
        self._patience_ms = None

    def feed(self, probability: float, frame_ms: int, judgement: Judgement | None) -> list[Edge]:
        margin = HYSTERESIS if self._in_speech else 0.0
        self._in_speech = probability >= self.rules.threshold - margin
        self.active_ms = self.active_ms + frame_ms if self._in_speech else 0
        if not self._is_open:
            if self.active_ms < self.rules.active_frame_threshold_ms:
                return []
            self._is_open, self._spoken_ms = True, self.active_ms
            return [Edge.OPENED, *self._confirm(judgement)]
        if self._in_speech:
            return self._speaking(frame_ms, judgement)
        return self._silent(frame_ms, judgement)

    def _speaking(self, frame_ms: int, judgement: Judgement | None) -> list[Edge]:
        self.quiet_ms = 0
        self._spoken_ms += frame_ms
        if self._spoken_ms >= self.rules.active_frame_threshold_ms:
            self._patience_ms = None
        edges = [Edge.RESUMED] if self._paused else []
        self._paused = False
        return edges + self._confirm(judgement)

    def _silent(self, frame_ms: int, judgement: Judgement | None) -> list[Edge]:
        self.quiet_ms += frame_ms
        has_words = judgement in (Judgement.OPEN, Judgement.COMPLETE)
        if self._patience_ms is not None and not has_words:
            return [Edge.NO_SPEECH] if self.quiet_ms >= self._patience_ms else []
        edges = self._confirm(judgement)
        if not self._paused and self.quiet_ms >= self.rules.user_silence_threshold_ms:
            self._paused = True
            edges.append(Edge.PAUSED)
        if self.quiet_ms >= self.rules.silence_ms(judgement):
            edges.append(Edge.CLOSED)
        return edges

    def _confirm(self, judgement: Judgement | None) -> list[Edge]:
        known = judgement not in (None, Judgement.REJECT)
        if self._confirmed or not (known or self._spoken_ms >= self.rules.confirm_ms):
            return []
        self._confirmed = True
        return [Edge.CONFIRMED]
