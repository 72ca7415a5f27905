"""Models in the engines' real formats are recognised by their files, and those engines are then chosen."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from airos_edge.engines.choosing import choose
from airos_edge.models.importing import bring_in, name_of
from airos_edge.models.recognise import recognise
from airos_edge.models.stored import MANIFEST, stored_models
from tests import llama_model, sherpa_funasr, sherpa_models, sherpa_voices
from tests.engines import word_models
from tests.piper_model import piper_voice
from tests.whisper_model import make_whisper


def piper(directory: Path) -> Path:
    voice = piper_voice(directory.parent, "de_DE-hum-low", "de_DE")
    (voice.path / MANIFEST).unlink()  # as it lies on the hub
    return voice.path / "de_DE-hum-low.onnx"


def mind(directory: Path) -> Path:
    directory.mkdir()
    llama_model.write_model(directory / "tiny.gguf")
    return directory / "tiny.gguf"


def micro(directory: Path) -> Path:
    directory.mkdir()
    return word_models.micro_word(directory)


def onnx(directory: Path) -> Path:
    directory.mkdir()
    return word_models.onnx_word(directory / "hey_owl.onnx")


def tflite(directory: Path) -> Path:
    directory.mkdir()
    return word_models.tflite_word(directory / "hey_owl.tflite")


@pytest.mark.parametrize(
    ("make", "task", "engine"),
    [
        (make_whisper, "asr", "whisper"),
        (sherpa_models.zipformer, "asr", "sherpa"),
        (sherpa_funasr.paraformer, "asr", "sherpa"),
        (sherpa_funasr.streaming_paraformer, "asr", "sherpa"),
        (sherpa_funasr.sense_voice, "asr", "sherpa"),
        (sherpa_voices.vits, "tts", "sherpa"),
        (sherpa_voices.matcha, "tts", "sherpa"),
        (sherpa_voices.kokoro, "tts", "sherpa"),
        (piper, "tts", "piper"),
        (mind, "llm", "llama"),
        (micro, "wake", "microwakeword"),
        (onnx, "wake", "openwakeword"),
        (tflite, "wake", "openwakeword"),
    ],
)
def test_a_model_in_its_real_format_is_recognised(
    tmp_path: Path, make: Callable[[Path], Path], task: str, engine: str
) -> None:
    source = make(tmp_path / "from")
    found = recognise(source)
    assert (found.task, found.engine) == (task, engine)
    path = bring_in(source, tmp_path / "models", name_of(source, None), languages=("de",))
    (model,) = stored_models(tmp_path / "models")
    assert (model.path, model.engine) == (path, engine)
    if task in ("asr", "tts"):
        choice = choose(task, engine, "de", lambda part: True, [model])  # type: ignore[arg-type]
        assert (choice.engine, choice.model) == (engine, model), choice.why


def test_what_a_piper_voice_says_of_its_language_is_taken(tmp_path: Path) -> None:
    path = bring_in(piper(tmp_path / "from"), tmp_path / "models", "hum")
    assert json.loads((path / MANIFEST).read_bytes())["languages"] == ["de"]
