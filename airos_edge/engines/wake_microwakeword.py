"""Wake words by microWakeWord's models: small streaming networks, made for microcontrollers.

`pymicro-wakeword` brings some, with what runs them; others come as a .json beside a .tflite, as ESPHome
takes them. The network remembers what it has heard, so each stream has networks of its own.
"""

import ctypes
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from airos_edge.engines.tflite import TfliteNetwork
from airos_edge.engines.wanted import WakeWords, WantedWake
from airos_edge.engines.word_files import loaded
from airos_edge.errors import EngineUnavailable
from airos_edge.models.suspect import instead
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import WakeScore

NAME = "microwakeword"
STEP_MS, BANDS = 10, 40
"""What the features are made of, as pymicro-features makes them."""


class MicroWakeWord:
    """One stream. Each word has a score for every few features, mostly three: the mean of its last few
    probabilities, as its manifest has it."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        import pymicro_wakeword as mww

        self._features = mww.MicroWakeWordFeatures()
        self._words = {word: mww.MicroWakeWord.from_config(path) for word, path in paths.items()}
        self._seen = 0

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        scores = []
        for features in self._features.process_streaming(chunk.pcm):
            self._seen += 1
            for word, network in self._words.items():
                score = network.process_streaming_prob(features)
                if score is not None and self._seen % network.stride == 0:
                    sample = self._seen * samples_of(STEP_MS)
                    scores.append(WakeScore(word, sample, score, network.probability_cutoff))
        return scores


def open_wake(wanted: WantedWake) -> WakeWords:
    """Each word's own model or the one in the package. Raises EngineUnavailable."""
    try:
        import pymicro_wakeword as mww

        known = mww.MicroWakeWord.from_builtin(mww.Model.OKAY_NABU)
        names = [model.value for model in mww.Model]
    except (ImportError, AttributeError, OSError, ValueError, RuntimeError) as error:
        raise EngineUnavailable(NAME, f"pymicro-wakeword cannot be loaded: {error}") from error
    brought = {name: Path(known.tflite_model).with_name(f"{name}.json") for name in names}
    paths, unheard = loaded(wanted, brought, partial(_checked, known.lib))
    return WakeWords(lambda: MicroWakeWord(paths), unheard)


def _checked(lib: ctypes.CDLL, path: Path) -> Path:
    """The manifest's path. Raises ValueError for a manifest that is none, or whose network pymicro-wakeword
    could not run: a file that is no whole model ends the process there."""
    try:
        told = json.loads(path.read_bytes())
        micro, network = told["micro"], path.parent / told["model"]
        (
            float(micro["probability_cutoff"]),
            int(micro["sliding_window_size"]),
            str(told["wake_word"]),
        )
        step_ms = int(micro.get("feature_step_size", STEP_MS))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"is no manifest of a microWakeWord model: it lacks {error}") from error
    if step_ms != STEP_MS:
        raise ValueError(f"wants features each {step_ms} ms; there are those of each {STEP_MS} ms")
    try:
        suspected = instead(network)
    except OSError as error:
        raise ValueError(f"names {network.name}, which cannot be read: {error.strerror}") from error
    if suspected:
        raise ValueError(f"names {network.name}, which {suspected}")
    try:
        takes = TfliteNetwork(lib, network).takes
    except ValueError as error:
        raise ValueError(f"names {network.name}, which {error}") from error
    if len(takes) != 3 or takes[2] != BANDS:
        raise ValueError(f"names {network.name}, which is no microWakeWord model")
    return path
