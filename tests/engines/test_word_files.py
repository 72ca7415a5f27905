"""Where a wake word's model is found, and what is said of one that is none."""

import json
from pathlib import Path

import pytest

from airos_edge.engines.wanted import WantedWake
from airos_edge.engines.word_files import loaded, word_file
from airos_edge.errors import EngineUnavailable
from airos_edge.models.stored import StoredModel
from airos_edge.voice.waking import WordSettings
from tests.engines.word_models import onnx_word


def stored(directory: Path, name: str, engine: str, *files: str) -> StoredModel:
    (directory / name).mkdir()
    for file in files:
        text = json.dumps({}) if file.endswith(".json") else ""
        (directory / name / file).write_text(text)
    return StoredModel(name, "wake", engine, directory / name)


def test_a_word_without_a_model_is_one_that_an_engine_brings() -> None:
    assert word_file("hey_jarvis", WordSettings(), ()) is None


def test_a_path_is_the_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = onnx_word(tmp_path / "mum.onnx")
    assert word_file("hey_mum", WordSettings(str(path)), ()) == path
    assert word_file("hey_mum", WordSettings("~/mum.onnx"), ()) == path


def test_a_model_on_the_box_goes_by_its_name_and_is_the_words_own_if_it_is_called_so(
    tmp_path: Path,
) -> None:
    onnx = stored(tmp_path, "hey_mum", "openwakeword", "airos.json")
    onnx_word(onnx.path / "v2.onnx")
    micro = stored(tmp_path, "other", "microwakeword", "airos.json", "mum.json", "mum.tflite")
    models = (onnx, micro)
    assert word_file("hey_mum", WordSettings(), models) == onnx.path / "v2.onnx"
    assert word_file("hey_mum", WordSettings("other"), models) == micro.path / "mum.json"


def test_a_model_that_is_not_on_the_box_gets_the_names_of_those_that_are(tmp_path: Path) -> None:
    models = (stored(tmp_path, "hey_mum", "openwakeword"),)
    with pytest.raises(ValueError, match="no model 'dad'; of wake words this box has: hey_mum"):
        word_file("hey_dad", WordSettings("dad"), models)
    with pytest.raises(ValueError, match=r"hey_mum has no file that ends in \.onnx or \.tflite"):
        word_file("hey_mum", WordSettings(), models)
    models[0].path.rmdir()
    with pytest.raises(ValueError, match="hey_mum: No such file"):
        word_file("hey_mum", WordSettings(), models)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "a.onnx",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "Git-LFS pointer",
        ),
        ("a.tflite", b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("a.json", b"{", "is no JSON"),
        ("a.onnx", b"", "is empty"),
        ("a.tflite", b"\x08\x07\x12\x00 this is an ONNX file", "is no TensorFlow Lite"),
        ("a.pt", b"PK", "ends in .onnx or .tflite or .json"),
    ],
)
def test_what_is_no_model_is_named_as_what_it_is(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=told):
        word_file("hey_mum", WordSettings(str(tmp_path / name)), ())


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"/nowhere/mum\.onnx: No such file"):
        word_file("hey_mum", WordSettings("/nowhere/mum.onnx"), ())


def test_of_several_words_those_that_can_be_are_loaded_and_the_others_say_why(
    tmp_path: Path,
) -> None:
    def load(path: Path) -> str:
        if path.stem == "bad":
            raise ValueError("is something else")
        if path.stem == "lacking":
            raise EngineUnavailable("it", "needs what is not there")
        return path.stem

    own = {name: str(onnx_word(tmp_path / f"{name}.onnx")) for name in ("good", "bad", "lacking")}
    words = {f"hey_{name}": WordSettings(path) for name, path in own.items()}
    words |= {"brought": WordSettings(), "brougt": WordSettings()}
    made, unheard = loaded(WantedWake(words), {"brought": Path("theirs")}, load)
    assert made == {"hey_good": "good", "brought": "theirs"}
    assert unheard == {
        "hey_bad": f"{tmp_path}/bad.onnx is something else",
        "hey_lacking": "it: needs what is not there",
        "brougt": "no wake word 'brougt'; try brought",
    }
