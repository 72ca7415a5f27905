"""What makes a directory a model of Whisper, what else lies in its place, and where it computes."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airos_edge.engines import whisper as module
from airos_edge.engines.whisper import PROMPT_TOKENS, Whisper, open_whisper
from airos_edge.errors import EngineUnavailable
from tests.whisper_model import hum, quiet

pytestmark = pytest.mark.usefixtures("_offline")


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # what opening sets is put back


@pytest.fixture(scope="module")
def whisper(tiny_whisper: Path) -> Whisper:
    return open_whisper(tiny_whisper, "cpu")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def of_other_words(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text())[7:]))


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 75538270\n"
HTML = "<!DOCTYPE html>\n<html><body>Not found</body></html>"


@pytest.mark.parametrize(
    ("file", "what", "told"),
    [
        ("model.bin", Path.unlink, "lacks model.bin: it is no model in CTranslate2's format"),
        ("tokenizer.json", Path.unlink, "lacks tokenizer.json"),
        ("config.json", Path.unlink, "lacks config.json"),
        ("vocabulary.json", Path.unlink, "lacks vocabulary.json"),
        ("model.bin", text(POINTER), "model.bin is a Git-LFS pointer"),
        ("model.bin", text(HTML), "model.bin is a web page, not a model"),
        ("model.bin", truncated, "cannot load .* on cpu, int8: .*(size|incomplete)"),
        ("model.bin", text(""), "model.bin is empty"),
        ("vocabulary.json", of_other_words, "and vocabulary.json in .* are not of one model"),
        ("vocabulary.json", text("{}"), "vocabulary.json is no list of tokens"),
        ("vocabulary.json", text("{"), "vocabulary.json cannot be read"),
        ("tokenizer.json", text("{"), "tokenizer.json cannot be read"),
        ("tokenizer.json", text("{}"), "tokenizer.json is no tokenizer"),
        ("tokenizer.json", text('{"added_tokens": []}'), "are not of one model"),
        ("config.json", text("{"), "cannot load"),
        ("preprocessor_config.json", text('{"feature_size": 128}'), "128 bands, not 80"),
    ],
)
def test_what_is_no_model_is_said_to_be_none(
    tiny_whisper: Path, tmp_path: Path, file: str, what: Callable[[Path], object], told: str
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_whisper, model)
    what(model / file)
    with pytest.raises(EngineUnavailable, match=told) as raised:
        open_whisper(model, "cpu")
    assert str(raised.value).startswith("whisper: ")


def test_a_directory_that_is_not_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="is no directory of a model"):
        open_whisper(tmp_path / "absent", "cpu")


# ---- where it computes --------------------------------------------------------------------------


def test_a_cpu_computes_in_int8(whisper: Whisper) -> None:
    assert whisper.runs_on == "cpu, int8"


def test_what_is_wanted_is_what_it_computes_in(tiny_whisper: Path) -> None:
    assert open_whisper(tiny_whisper, "cpu", "float32").runs_on == "cpu, float32"


def test_what_a_cpu_cannot_do_is_said(tiny_whisper: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"cannot load .* on cpu, float16: .*float16"):
        open_whisper(tiny_whisper, "cpu", "float16")


@pytest.mark.parametrize("wanted", ["auto", "float16"])
def test_a_gpu_that_cannot_be_used_is_a_line_in_the_log_and_the_cpu(
    tiny_whisper: Path, caplog: pytest.LogCaptureFixture, wanted: str
) -> None:
    opened = open_whisper(tiny_whisper, "cuda", wanted)
    assert opened.runs_on == "cpu, int8"
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert line.getMessage().startswith("whisper runs on cpu, int8 instead: cannot load")
    assert "on cuda, float16" in line.getMessage()


def test_a_gpu_that_fails_at_the_first_thing_it_computes_is_the_cpu_too(
    tiny_whisper: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import faster_whisper

    class OnGpu(faster_whisper.WhisperModel):  # type: ignore[misc]
        def __init__(self, path: str, device: str, **rest: Any) -> None:
            super().__init__(path, device="cpu", **{**rest, "compute_type": "int8"})
            self._is_full = device == "cuda"

        def encode(self, features: Any) -> Any:
            if self._is_full:
                raise RuntimeError("CUDA failed with error out of memory")
            return super().encode(features)

    monkeypatch.setattr(faster_whisper, "WhisperModel", OnGpu)
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)
    assert open_whisper(tiny_whisper).runs_on == "cpu, int8"
    assert "failed on cuda, float16: CUDA failed with error out of memory" in caplog.text
    assert len(caplog.records) == 1


def test_without_a_gpu_auto_is_the_cpu_and_says_nothing(
    tiny_whisper: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert open_whisper(tiny_whisper).runs_on == "cpu, int8"
    assert not caplog.records


def test_a_model_that_is_in_use_is_not_loaded_again_and_one_that_has_changed_is(
    tiny_whisper: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_whisper, model)
    first = open_whisper(model, "cpu", names=["kitchen"])
    second = open_whisper(model, "cpu", names=["hall"])
    assert second._model is first._model
    assert open_whisper(model, "cpu", "float32")._model is not first._model
    (model / "model.bin").touch()
    assert open_whisper(model, "cpu")._model is not first._model


# ---- what it makes of sound ---------------------------------------------------------------------


def test_silence_says_nothing(whisper: Whisper) -> None:
    assert list(whisper.phrases(quiet(2).as_floats(), "en")) == []
    assert list(whisper.phrases(np.zeros(32000, np.float32), "en")) == []


def test_phrases_end_where_they_end_in_the_recording(whisper: Whisper) -> None:
    phrases = list(whisper.phrases(hum(6).as_floats(), "en", timed=True))
    assert [phrase.end_s for phrase in phrases] == [4, 6]


def segment(**told: float) -> Any:
    from faster_whisper.transcribe import Segment

    usual = {"avg_logprob": -0.2, "no_speech_prob": 0.1, "compression_ratio": 1.0}
    empty = dict.fromkeys(Segment.__dataclass_fields__)
    return Segment(**{**empty, "text": " so", **usual, **told})


@pytest.mark.parametrize(
    ("told", "was_said"),
    [
        ({}, True),
        ({"avg_logprob": -1.2}, False),
        ({"avg_logprob": float("nan")}, False),
        ({"no_speech_prob": 0.9}, True),
        ({"no_speech_prob": 0.9, "avg_logprob": -0.7}, False),
        ({"compression_ratio": 3.0}, False),
    ],
)
def test_what_it_makes_of_noise_is_not_taken_for_words(
    told: dict[str, float], was_said: bool
) -> None:
    assert module._was_said(segment(**told)) is was_said


def test_the_houses_names_are_told_as_far_as_there_is_room(
    tiny_whisper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str | None] = []
    opened = open_whisper(tiny_whisper, "cpu", names=["kitchen", "light", *["hallway"] * 200])
    transcribe = opened._model.transcribe

    def noted(*what: Any, hotwords: str | None, **how: Any) -> Any:
        told.append(hotwords)
        return transcribe(*what, hotwords=hotwords, **how)

    monkeypatch.setattr(opened._model, "transcribe", noted)
    assert [phrase.text for phrase in opened.phrases(hum(1).as_floats(), "en")] == [" turn on"]
    (names,) = told
    assert names is not None
    assert names.startswith("kitchen, light, hallway, hallway")
    assert names.endswith("hallway")
    size = len(opened._model.hf_tokenizer.encode(f" {names}").ids)
    assert PROMPT_TOKENS - 10 < size <= PROMPT_TOKENS


@pytest.mark.parametrize(
    ("language", "code"), [("de", "de"), ("de-at", "de"), ("zh-TW", "zh"), ("cmn", "zh")]
)
def test_languages_have_whispers_own_codes(whisper: Whisper, language: str, code: str) -> None:
    assert whisper.code_of(language) == code
