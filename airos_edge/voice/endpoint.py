"""When someone began to speak and when they had finished: speech probabilities and loudness to edges.

Milliseconds are those of the audio, never a clock's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

from airos_edge.limits import Range
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.loudness import TAIL_MS, Loudness
from airos_edge.voice.utterance import Judgement

Detection = Literal["wake", "speech", "push"]
Interrupt = Literal["stop", "duck", "wake", "never"]
Answering = Literal["never", "understood", "always"]
"""Which questions are answered unasked: "understood" leaves out what was only overheard and held no
word for us; a client that has asked for an answer to everything it hears gets "always"."""

HYSTERESIS = 0.15
"""Speech goes on until its probability is this much under the threshold (as Silero's own iterator has it)."""
PLACED_MS = 2 * TAIL_MS
"""So long after the VAD's end the true one is known for good."""
DOUBTED_MS, DOUBT_MS = 40, 64
"""A sound so short ago may be the next word: its end is waited for, or the VAD's word, this long."""
LAG_MS, SETTLED_MS = 80, 700
"""A recogniser is so late with what was said (73 of 75 commands were complete by then). A word that
it finds later, it has made of the silence, and mostly taken back when that has settled."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The `turn` section: how long to wait, and what speech does to a reply that is being spoken.

    Silence is counted from the last sound.
    """

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
    prefix_silence_ms: Annotated[int, Range(100, 10000)] = 1800
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
    idle_timeout_ms: int | None = None
    """How long after a reply nobody has to speak for the box to speak again unasked; None: for ever."""

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
    """Feed it all audio and what the VAD says of it; it says what changed.

    The VAD decides what is speech; the loudness places its edges, so that silence is counted from the
    last sound. `open` begins an utterance that has no speech yet.
    """

    def __init__(self, rules: TurnRules) -> None:
        self.rules = rules
        self._loudness = Loudness()
        self._now_ms = 0.0
        self._judged_ms = 0.0
        """How far the VAD has come."""
        self._vad_begin_ms = self._vad_end_ms = 0.0
        """Of the newest speech; and where it truly began, and silence did."""
        self._begin_ms = self._end_ms = 0.0
        self._is_open = False
        self._in_speech = False
        self._paused = False
        self._confirmed = False
        self._spoken_ms = 0.0
        self._patience_ms: int | None = None
        self._judgement: Judgement | None = None
        """What was thought of the words when something was last heard."""

    @property
    def active_ms(self) -> float:
        """How long speech has gone on without a break."""
        return self._now_ms - self._begin_ms if self._in_speech else 0

    @property
    def quiet_ms(self) -> float:
        """How long it has been silent."""
        return 0 if self._in_speech else self._now_ms - self._end_ms

    def open(self, patience_ms: int) -> None:
        """Someone was told to speak; NO_SPEECH follows if they do not begin in time."""
        self.close()
        self._is_open, self._patience_ms = True, patience_ms

    def close(self) -> None:
        """Back to waiting for speech."""
        self._is_open = self._in_speech = self._paused = self._confirmed = False
        self._end_ms = self._now_ms
        self._spoken_ms = 0
        self._patience_ms = self._judgement = None

    def feed(
        self, chunk: AudioChunk, frames: Iterable[float], frame_ms: int, judgement: Judgement | None
    ) -> list[Edge]:
        """Takes 16 kHz audio, and the speech probability of each frame that the VAD completed with it.

        An edge is told as soon as the audio has come so far: in steps of a chunk, not of a frame.
        """
        self._now_ms += chunk.ms
        self._loudness.feed(chunk)
        edges = []
        for probability in frames:
            edges += self._judge(probability, frame_ms)
        if not self._is_open:
            return edges
        if self._spoken_ms and self._now_ms - self._vad_end_ms < PLACED_MS:
            self._end_ms = self._loudness.end(self._vad_end_ms)
        if self._is_judged_by_what_was_said():
            self._judgement = judgement
        edges += self._confirm()
        return edges if self._in_speech else edges + self._silent()

    def _is_judged_by_what_was_said(self) -> bool:
        if not self._loudness.is_known:
            return True
        if self.quiet_ms > LAG_MS:
            return self.quiet_ms >= SETTLED_MS
        return self._loudness.is_loud(LAG_MS)

    def _judge(self, probability: float, frame_ms: int) -> list[Edge]:
        before, was_speech = self._judged_ms, self._in_speech
        self._judged_ms += frame_ms
        margin = HYSTERESIS if was_speech else 0.0
        self._in_speech = probability >= self.rules.threshold - margin
        is_first = not was_speech and not (self._is_open and self._spoken_ms)
        self._loudness.judge(before, self._judged_ms, self._in_speech, is_first)
        if not self._in_speech:
            return []
        if not was_speech:
            self._vad_begin_ms, self._begin_ms = before, self._loudness.begin(before)
        self._vad_end_ms = self._judged_ms
        if self._is_open:
            return self._speaking(frame_ms)
        self._begin_ms = min(self._begin_ms, self._loudness.begin(self._vad_begin_ms))
        self._spoken_ms = self._judged_ms - min(self._begin_ms, self._vad_begin_ms)
        enough_ms = self.rules.active_frame_threshold_ms
        is_knock = self._judged_ms - self._vad_begin_ms < enough_ms / 2
        if self._spoken_ms < enough_ms or is_knock:
            return []
        self._is_open = True
        return [Edge.OPENED]

    def _speaking(self, frame_ms: int) -> list[Edge]:
        self._spoken_ms += frame_ms
        if self._spoken_ms >= self.rules.active_frame_threshold_ms:
            self._patience_ms = None
        edges = [Edge.RESUMED] if self._paused else []
        self._paused = False
        return edges

    def _silent(self) -> list[Edge]:
        if self._judgement in (Judgement.OPEN, Judgement.COMPLETE):
            self._patience_ms = None  # words: they were said before it was listened for
        if self._patience_ms is not None:
            return [Edge.NO_SPEECH] if self.quiet_ms >= self._patience_ms else []
        edges = []
        if not self._paused and self.quiet_ms >= self.rules.user_silence_threshold_ms:
            self._paused = True
            edges.append(Edge.PAUSED)
        late_ms = self.quiet_ms - self.rules.silence_ms(self._judgement)
        if late_ms >= DOUBT_MS or (late_ms >= 0 and not self._loudness.is_loud(DOUBTED_MS)):
            edges.append(Edge.CLOSED)
        return edges

    def _confirm(self) -> list[Edge]:
        known = self._judgement not in (None, Judgement.REJECT)
        is_long = self._spoken_ms >= self.rules.confirm_ms
        if self._confirmed or self._patience_ms is not None or not (known or is_long):
            return []
        self._confirmed = True
        return [Edge.CONFIRMED]
