"""What an ONNX file says of itself, and what a file is that is none."""

from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airos_edge.engines.onnx_metadata import metadata_of
from tests.sherpa_models import zipformer


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zipformer(tmp_path_factory.mktemp("zipformer")) / "encoder.onnx"


def test_the_metadata_of_a_model_are_read_without_loading_it(encoder: Path) -> None:
    metadata = metadata_of(encoder)
    assert metadata["model_type"] == "zipformer2"
    assert metadata["decode_chunk_len"] == "32"


def test_a_model_that_was_cut_anywhere_is_told_from_a_whole_one(
    encoder: Path, tmp_path: Path
) -> None:
    whole, cut = encoder.read_bytes(), tmp_path / "cut.onnx"
    for length in range(0, len(whole) - 200, 97):  # the metadata are at the end
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"is cut short|is empty|is no ONNX model"):
            metadata_of(cut)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n",
            "is a Git-LFS pointer",
        ),
        (b"\n<!DOCTYPE html><html>", "is a web page"),
        (b"<HTML><body>404", "is a web page"),
    ],
)
def test_what_lies_where_a_model_should_be_is_named(
    content: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        metadata_of(path)


def test_a_file_that_is_not_there_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file or directory"):
        metadata_of(tmp_path / "none")


@given(st.binary(min_size=1, max_size=60))
def test_anything_else_is_no_model_and_breaks_nothing(content: bytes) -> None:
    with NamedTemporaryFile(suffix=".onnx") as file:
        file.write(content)
        file.flush()
        if b"\x3a" not in content:  # a model has a graph: field 7, of a length
            with pytest.raises(ValueError, match="is "):
                metadata_of(Path(file.name))
        else:
            with suppress(ValueError):
                metadata_of(Path(file.name))
