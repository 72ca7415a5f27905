"""Models of llama.cpp on this box: by name or path, and what is none."""

from pathlib import Path

import pytest

from airos_edge.engines.llama_file import file_of
from airos_edge.errors import EngineUnavailable
from airos_edge.models.stored import StoredModel

MAGIC = b"GGUF"


def test_a_model_is_found_by_its_name_among_those_for_llama(tmp_path: Path) -> None:
    model_file = tmp_path / "qwen.gguf"
    model_file.write_bytes(MAGIC)
    (tmp_path / "mmproj-qwen.gguf").write_bytes(MAGIC)
    stored = [
        StoredModel("qwen", "asr", "whisper", Path("/elsewhere")),
        StoredModel("qwen", "llm", "llama", tmp_path),
    ]
    assert file_of("small", "qwen", stored) == model_file
    with pytest.raises(EngineUnavailable, match="there is no model 'llama' on this box"):
        file_of("small", "llama", stored)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git-LFS pointer"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"PK\3\4", "is no GGUF"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_model_is_named_as_what_it_is(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(content)
    with pytest.raises(EngineUnavailable, match=told):
        file_of("small", str(file), [])


def test_of_several_files_the_first_is_taken_and_none_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"there is no \.gguf file in"):
        file_of("small", f"{tmp_path}/", [])
    for part in (2, 1):
        (tmp_path / f"big-0000{part}-of-00002.gguf").write_bytes(MAGIC)
    assert file_of("small", str(tmp_path), []).name == "big-00001-of-00002.gguf"
    with pytest.raises(EngineUnavailable, match="cannot be read: No such file"):
        file_of("small", str(tmp_path / "other.gguf"), [])
