"""A word's network scores what it is shown, and a file of something else is named as what it is."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyopen_wakeword as oww
import pytest

from airos_edge.engines.word_networks import open_network
from airos_edge.errors import EngineUnavailable
from tests.engines.word_models import expected, onnx_word, tflite_word

PACKAGE = Path(oww.__file__).parent / "models"


@pytest.fixture(scope="module")
def lib() -> ctypes.CDLL:
    lib: ctypes.CDLL = oww.OpenWakeWordFeatures.from_builtin().lib
    return lib


def looks(windows: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 10, (count, windows, 96)).astype(np.float32)


@pytest.mark.parametrize("windows", [16, 5, 28])
def test_a_tflite_word_scores_each_look(lib: ctypes.CDLL, tmp_path: Path, windows: int) -> None:
    network = open_network("it", lib, tflite_word(tmp_path / "word.tflite", windows))
    seen = looks(windows)
    assert network.windows == windows
    assert network.scores(seen) == pytest.approx(expected(seen), abs=1e-5)
    assert network.scores(seen[:0]) == []


@pytest.mark.parametrize("batch", [1, "batch"])
@pytest.mark.parametrize("windows", [16, 28])
def test_an_onnx_word_scores_each_look_one_by_one_or_at_once(
    lib: ctypes.CDLL, tmp_path: Path, windows: int, batch: int | str
) -> None:
    network = open_network("it", lib, onnx_word(tmp_path / "word.onnx", windows, batch))
    seen = looks(windows)
    assert network.windows == windows
    assert network.scores(seen) == pytest.approx(expected(seen), abs=1e-5)
    assert network.scores(seen[:0]) == []


@pytest.mark.parametrize("word", list(oww.Model))
def test_the_words_of_the_package_have_the_scores_that_pyopen_wakeword_gives(
    lib: ctypes.CDLL, word: oww.Model
) -> None:
    theirs, ours = oww.OpenWakeWord.from_builtin(word), open_network("it", lib, path_of(word))
    for look in looks(theirs.input_windows, 5):
        theirs.reset()
        (score,) = theirs.process_streaming(look[np.newaxis, np.newaxis])
        assert ours.scores(look[np.newaxis]) == pytest.approx([score], abs=1e-6)


def path_of(word: oww.Model) -> Path:
    return PACKAGE / f"{word.value}.tflite"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda at: PACKAGE / "embedding_model.tflite", "it takes 1 × 76 × 32 × 1, and not 1 × 16"),
        (lambda at: PACKAGE / "melspectrogram.tflite", "cannot be run: it takes no fixed size"),
        (lambda at: micro(), "is a microWakeWord model: give the .json"),
        (lambda at: tflite_word(at / "w.tflite", outputs=4), "gives 1 × 4 numbers"),
        (lambda at: onnx_word(at / "w.onnx", outputs=4), "gives 1 × 4 numbers"),
        (lambda at: onnx_word(at / "w.onnx", features=64), "it takes 1 × 16 × 64"),
        (lambda at: onnx_word(at / "w.onnx", batch=2), "it takes 2 × 16 × 96"),
        (lambda at: tflite_word(at / "w.tflite", windows=200), "it takes 1 × 200 × 96"),
        (lambda at: cut(tflite_word(at / "w.tflite")), "is no whole TensorFlow Lite model"),
    ],
)
def test_a_model_of_something_else_is_refused(
    lib: ctypes.CDLL,
    tmp_path: Path,
    wrong: Callable[[Path], Path],
    told: str,
) -> None:
    with pytest.raises(ValueError, match=told):
        open_network("it", lib, wrong(tmp_path))


def test_an_onnx_file_that_is_cut_off_cannot_be_loaded(lib: ctypes.CDLL, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"word\.onnx cannot be loaded"):
        open_network("it", lib, cut(onnx_word(tmp_path / "word.onnx")))


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-3000])
    return path


def micro() -> Path:
    import pymicro_wakeword as mww

    return Path(mww.__file__).parent / "models" / "alexa.tflite"


def test_what_is_opened_is_freed(lib: ctypes.CDLL, tmp_path: Path) -> None:
    path = tflite_word(tmp_path / "word.tflite", windows=100)  # 38 KB of weights, read by mmap
    seen = looks(100, 1)

    def opened_and_dropped() -> None:
        network = open_network("it", lib, path)
        assert network.scores(seen)

    for _ in range(50):
        opened_and_dropped()
    before = resident_kb()
    for _ in range(500):
        opened_and_dropped()
    assert resident_kb() - before < 2000


def test_who_writes_over_the_file_does_not_disturb_who_listens(
    lib: ctypes.CDLL, tmp_path: Path
) -> None:
    path = tflite_word(tmp_path / "word.tflite")
    network, seen = open_network("it", lib, path), looks(16)
    path.write_bytes(b"")
    assert network.scores(seen) == pytest.approx(expected(seen), abs=1e-5)


def resident_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
