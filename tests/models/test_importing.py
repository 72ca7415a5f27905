"""What people bring is recognised, or it is said what is missing of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from airos_edge.errors import ModelError
from airos_edge.models.catalogue import entries
from airos_edge.models.importing import bring_in, name_of
from airos_edge.models.manifest import differences, files_in
from airos_edge.models.recognise import recognise
from airos_edge.models.stored import StoredModel, stored_models

ONNX, TFLITE = b"\x08\x07 onnx", b"\x1c\0\0\0TFL3 tflite"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Files under a directory, which is given back."""

    def put(under: str, **files: bytes) -> Path:
        directory = tmp_path / "from" / under
        for name, data in files.items():
            path = directory / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return directory

    return put


def brought(source: Path, tmp_path: Path, **more: object) -> StoredModel:
    directory = tmp_path / "models"
    path = bring_in(source, directory, name_of(source, None), **more)  # type: ignore[arg-type]
    assert list(differences(path)) == []
    (model,) = stored_models(directory)
    return model


# ---- what is recognised ------------------------------------------------------------------------


def test_a_piper_voice_comes_with_the_language_that_its_json_says(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    told = json.dumps({"audio": {}, "language": {"code": "de_DE"}, "espeak": {"voice": "de"}})
    source = put("in", eva_dot_onnx=ONNX, eva_dot_onnx_dot_json=told.encode())
    for name in ("eva.onnx", "eva.onnx.json"):
        found = recognise(source / name)
        assert (found.task, found.engine, found.languages) == ("tts", "piper", ("de",))
    model = brought(source / "eva.onnx", tmp_path)
    assert (model.name, model.task, model.engine, model.languages) == (
        "eva",
        "tts",
        "piper",
        ("de",),
    )
    assert files_in(model.path) == ["eva.onnx", "eva.onnx.json"]


def test_a_gguf_is_a_mind(put: Callable[..., Path], tmp_path: Path) -> None:
    model = brought(put("in", Owl_dot_gguf=b"GGUF....") / "Owl.gguf", tmp_path)
    assert (model.name, model.task, model.engine) == ("Owl", "llm", "llama")


def test_a_mind_in_several_files_comes_with_all_of_them(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    parts = {f"owl-0000{n}-of-00002_dot_gguf": b"GGUF...." for n in (1, 2)}
    source = put("in", mmproj_dot_gguf=b"GGUF", **parts)
    assert len(recognise(source).files) == 2
    model = brought(source / "owl-00002-of-00002.gguf", tmp_path)
    assert model.name == "owl"
    assert files_in(model.path) == ["owl-00001-of-00002.gguf", "owl-00002-of-00002.gguf"]


def test_a_faster_whisper_directory_is_ears(put: Callable[..., Path], tmp_path: Path) -> None:
    source = put(
        "whisper-owl-en",
        model_dot_bin=b"w",
        config_dot_json=b"{}",
        tokenizer_dot_json=b"{}",
        vocabulary_dot_txt=b"a",
    )
    model = brought(source, tmp_path)
    assert (model.name, model.engine, model.languages) == ("whisper-owl-en", "whisper", ("en",))


@pytest.mark.parametrize(
    ("files", "task"),
    [
        ({"encoder_dot_onnx": ONNX, "decoder_dot_onnx": ONNX, "joiner_dot_onnx": ONNX}, "asr"),
        ({"model_dot_onnx": ONNX + b"lfr_window_size"}, "asr"),
        ({"model_dot_onnx": ONNX, "voices_dot_bin": b"v"}, "tts"),
        ({"model_dot_onnx": ONNX + b"n_speakers", "lexicon_dot_txt": b"a b"}, "tts"),
        ({"model_dot_onnx": ONNX, "espeak-ng-data__phontab": b"p"}, "tts"),
    ],
)
def test_of_a_sherpa_directory_it_is_seen_whether_it_hears_or_speaks(
    put: Callable[..., Path], tmp_path: Path, files: dict[str, bytes], task: str
) -> None:
    model = brought(put("owl", tokens_dot_txt=b"a 0", **files), tmp_path, languages=("zh", "en"))
    assert (model.task, model.engine, model.languages) == (task, "sherpa", ("zh", "en"))


def test_a_small_onnx_or_a_tflite_is_a_wake_word(put: Callable[..., Path], tmp_path: Path) -> None:
    source = put("in", hey_owl_dot_tflite=TFLITE, hey_bird_dot_onnx=ONNX)
    for path in source.iterdir():
        found = recognise(path)
        assert (found.task, found.engine) == ("wake", "openwakeword")


def test_a_micro_wake_word_is_its_json_and_its_model(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    told = {"type": "micro", "model": "owl.tflite", "trained_languages": ["en"]}
    source = put("in", owl_dot_json=json.dumps(told).encode(), owl_dot_tflite=TFLITE)
    for name in ("owl.json", "owl.tflite"):
        found = recognise(source / name)
        assert (found.engine, found.languages, len(found.files)) == ("microwakeword", ("en",), 2)


def test_a_model_of_the_catalogue_s_name_gets_its_quality_and_licence(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    source = put(
        "whisper-small",
        model_dot_bin=b"w",
        config_dot_json=b"{}",
        tokenizer_dot_json=b"{}",
        vocabulary_dot_txt=b"a",
    )
    model = brought(source, tmp_path, known=entries())
    assert model.quality == 50
    assert json.loads((model.path / "airos.json").read_bytes())["licence"] == "MIT"


# ---- directories of another box -----------------------------------------------------------------


def test_a_directory_of_another_box_comes_as_it_was_there(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    model = brought(put("in", owl_dot_gguf=b"GGUF....") / "owl.gguf", tmp_path, languages=("de",))
    other = tmp_path / "other"
    bring_in(model.path, other, "owl")
    (again,) = stored_models(other)
    assert (again.languages, again.revision) == (("de",), model.revision)
    assert list(differences(again.path)) == []


def test_a_directory_of_another_box_that_is_not_whole_is_refused(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    model = brought(put("in", owl_dot_gguf=b"GGUF....") / "owl.gguf", tmp_path)
    (model.path / "owl.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"is not whole: owl.gguf is cut off: 4 of 8 bytes"):
        bring_in(model.path, tmp_path / "other", "owl")
    assert stored_models(tmp_path / "other") == []


def test_one_that_is_brought_again_with_other_files_is_another_edition(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    before = brought(put("in", owl_dot_gguf=b"GGUF....") / "owl.gguf", tmp_path)
    after = brought(put("in", owl_dot_gguf=b"GGUF!!!!") / "owl.gguf", tmp_path)
    assert before != after
    assert before.path == after.path


# ---- what is not taken ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "name", "complaint"),
    [
        ({"eva_dot_onnx_dot_json": b"{}"}, "eva.onnx.json", "eva.onnx is missing"),
        ({"eva_dot_onnx": ONNX + bytes(9_000_000)}, "eva.onnx", "eva.onnx.json is missing"),
        ({"owl_dot_gguf": b"owl"}, "owl.gguf", "is no GGUF"),
        (
            {"owl-00001-of-00002_dot_gguf": b"GGUF"},
            "owl-00001-of-00002.gguf",
            "is one part of 2; beside it owl-00002-of-00002.gguf is missing",
        ),
        ({"owl_dot_tflite": b"owl, not TFL3"}, "owl.tflite", "is no TensorFlow Lite model"),
        (
            {"owl_dot_onnx": b"version https://git-lfs.github.com/spec/v1"},
            "owl.onnx",
            "Git-LFS pointer",
        ),
        ({"owl_dot_json": b"{}"}, "owl.json", "is no micro-wake-word"),
        (
            {"owl_dot_json": b'{"type": "micro", "model": "o.tflite"}'},
            "owl.json",
            "o.tflite, which it names, is missing",
        ),
        ({"owl_dot_json": b"<html>"}, "owl.json", "is a web page"),
        (
            {"owl_dot_tar": b"owl"},
            "owl.tar",
            "is no model of a known kind; those are: a Piper voice",
        ),
        ({"model_dot_bin": b"w"}, "", "has config.json, tokenizer.json, vocabulary.json beside"),
        (
            {"encoder_dot_onnx": ONNX, "decoder_dot_onnx": ONNX},
            "",
            "has a tokens.txt too, which is missing",
        ),
        (
            {"model_dot_onnx": ONNX, "tokens_dot_txt": b"a"},
            "",
            "say with --task whether it is asr or tts",
        ),
        ({"notes_dot_txt": b"a"}, "", "is no model of a known kind"),
        ({"notes_dot_txt": b"a"}, "owl", "is not there"),
    ],
)
def test_it_is_said_what_is_missing_or_what_it_is_instead(
    put: Callable[..., Path], tmp_path: Path, files: dict[str, bytes], name: str, complaint: str
) -> None:
    source = put("in", **files)
    with pytest.raises(ModelError, match=complaint):
        bring_in(source / name if name else source, tmp_path / "models", "owl")
    assert stored_models(tmp_path / "models") == []


def test_what_is_for_another_task_than_said_is_refused(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    source = put("in", owl_dot_gguf=b"GGUF....") / "owl.gguf"
    with pytest.raises(ModelError, match="is for llm, and not for wake"):
        bring_in(source, tmp_path / "models", "owl", "wake")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Llama-3.2-3B.gguf", "Llama-3.2-3B"),
        ("eva.onnx.json", "eva"),
        ("hey.owl.tflite", "hey.owl"),
    ],
)
def test_a_model_is_called_as_its_file(tmp_path: Path, file: str, name: str) -> None:
    assert name_of(tmp_path / file, None) == name
    assert name_of(tmp_path / file, "owl") == "owl"


@pytest.mark.parametrize("name", ["..", ".owl", "a/b", "", "ow l"])
def test_a_name_that_would_lie_elsewhere_is_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="is no name for a model"):
        name_of(tmp_path / "x.gguf", name or " ")
