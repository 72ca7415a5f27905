"""What the files of a model are compared with, and what is said of those that differ."""

import json
from pathlib import Path

import pytest

from airos_edge.errors import ModelError
from airos_edge.models.manifest import (
    FileFacts,
    Manifest,
    differences,
    facts_of,
    files_in,
    read_files,
    size_of,
    write,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "owl"
    (path / "data").mkdir(parents=True)
    (path / "big.bin").write_bytes(b"wisdom")
    (path / "data" / "a").write_bytes(b"a")
    files = facts_of(path, iter(files_in(path)))
    write(path, Manifest("tts", "owl", "", ("de",), 3, "MIT", "here", "1", files))
    return path


def test_a_model_as_it_came_differs_in_nothing(model: Path) -> None:
    assert list(differences(model)) == []
    assert size_of(model) == 7
    assert read_files(model)["data/a"] == FileFacts(
        1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "big.bin is missing"),
        (b"wis", "big.bin is cut off: 3 of 6 bytes are there"),
        (b"wisdoms", "big.bin has grown: 7 bytes instead of 6"),
        (b"freedo", "big.bin has changed: its SHA-256 is another"),
        (b"", "big.bin is empty"),
        (
            b"<html>",
            "big.bin is a web page, not a model: a portal, a proxy or an error page has answered",
        ),
    ],
)
def test_what_differs_is_named(model: Path, data: bytes | None, said: str) -> None:
    if data is None:
        (model / "big.bin").unlink()
    else:
        (model / "big.bin").write_bytes(data)
    assert list(differences(model)) == [said]


@pytest.mark.parametrize("name", ["../passwd", "/etc/passwd", ""])
def test_a_manifest_that_leads_elsewhere_is_none(model: Path, name: str) -> None:
    told = {"files": {name: {"size": 1, "sha256": ""}}}
    (model / "airos.json").write_text(json.dumps(told))
    with pytest.raises(ModelError, match="lies elsewhere"):
        read_files(model)


@pytest.mark.parametrize("text", ["[]", "{", '{"files": {"a": 1}}', '{"files": []}'])
def test_what_is_no_manifest_is_refused(model: Path, text: str) -> None:
    (model / "airos.json").write_text(text)
    with pytest.raises(ModelError, match="is no manifest of a model"):
        read_files(model)


def test_a_directory_without_a_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no manifest"):
        read_files(tmp_path)


def test_of_one_written_by_hand_nothing_is_compared(model: Path) -> None:
    (model / "airos.json").write_text('{"task": "tts", "engine": "owl"}')
    assert list(differences(model)) == []
