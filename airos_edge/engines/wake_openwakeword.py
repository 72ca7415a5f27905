"""Wake words by openWakeWord's models, which are in pyopen-wakeword's wheel with what runs them.

The features (a spectrogram, then an embedding of 96 numbers each 80 ms) are made once for each
stream and serve all its words.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.ports import Wake, WakeHit

if TYPE_CHECKING:
    import pyopen_wakeword as oww

NAME = "openwakeword"
BLOCK_SAMPLES = 1280
BLOCK_BYTES = BLOCK_SAMPLES * BYTES_PER_SAMPLE
REFRACTORY_MS = 2000
"""A word that was heard is not heard again for so long: its score stays high for a few blocks."""
WARM_SAMPLES = 480 + 9 * BLOCK_SAMPLES
"""The silence that, with one more block, gives the first embedding (76 spectra of 10 ms) and leaves
the 480 samples by which two blocks' spectra overlap. Left alone, pyopen-wakeword begins a stream
with 8 s of silence, which is a quarter of a second of work."""


class OpenWakeWord:
    """One stream. A word is heard where its score reaches its threshold, on a grid of 80 ms."""

    def __init__(
        self,
        features: "oww.OpenWakeWordFeatures",
        models: "Mapping[str, oww.OpenWakeWord]",
        thresholds: Mapping[str, float],
    ) -> None:
        self._features = features
        self._models = models
        self._thresholds = thresholds
        self._rest = b""
        self._sample = 0
        self._deaf_until = dict.fromkeys(models, 0)
        self._hear_silence()

    def feed(self, chunk: AudioChunk) -> list[WakeHit]:
        pcm = self._rest + chunk.pcm
        ends = range(BLOCK_BYTES, len(pcm) + 1, BLOCK_BYTES)
        self._rest = pcm[len(ends) * BLOCK_BYTES :]
        return [hit for end in ends for hit in self._listen(pcm[end - BLOCK_BYTES : end])]

    def _listen(self, block: bytes) -> list[WakeHit]:
        self._sample += BLOCK_SAMPLES
        hits = []
        for embedding in self._features.process_streaming(block):
            for word, model in self._models.items():
                # Every word hears every block, also where its score does not count.
                score = max(model.process_streaming(embedding), default=0.0)
                if score >= self._thresholds[word] and self._sample >= self._deaf_until[word]:
                    self._deaf_until[word] = self._sample + samples_of(REFRACTORY_MS)
                    hits.append(WakeHit(word, self._sample, score))
        return hits

    def _hear_silence(self) -> None:
        """Fills the models' memory of 1.3 s, so that a word is heard from the first sample on."""
        for embedding in self._features.process_streaming(bytes(BLOCK_BYTES)):
            for model in self._models.values():
                list(model.process_streaming(np.repeat(embedding, model.input_windows - 1, axis=2)))


def open_wake(thresholds: Mapping[str, float]) -> Callable[[], Wake]:
    """The words to hear, each with the score (0 to 1) it needs. Each call of what it gives is a new stream.

    Raises EngineUnavailable, which for an unknown word names those nearest to it.
    """
    try:
        import pyopen_wakeword as oww

        known = {model.value: model for model in oww.Model}
        oww.OpenWakeWordFeatures.from_builtin()
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise EngineUnavailable(NAME, f"pyopen-wakeword cannot be loaded: {error}") from error
    for word in thresholds:
        if word not in known:
            near = get_close_matches(word, known, cutoff=0.3) or sorted(known)
            raise EngineUnavailable(NAME, f"no wake word {word!r}; try {' or '.join(near)}")

    def open_stream() -> Wake:
        features = oww.OpenWakeWordFeatures.from_builtin()
        features.new_audio_samples = WARM_SAMPLES
        models = {word: oww.OpenWakeWord.from_builtin(known[word]) for word in thresholds}
        return OpenWakeWord(features, models, thresholds)

    return open_stream
