"""Wake words by openWakeWord's models, which are in pyopen-wakeword's wheel with what runs them.

A word's score depends much on where its 80 ms grid falls: said 10 ms later, "alexa" may get 0.1
instead of 1. So the features are made for each 10 ms, by `embedding.py`, and a word that may be
there is scored on all eight grids. In a quiet room nothing is computed: the sound waits, and is
caught up with when there is something to hear.
"""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from airos_edge.engines.embedding import HOP_SAMPLES, SPECTRA, Array, Embedding
from airos_edge.engines.quiet import BLOCK_SAMPLES, Quiet
from airos_edge.engines.wanted import WantedWake
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.ports import Wake, WakeScore

if TYPE_CHECKING:
    import pyopen_wakeword as oww

NAME = "openwakeword"
GRID = 8
"""A model sees every eighth embedding: that makes its 80 ms."""
CALM_SAMPLES, ALERT_SAMPLES = samples_of(160), samples_of(20)
"""How much sound is taken at once: little while a word may be ending, else much, as 20 ms cost half
of what 160 ms do."""
SUSPICIOUS, ALERT_MS = 0.002, 80
"""From such a score on, and for so long after it, a word may be ending. Over 120 recordings of
espeak-ng's voices that is as quick as taking 20 ms always, to a millisecond; of talk it is 2 %."""
SAMPLED = 4
"""Of the scores each fourth is computed, and the others where one of those is suspicious."""


class OpenWakeWord:
    """One stream. Where it is not quiet each word has a score for each 40 ms, and for each 10 ms
    where it may have been said."""

    def __init__(self, embedding: Embedding, models: "Mapping[str, oww.OpenWakeWord]") -> None:
        self._embedding = embedding
        self._models = models
        self._state = embedding.silence
        most = max((model.input_windows for model in models.values()), default=1)
        silent = embedding.step(self._state, np.zeros(HOP_SAMPLES, np.float32))[0]
        self._seen: Array = np.repeat(silent, (most - 1) * GRID, axis=0)
        look_back = len(self._seen) + SPECTRA + 2 * GRID
        self._look_back_bytes = look_back * HOP_SAMPLES * BYTES_PER_SAMPLE
        """The sound on which the scores of the block that ends the quiet depend."""
        self._quiet = Quiet()
        self._waiting = bytearray()
        self._sample = 0
        """Where in the stream that which waits begins."""
        self._scored_from = self._alert_until = 0

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        pieces = chunk.pieces(ALERT_SAMPLES)
        return [score for piece in pieces for score in self._take(piece.pcm)]

    def _take(self, piece: bytes) -> list[WakeScore]:
        self._waiting += piece
        was_quiet = self._quiet.is_quiet
        self._quiet.feed(piece)
        if self._quiet.is_quiet:
            self._forget()
            return []
        if was_quiet:
            # What waited is caught up with for what it does to the scores to come. It had none.
            self._scored_from = self._quiet.samples - BLOCK_SAMPLES
        scores: list[WakeScore] = []
        while len(self._waiting) >= (size := self._step_samples() * BYTES_PER_SAMPLE):
            samples = np.frombuffer(self._waiting[:size], "<i2").astype(np.float32)
            del self._waiting[:size]
            scores += self._listen(samples)
        return scores

    def _step_samples(self) -> int:
        return ALERT_SAMPLES if self._sample < self._alert_until else CALM_SAMPLES

    def _forget(self) -> None:
        """Whole steps of what is too long ago to matter."""
        surplus = len(self._waiting) - self._look_back_bytes
        steps = max(0, surplus // (CALM_SAMPLES * BYTES_PER_SAMPLE))
        del self._waiting[: steps * CALM_SAMPLES * BYTES_PER_SAMPLE]
        self._sample += steps * CALM_SAMPLES

    def _listen(self, samples: Array) -> list[WakeScore]:
        embeddings, self._state = self._embedding.step(self._state, samples)
        seen = np.concatenate([self._seen, embeddings])
        self._seen = seen[len(embeddings) :]
        self._sample += len(samples)
        wanted = max(0, (self._sample - self._scored_from) // HOP_SAMPLES)
        ends = range(len(seen) + 1 - min(wanted, len(embeddings)), len(seen) + 1)
        scores = [score for word in self._models for score in self._score(word, seen, ends)]
        if any(score.score >= SUSPICIOUS for score in scores):
            self._alert_until = self._sample + samples_of(ALERT_MS)
        return sorted(scores, key=lambda score: score.sample)

    def _score(self, word: str, seen: Array, ends: range) -> list[WakeScore]:
        """Of what was seen up to each end. The last embedding is that of `self._sample`."""
        some = [self._score_at(word, seen, end) for end in ends[SAMPLED - 1 :: SAMPLED]]
        if some and max(score.score for score in some) < SUSPICIOUS:
            return some
        return [self._score_at(word, seen, end) for end in ends]

    def _score_at(self, word: str, seen: Array, end: int) -> WakeScore:
        model = self._models[word]
        model.reset()  # it is shared, and is given all that it needs
        grid = seen[end - 1 - (model.input_windows - 1) * GRID : end : GRID]
        (score,) = model.process_streaming(grid[np.newaxis, np.newaxis])
        return WakeScore(word, self._sample - (len(seen) - end) * HOP_SAMPLES, score)


def open_wake(wanted: WantedWake) -> Callable[[], Wake]:
    """Raises EngineUnavailable."""
    return openwakeword(wanted.words)


def openwakeword(words: Iterable[str]) -> Callable[[], Wake]:
    """The words to score. Each call of what it gives is a new stream; they share networks and weights.

    Raises EngineUnavailable, which for an unknown word names those nearest to it.
    """
    try:
        import pyopen_wakeword as oww

        known = {model.value: model for model in oww.Model}
        embedding = Embedding(oww.OpenWakeWordFeatures.from_builtin())
    except (ImportError, AttributeError, OSError, ValueError, RuntimeError) as error:
        raise EngineUnavailable(NAME, f"pyopen-wakeword cannot be loaded: {error}") from error
    models = {}
    for word in words:
        if word not in known:
            near = get_close_matches(word, known, cutoff=0.3) or sorted(known)
            raise EngineUnavailable(NAME, f"no wake word {word!r}; try {' or '.join(near)}")
        models[word] = oww.OpenWakeWord.from_builtin(known[word])
    return lambda: OpenWakeWord(embedding, models)
