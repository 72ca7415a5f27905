"""A session's ear: chunks and commands in, cues out. It does no I/O and knows no clock but the audio."""

from collections import deque
from dataclasses import dataclass

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, level_dbfs, ms_of, samples_of
from airos_edge.voice.endpoint import Edge, Endpoint, TurnRules
from airos_edge.voice.ids import new_id
from airos_edge.voice.loudness import LEAD_MS
from airos_edge.voice.ports import Vad
from airos_edge.voice.utterance import Ended, EndReason, OpenedBy, Utterance
from airos_edge.voice.waking import Waking

PATIENCE_MS = 5000
"""How long someone who was told to speak may take to begin."""
LOUDNESS_MS = 500
"""The stretch before a wake word's detection whose loudness is reported."""
WAKE_LOOK_BACK_MS = 1000
"""How long before its detection a wake word's utterance begins. Who goes on speaking in the same breath
is in the middle of a word by then: over espeak-ng's voices a detection came from 470 ms before the
command's first word to 860 ms after it. So some or all of the wake word is recorded too, for the
recogniser to leave out. More would only be what others said before."""
HEARD_AGAIN_MS = 15_000
"""So much of what was not committed is listened to again, in some tens of milliseconds."""
PIECE_SAMPLES = 512
"""A chunk longer than this is taken in pieces, so that edges fall where they belong."""


@dataclass(frozen=True, slots=True)
class Woke:
    word: str
    score: float
    loudness_dbfs: float


@dataclass(frozen=True, slots=True)
class Opened:
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Confirmed:
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Paused:
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Resumed:
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Closed:
    utterance: Utterance
    ended: Ended


Cue = Woke | Opened | Confirmed | Paused | Resumed | Closed


