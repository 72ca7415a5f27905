"""What the ears think of each frame, for who watches: engines whose every result is published.

They are transparent, and while nobody watches all they cost is a call.
"""

from collections.abc import Callable, Mapping

from airos_edge.voice.audio import AudioChunk, level_dbfs
from airos_edge.voice.events import Event, SpeechProbable, WakeScored
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import Vad, Wake, WakeScore
from airos_edge.voice.waking import WordSettings, close_wake, enough

Stamp = Callable[[Event], Event]
"""Says of an event which conversation it is of, and when."""


class WatchedVad:
    """A stream's VAD, whose probabilities are published as `SpeechProbable`."""

    def __init__(self, vad: Vad, hub: Hub, stamp: Stamp) -> None:
        self.frame_ms = vad.frame_ms
        self._vad = vad
        self._hub = hub
        self._stamp = stamp

    def feed(self, chunk: AudioChunk) -> list[float]:
        probabilities = self._vad.feed(chunk)
        if probabilities and self._hub.is_watched_for(SpeechProbable):
            level = level_dbfs(chunk.pcm)
            for probability in probabilities:
                thought = SpeechProbable(probability=probability, level_dbfs=level)
                self._hub.publish(self._stamp(thought))
        return probabilities


class WatchedWake:
    """A stream's wake words; of each word's scores in a piece of sound the best is published as `WakeScored`."""

    def __init__(
        self, wake: Wake, hub: Hub, stamp: Stamp, words: Mapping[str, WordSettings]
    ) -> None:
        self._wake = wake
        self._hub = hub
        self._stamp = stamp
        self._words = words

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        scores = self._wake.feed(chunk)
        if scores and self._hub.is_watched_for(WakeScored):
            best = {one.word: one for one in sorted(scores, key=lambda one: one.score)}
            for word, one in best.items():
                threshold = enough(one, self._words[word])
                thought = WakeScored(word=word, score=one.score, threshold=threshold)
                self._hub.publish(self._stamp(thought))
        return scores

    async def aclose(self) -> None:
        await close_wake(self._wake)
