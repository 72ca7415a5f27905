"""Wake words by microWakeWord's models: small streaming networks, made for microcontrollers.

`pymicro-wakeword` brings some, with what runs them; others come as a .json beside a .tflite, as ESPHome
takes them. The network remembers what it has heard, so each stream has networks of its own.
"""

import ctypes
import json
import shutil
import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

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

    def __init__(self, manifests: Mapping[str, Path]) -> None:
        import pymicro_wakeword as mww

        self._features = mww.MicroWakeWordFeatures()
        self._words = {word: mww.MicroWakeWord.from_config(at) for word, at in manifests.items()}
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
        copies = Path(mkdtemp(prefix="airos-wake-"))
    except (ImportError, AttributeError, OSError, ValueError, RuntimeError) as error:
        raise EngineUnavailable(NAME, f"pymicro-wakeword cannot be loaded: {error}") from error
    brought = {name: Path(known.tflite_model).with_name(f"{name}.json") for name in names}
    manifests, unheard = loaded(wanted, brought, partial(_copied, known.lib, copies))
    begin = partial(MicroWakeWord, manifests)
    weakref.finalize(begin, shutil.rmtree, copies, ignore_errors=True)
    return WakeWords(begin, unheard)


def _copied(lib: ctypes.CDLL, directory: Path, manifest: Path) -> Path:
    """The manifest, and the network that it names, as they are now: each stream reads them, and one that was
    written over meanwhile would end the process, as pymicro-wakeword checks nothing. Raises ValueError."""
    told = _read(manifest)
    network = manifest.parent / told["model"]
    _refuse_others(lib, network)
    into = directory / f"{len([*directory.iterdir()])}.json"
    shutil.copy(network, into.with_suffix(".tflite"))
    into.write_text(json.dumps(told | {"model": f"{into.stem}.tflite"}))
    return into


def _read(manifest: Path) -> dict[str, Any]:
    """Raises ValueError for one that lacks what pymicro-wakeword reads of it."""
    try:
        told: dict[str, Any] = json.loads(manifest.read_bytes())
        micro = told["micro"]
        fits = [float(micro["probability_cutoff"]), int(micro["sliding_window_size"]) > 0]
        fits += [isinstance(told[name], str) for name in ("model", "wake_word")]
        step_ms = int(micro.get("feature_step_size", STEP_MS))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"is no manifest of a microWakeWord model: it lacks {error}") from error
    if not all(fits):
        raise ValueError("is no manifest of a microWakeWord model")
    if step_ms != STEP_MS:
        raise ValueError(f"wants features each {step_ms} ms; there are those of each {STEP_MS} ms")
    return told


def _refuse_others(lib: ctypes.CDLL, network: Path) -> None:
    """Raises ValueError for what is no network of microWakeWord."""
    try:
        what = instead(network) or ""
        takes = () if what else TfliteNetwork(lib, network).takes
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    except ValueError as error:
        what = str(error)
    else:
        if not what and (len(takes) != 3 or takes[2] != BANDS):
            what = "is no microWakeWord model"
    if what:
        raise ValueError(f"names {network.name}, which {what}")