class Ear:
    """One stream of audio, cut into utterances by the rules it obeys.

    With detection "speech" an utterance opens when someone speaks; with "wake" after a wake word;
    with "push" at the first chunk, and only `commit` or `clear` end it.
    """

    def __init__(
        self, rules: TurnRules, vad: Vad, waking: Waking | None = None, deaf: str | None = None
    ) -> None:
        self.utterance: Utterance | None = None
        self.deaf = deaf
        """Why it cannot tell when someone speaks; None: it can."""
        self._rules = rules
        self._vad = vad
        self._waking = waking
        self._endpoint = Endpoint(rules)
        self._samples = 0
        self._recent: deque[AudioChunk] = deque()
        self._recent_samples = 0

    @property
    def rules(self) -> TurnRules:
        return self._rules

    def obey(self, rules: TurnRules) -> list[Cue]:
        """From the next chunk on. An utterance that is open ends by the new rules; but in one that was to
        be committed, speech is looked for once it is to be found here."""
        pushed = self.utterance if self._rules.detection == "push" else None
        self._rules = self._endpoint.rules = rules
        if pushed is None or rules.detection != "speech":
            return []
        heard = AudioChunk(pushed.pcm[-samples_of(HEARD_AGAIN_MS) * BYTES_PER_SAMPLE :])
        cues = self.clear()
        self._samples -= heard.samples
        return cues + self.feed(heard)

    def feed(self, chunk: AudioChunk) -> list[Cue]:
        """Takes 16 kHz audio of any length."""
        return [cue for piece in chunk.pieces(PIECE_SAMPLES) for cue in self._feed(piece)]

    def open(
        self, why: OpenedBy, patience_ms: int = PATIENCE_MS, wake_word: str | None = None
    ) -> list[Cue]:
        """An utterance from now on: a button, a follow-up question, or sound that begins in a wake word
        that was heard elsewhere. Keeps one that is open."""
        if self.utterance is not None:
            return []
        self._forget_recent()
        self._endpoint.open(patience_ms)
        return [self._begin(why, wake_word)]

    def commit(self) -> list[Cue]:
        """Ends the utterance as a question; without one, does nothing."""
        return self._close(EndReason.COMMIT)

    def clear(self) -> list[Cue]:
        """Throws away what was recorded."""
        self._forget_recent()
        return self._close(EndReason.DISCARDED)

    async def aclose(self) -> None:
        """It will hear no more."""
        if self._waking is not None:
            await self._waking.aclose()

    def _feed(self, chunk: AudioChunk) -> list[Cue]:
        self._samples += chunk.samples
        if self.utterance is not None:
            self.utterance.write(chunk)
        else:
            self._remember(chunk)
        cues = self._listen_for_wake(chunk)
        if self._rules.detection == "push":
            if self.utterance is None:
                cues.append(self._begin("push"))
        elif self.utterance is not None or self._rules.detection == "speech":
            cues += self._follow_speech(chunk)
        if self.utterance is not None and self.utterance.wanted_end:
            cues += self._close(EndReason.ENOUGH)
        if self.utterance is not None and self.utterance.ms >= self._rules.longest_s * 1000:
            cues += self._close(EndReason.TOO_LONG)
        return cues

    def _listen_for_wake(self, chunk: AudioChunk) -> list[Cue]:
        if self._waking is None:
            return []
        cues: list[Cue] = []
        for hit in self._waking.feed(chunk):
            if self.utterance is not None and self.utterance.opened_by in ("wake", "push"):
                continue
            cues += self._begin_again()
            pcm = b"".join(piece.pcm for piece in self._recent)
            loudest = pcm[-samples_of(LOUDNESS_MS) * BYTES_PER_SAMPLE :]
            cues.append(Woke(hit.word, hit.score, level_dbfs(loudest)))
            self._endpoint.open(PATIENCE_MS)
            cues.append(self._begin("wake", hit.word))
        return cues

    def _begin_again(self) -> list[Cue]:
        """What was opened by speech turned out to be a wake word, which is looked for in its sound."""
        if self.utterance is None:
            return []
        heard = AudioChunk(self.utterance.pcm)
        cues = self._close(EndReason.DISCARDED)
        self._recent.append(heard)
        self._recent_samples = heard.samples
        self._keep_recent(WAKE_LOOK_BACK_MS)
        return cues

    def _follow_speech(self, chunk: AudioChunk) -> list[Cue]:
        cues: list[Cue] = []
        judgement = self.utterance.judgement if self.utterance else None
        frames = self._vad.feed(chunk)
        for edge in self._endpoint.feed(chunk, frames, self._vad.frame_ms, judgement):
            cues += self._follow_edge(edge)
        return cues

    def _follow_edge(self, edge: Edge) -> list[Cue]:
        if self.utterance is None:
            if edge is not Edge.OPENED:
                return []
            self._keep_recent(self._rules.padding_ms + self._endpoint.active_ms)
            return [self._begin("speech")]
        match edge:
            case Edge.CLOSED:
                return self._close(EndReason.SILENCE)
            case Edge.NO_SPEECH:
                return self._close(EndReason.NO_SPEECH)
            case Edge.CONFIRMED:
                return [Confirmed(self.utterance)]
            case Edge.PAUSED:
                return [Paused(self.utterance)]
            case Edge.RESUMED:
                return [Resumed(self.utterance)]
            case Edge.OPENED:
                return []  # under other rules it was opened before

    def _begin(self, why: OpenedBy, wake_word: str | None = None) -> Opened:
        """The new utterance starts with what is remembered from before the speech began."""
        start_ms = ms_of(self._samples - self._recent_samples)
        self.utterance = Utterance(new_id("item"), why, start_ms, wake_word)
        for chunk in self._recent:
            self.utterance.write(chunk)
        self._forget_recent()
        return Opened(self.utterance)

    def _close(self, reason: EndReason) -> list[Cue]:
        utterance, self.utterance = self.utterance, None
        if utterance is None:
            return []
        now_ms = ms_of(self._samples)
        end_ms = max(utterance.start_ms, now_ms - round(self._endpoint.quiet_ms))
        self._endpoint.close()
        utterance.end(Ended(reason, now_ms if self._rules.detection == "push" else end_ms))
        assert utterance.outcome is not None
        return [Closed(utterance, utterance.outcome)]

    def _remember(self, chunk: AudioChunk) -> None:
        """Keeps the padding, and the speech that is not yet known, or not long enough, to be some; or
        what a wake word may be in, and what was said since."""
        self._recent.append(chunk)
        self._recent_samples += chunk.samples
        speech_ms = max(self._endpoint.active_ms, LEAD_MS) + 2 * self._vad.frame_ms
        keep_ms = self._rules.padding_ms + speech_ms
        self._keep_recent(WAKE_LOOK_BACK_MS if self._rules.detection == "wake" else keep_ms)

    def _keep_recent(self, ms: float) -> None:
        surplus = self._recent_samples - samples_of(ms)
        while surplus > 0:
            oldest = self._recent.popleft()
            if oldest.samples > surplus:
                self._recent.appendleft(AudioChunk(oldest.pcm[surplus * BYTES_PER_SAMPLE :]))
            self._recent_samples -= min(surplus, oldest.samples)
            surplus -= oldest.samples

    def _forget_recent(self) -> None:
        self._recent.clear()
        self._recent_samples = 0
