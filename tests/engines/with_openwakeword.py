"""`make test-wake`: our scores are those of the package openwakeword, which has an environment of its own.

Not among the tests of `make test`, as it brings scipy, scikit-learn and another TFLite. $OPENWAKEWORD_PYTHON
is its interpreter.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyopen_wakeword as oww
import pytest

from airos_edge.engines.wake_openwakeword import open_wake
from airos_edge.engines.wanted import WantedWake
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.waking import WordSettings
from tests.engines.word_models import onnx_word, tflite_word
from tests.speech import noise, spoken

PYTHON = os.environ["OPENWAKEWORD_PYTHON"]
PROGRAM = Path(__file__).with_name("openwakeword_scores.py")
BLOCK = 1280
LATER = 128
"""Its spectra end so many samples before its block does, and ours where the sound does."""
KNOWN = 40
"""Blocks after which nothing is left of the random sound that it begins a stream with."""
SOUND = b"".join(
    part.pcm
    for part in (
        noise(3600),
        *(spoken(text, "en-gb", after_ms=700) for text in ("hey jarvis", "alexa", "okay nabu")),
        spoken("and now turn on the light in the kitchen, please"),
    )
)


def theirs(models: list[Path], framework: str, directory: Path) -> dict[str, list[float]]:
    sound = directory / "sound.raw"
    sound.write_bytes(SOUND)
    asked = {"models": [*map(str, models)], "framework": framework, "sound": str(sound)}
    result = subprocess.run(
        [PYTHON, str(PROGRAM), json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return dict(json.loads(result.stdout.splitlines()[-1]))


def ours(models: list[Path]) -> dict[str, dict[int, float]]:
    """By its word and the number of the block, the score at each block's end."""
    words = {path.stem: WordSettings(str(path)) for path in models}
    streams = open_wake(WantedWake(words))
    assert streams.unheard == {}
    wake = streams()
    scores: dict[str, dict[int, float]] = {word: {} for word in words}
    for piece in AudioChunk(bytes(2 * LATER) + SOUND).pieces(320):
        for score in wake.feed(piece):
            if score.sample % BLOCK == 0:
                scores[score.word][score.sample // BLOCK - 1] = score.score
    return scores


def brought(directory: Path) -> list[Path]:
    return [Path(oww.__file__).parent / "models" / f"{model.value}.tflite" for model in oww.Model]


def own_tflite(directory: Path) -> list[Path]:
    return [tflite_word(directory / f"hey_{windows}.tflite", windows) for windows in (16, 28)]


def own_onnx(directory: Path) -> list[Path]:
    return [
        onnx_word(directory / "hey_16.onnx"),
        onnx_word(directory / "hey_28.onnx", windows=28, batch="batch"),
    ]


@pytest.mark.parametrize(
    ("made", "framework", "telling"),
    [
        (brought, "tflite", {"hey_jarvis", "alexa", "okay_nabu"}),
        (own_tflite, "tflite", {"hey_16", "hey_28"}),
        (own_onnx, "onnx", {"hey_16", "hey_28"}),
    ],
)
def test_our_scores_are_those_of_openwakeword(
    tmp_path: Path, made: Callable[[Path], list[Path]], framework: str, telling: set[str]
) -> None:
    models = made(tmp_path)
    expected, scores = theirs(models, framework, tmp_path), ours(models)
    for word, told in expected.items():
        known = [block for block in scores[word] if block >= KNOWN and block < len(told)]
        assert len(known) > 30
        differing = {
            block: (scores[word][block], told[block])
            for block in known
            if abs(scores[word][block] - told[block]) > 0.01
        }
        assert differing == {}
        if max(told[KNOWN:]) - min(told[KNOWN:]) > 0.01:
            telling = telling - {word}
    assert telling == set(), "scores that never change show nothing"
