"""Wake words by microWakeWord's models: small streaming networks, made for microcontrollers.

`pymicro-wakeword` brings some, with what runs them; others come as a .json beside a .tflite, as ESPHome
takes them. The network remembers what it has heard, so each stream has networks of its own. They are run
here, and not by the package's class: that reads its files for each stream without a look at them, one that
is cut off ends the process, and it takes twice the time.
"""

import ctypes
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

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


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the .json says, and what is in the .tflite that it names."""

    network: bytes
    cutoff: float
    """The score that counts as the word."""
    window: int
    """Of so many probabilities the score is the mean."""


class StreamedWord:
    """A word in one stream."""

    def __init__(self, lib: ctypes.CDLL, manifest: Manifest) -> None:
        self.cutoff = manifest.cutoff
        self._network = TfliteNetwork(lib, manifest.network)
        self._steps = self._network.takes[1]
        self._quantized = self._network.quantized()
        self._waiting: list[Any] = []
        self._recent: deque[float] = deque(maxlen=manifest.window)

    def score(self, features: Any) -> float | None:
        """None: the network wants more. It is 0 until there are probabilities enough."""
        self._waiting.append(features)
        if len(self._waiting) < self._steps:
            return None
        scale, zero, gives_scale, gives_zero = self._quantized
        given = np.rint(np.concatenate(self._waiting, axis=1) / scale + zero)
        self._waiting.clear()
        number = int(self._network.run(given).item())
        self._recent.append((number - gives_zero) * gives_scale)
        is_full = len(self._recent) == self._recent.maxlen
        return sum(self._recent) / len(self._recent) if is_full else 0.0


class MicroWakeWord:
    """One stream. Each word has a score for every few features, mostly three."""

    def __init__(self, lib: ctypes.CDLL, manifests: Mapping[str, Manifest]) -> None:
        import pymicro_wakeword as mww

        self._features = mww.MicroWakeWordFeatures()
        self._words = {word: StreamedWord(lib, manifest) for word, manifest in manifests.items()}
        self._sample = 0

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        scores = []
        for features in self._features.process_streaming(chunk.pcm):
            self._sample += samples_of(STEP_MS)
            for word, network in self._words.items():
                if (score := network.score(features)) is not None:
                    scores.append(WakeScore(word, self._sample, score, network.cutoff))
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
    manifests, unheard = loaded(wanted, brought, partial(_read, known.lib))
    return WakeWords(partial(MicroWakeWord, known.lib, manifests), unheard)


def _read(lib: ctypes.CDLL, path: Path) -> Manifest:
    """Raises ValueError for a manifest that is none, or that names no network of microWakeWord."""
    try:
        told = json.loads(path.read_bytes())
        micro, network = told["micro"], path.parent / told["model"]
        cutoff, window = float(micro["probability_cutoff"]), int(micro["sliding_window_size"])
        step_ms = int(micro.get("feature_step_size", STEP_MS))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"is no manifest of a microWakeWord model: it lacks {error}") from error
    if not (0 <= cutoff <= 1 and window > 0):
        raise ValueError("is no manifest of a microWakeWord model")
    if step_ms != STEP_MS:
        raise ValueError(f"wants features each {step_ms} ms; there are those of each {STEP_MS} ms")
    return Manifest(_network(lib, network), cutoff, window)


def _network(lib: ctypes.CDLL, path: Path) -> bytes:
    """What is in the file. Raises ValueError."""
    try:
        what = instead(path)
        data = path.read_bytes()
        if not what and not _is_micro(TfliteNetwork(lib, data)):
            what = "is no microWakeWord model"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    except ValueError as error:
        what = str(error)
    if what:
        raise ValueError(f"names {path.name}, which {what}")
    return data


def _is_micro(network: TfliteNetwork) -> bool:
    takes, types = network.takes, (network.takes_type, network.gives_type)
    is_small = all(one in (np.int8, np.uint8) for one in types)
    return is_small and len(takes) == 3 and takes[2] == BANDS and network.gives == (1, 1)
