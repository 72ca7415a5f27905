"""The network of a word on openWakeWord's features: .tflite by the library of pyopen-wakeword, .onnx by
onnxruntime.

It takes the last embeddings of a grid of 80 ms, most take 16, and gives how much they are the word.
"""

import ctypes
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from airos_edge.engines.embedding import Array
from airos_edge.engines.onnx import open_session
from airos_edge.engines.tflite import TfliteNetwork

FEATURES = 96
MOST_WINDOWS = 120
"""10 s, as pyopen-wakeword has it; no model sees nearly so much."""


class WordNetwork(Protocol):
    windows: int
    """How many embeddings it takes."""

    def scores(self, seen: Array) -> list[float]:
        """Of each of n looks at the stream, shape (n, windows, 96), the score."""


class TfliteWord:
    def __init__(self, network: TfliteNetwork) -> None:
        self._network = network
        self.windows = network.takes[1]

    def scores(self, seen: Array) -> list[float]:
        return [float(self._network.run(one[np.newaxis]).item()) for one in seen]


class OnnxWord:
    def __init__(self, session: Any, windows: int, takes_many: bool) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._takes_many = takes_many
        self.windows = windows

    def scores(self, seen: Array) -> list[float]:
        batches = [one[np.newaxis] for one in seen]
        if self._takes_many and batches:
            batches = [seen]
        made = [self._session.run(None, {self._input: batch})[0] for batch in batches]
        return [float(score) for scores in made for score in scores.ravel()]


def open_network(engine: str, lib: ctypes.CDLL, path: Path) -> WordNetwork:
    """It has run once. Raises EngineUnavailable, OSError, and ValueError for a model of something else."""
    if path.suffix == ".onnx":
        return _onnx(open_session(engine, path))
    network = TfliteNetwork(lib, path.read_bytes())
    is_float = network.takes_type == network.gives_type == np.float32
    _refuse_others(network.takes, network.gives, is_float)
    word = TfliteWord(network)
    word.scores(np.zeros((1, word.windows, FEATURES), np.float32))
    return word


def _onnx(session: Any) -> OnnxWord:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    takes, gives = (tuple(one[0].shape) for one in (inputs, outputs))
    is_float = inputs[0].type == outputs[0].type == "tensor(float)" and len(inputs) == 1
    _refuse_others(takes, gives, is_float)
    many = OnnxWord(session, takes[1], takes_many=True)
    if not isinstance(takes[0], int) and _count(many, 2) == 2:
        return many
    word = OnnxWord(session, takes[1], takes_many=False)
    if (count := _count(word, 1)) != 1:
        raise ValueError(f"gives {count} numbers, and not one score" if count else "cannot be run")
    return word


def _count(word: OnnxWord, looks: int) -> int | None:
    """How many numbers it gives for so many looks; None: it cannot be run on them."""
    try:
        return len(word.scores(np.zeros((looks, word.windows, FEATURES), np.float32)))
    except Exception:  # boundary: onnxruntime's own errors share no base but this
        return None


def _refuse_others(takes: tuple[Any, ...], gives: tuple[Any, ...], is_float: bool) -> None:
    """Raises ValueError. An axis of an ONNX model may be a name, or None, where it can have any length."""
    if len(takes) == 3 and takes[2] == 40:
        raise ValueError("is a microWakeWord model: give the .json that came with it")
    batch, windows, features = takes if len(takes) == 3 else (None, None, None)
    fits = isinstance(windows, int) and 1 <= windows <= MOST_WINDOWS and features == FEATURES
    if not (fits and is_float) or (isinstance(batch, int) and batch != 1):
        raise ValueError(
            f"is no wake word of openWakeWord: it takes {_shown(takes)}, and not 1 × 16 × {FEATURES}"
        )
    if any(isinstance(length, int) and length != 1 for length in gives):
        raise ValueError(f"gives {_shown(gives)} numbers, and not one score")


def _shown(shape: tuple[Any, ...]) -> str:
    return " × ".join(str(length) if isinstance(length, int) else "any" for length in shape)
