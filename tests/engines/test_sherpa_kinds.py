"""Which kind of sherpa-onnx's models a directory holds, and what is said of one that holds none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from airos_edge.engines.sherpa_kinds import kind_of
from airos_edge.errors import EngineUnavailable
from tests.sherpa_clones import zipvoice
from tests.sherpa_funasr import paraformer, sense_voice, streaming_paraformer
from tests.sherpa_models import zipformer
from tests.sherpa_voices import kokoro, matcha, piper, vits

Make = Callable[[Path], Path]
EARS: dict[str, Make] = {
    "zipformer": zipformer,
    "streaming_paraformer": streaming_paraformer,
    "paraformer": paraformer,
    "sense_voice": sense_voice,
}
VOICES: dict[str, Make] = {
    "vits": vits,
    "matcha": matcha,
    "kokoro": kokoro,
    "zipvoice": zipvoice,
}


@pytest.mark.parametrize(
    ("task", "name", "make"),
    [("asr", *one) for one in EARS.items()] + [("tts", *one) for one in VOICES.items()],
)
def test_a_kind_is_seen_by_its_files(task: str, name: str, make: Make, tmp_path: Path) -> None:
    found = kind_of(make(tmp_path), task)
    assert found.kind.name == name
    assert all(Path(path).exists() for path in found.files.values())


def test_a_voice_of_pipers_is_one_of_vits_whatever_its_file_is_called(tmp_path: Path) -> None:
    found = kind_of(piper(tmp_path), "tts")
    assert found.kind.name == "vits"
    assert Path(found.files["model"]).name == "en_GB-small-low.onnx"
    assert found.metadata["comment"] == "piper"


def test_a_transducer_that_does_not_stream_is_another_kind(tmp_path: Path) -> None:
    encoder = zipformer(tmp_path) / "encoder.onnx"
    encoder.write_bytes(encoder.read_bytes().replace(b"decode_chunk_len", b"decode_chunk_NOT"))
    assert kind_of(tmp_path, "asr").kind.name == "transducer"


def test_of_two_that_do_the_same_the_quantized_one_is_taken_or_the_other(tmp_path: Path) -> None:
    paraformer(tmp_path)
    (tmp_path / "model.int8.onnx").write_bytes((tmp_path / "model.onnx").read_bytes())
    assert kind_of(tmp_path, "asr").files["model"].endswith("model.int8.onnx")
    other = kind_of(tmp_path, "asr", is_quantized=False)
    assert other.files["model"].endswith("/model.onnx")


def test_lexicons_and_rules_are_handed_over_together(tmp_path: Path) -> None:
    vits(tmp_path)
    for name in ("lexicon-zh.txt", "date.fst", "number.fst"):
        (tmp_path / name).write_text("x")
    files = kind_of(tmp_path, "tts").files
    assert [Path(path).name for path in files["lexicon"].split(",")] == [
        "lexicon-zh.txt",
        "lexicon.txt",
    ]
    assert [Path(path).name for path in files["rules"].split(",")] == ["date.fst", "number.fst"]


def test_what_is_missing_of_the_nearest_kind_is_named(tmp_path: Path) -> None:
    zipformer(tmp_path)
    (tmp_path / "joiner.onnx").unlink()
    (tmp_path / "tokens.txt").unlink()
    with pytest.raises(EngineUnavailable, match=r"lacks \*tokens.txt of streaming_paraformer"):
        kind_of(tmp_path, "asr")
    with pytest.raises(
        EngineUnavailable, match=r"lacks \*joiner\*.onnx, \*tokens.txt of zipformer"
    ):
        kind_of(tmp_path, "asr", "zipformer")


def test_a_model_of_a_type_that_nobody_knows_is_named_with_its_type(tmp_path: Path) -> None:
    model = paraformer(tmp_path) / "model.onnx"
    model.write_bytes(model.read_bytes().replace(b"lfr_window_size", b"xxx_window_size"))
    with pytest.raises(EngineUnavailable, match=r"model.onnx: says paraformer, and is of no kind"):
        kind_of(tmp_path, "asr")


def test_a_kind_that_there_is_not_is_told_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="got 'zip', wants zipformer, transducer"):
        kind_of(tmp_path, "asr", "zip")


def test_a_directory_that_is_not_there_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="none: is no directory"):
        kind_of(tmp_path / "none", "asr")


@pytest.mark.parametrize("name", ["joiner.onnx", "tokens.txt"])
def test_a_pointer_of_git_lfs_is_named_with_its_file(name: str, tmp_path: Path) -> None:
    pointer = zipformer(tmp_path) / name
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n")
    with pytest.raises(EngineUnavailable, match=f"{name}: is a Git-LFS pointer"):
        kind_of(tmp_path, "asr")


def test_a_model_that_was_cut_short_is_named(tmp_path: Path) -> None:
    encoder = zipformer(tmp_path) / "encoder.onnx"
    encoder.write_bytes(encoder.read_bytes()[:700])
    with pytest.raises(EngineUnavailable, match=r"encoder.onnx: is cut short, at 700 bytes"):
        kind_of(tmp_path, "asr")
