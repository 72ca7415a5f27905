"""Wake words by openWakeWord's models: those in pyopen-wakeword's wheel, with what runs them, or the owner's.

A word's score depends much on where its 80 ms grid falls: said 10 ms later, "alexa" may get 0.1
instead of 1. So the features are made for each 10 ms, by `embedding.py`, and a word that may be
there is scored on all eight grids. In a quiet room nothing is computed: the sound waits, and is
caught up with when there is something to hear.
"""

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np

from airos_edge.engines.embedding import HOP_SAMPLES, SPECTRA, Array, Embedding
from airos_edge.engines.quiet import BLOCK_SAMPLES, Quiet
from airos_edge.engines.wanted import WakeWords, WantedWake
from airos_edge.engines.word_files import loaded
from airos_edge.engines.word_networks import WordNetwork, open_network
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.ports import WakeScore
from airos_edge.voice.waking import WordSettings

NAME = "openwakeword"
ENOUGH = 0.7
"""The score that counts as the word. The best of eight grids is more often high than that of one, for
which openWakeWord gives 0.5: over 45 minutes of espeak-ng's talk, 0.7 for eight wakes as often by mistake
as 0.5 for one (10 times to 8, most by "hey rhasspy"), and hears 88 of 93 speakers whenever they begin,
instead of 81 on the average."""
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

    def __init__(self, embedding: Embedding, words: Mapping[str, WordNetwork]) -> None:
        self._embedding = embedding
        self._words = words
        self._state = embedding.silence
        most = max((word.windows for word in words.values()), default=1)
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
        scores = [score for word in self._words for score in self._score(word, seen, ends)]
        if any(score.score >= SUSPICIOUS for score in scores):
            self._alert_until = self._sample + samples_of(ALERT_MS)
        return sorted(scores, key=lambda score: score.sample)

    def _score(self, word: str, seen: Array, ends: range) -> list[WakeScore]:
        """Of what was seen up to each end. The last embedding is that of `self._sample`."""
        some = self._scores_at(word, seen, ends[SAMPLED - 1 :: SAMPLED])
        if some and max(score.score for score in some) < SUSPICIOUS:
            return some
        return self._scores_at(word, seen, ends)

    def _scores_at(self, word: str, seen: Array, ends: range) -> list[WakeScore]:
        network = self._words[word]
        looks = (
            np.arange((1 - network.windows) * GRID - 1, 0, GRID)
            + np.array(ends, np.intp)[:, np.newaxis]
        )
        samples = (self._sample - (len(seen) - end) * HOP_SAMPLES for end in ends)
        scores = network.scores(seen[looks])
        pairs = zip(samples, scores, strict=True)
        return [WakeScore(word, sample, score, ENOUGH) for sample, score in pairs]


def open_wake(wanted: WantedWake) -> WakeWords:
    """Each word's own model or the one in the package; streams share networks and weights.

    Raises EngineUnavailable.
    """
    try:
        import pyopen_wakeword as oww

        features = oww.OpenWakeWordFeatures.from_builtin()
        embedding = Embedding(features)
        names = [model.value for model in oww.Model]
    except (ImportError, AttributeError, OSError, ValueError, RuntimeError) as error:
        raise EngineUnavailable(NAME, f"pyopen-wakeword cannot be loaded: {error}") from error
    brought = {name: features.emb_path.with_name(f"{name}.tflite") for name in names}
    load = partial(open_network, NAME, features.lib)
    networks, unheard = loaded(wanted, brought, load)
    return WakeWords(lambda: OpenWakeWord(embedding, networks), unheard)


def openwakeword(words: Iterable[str]) -> WakeWords:
    """The words as they come in the package."""
    return open_wake(WantedWake(dict.fromkeys(words, WordSettings())))
