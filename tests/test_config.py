"""The configuration: where it is found, what comes first, and that its example tells the truth."""

from pathlib import Path

import pytest
import yaml

from airos_edge.config import Config, effective, find, load
from airos_edge.errors import ConfigError
from airos_edge.voice.ports import Place

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"


def written(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(text)
    return file


def test_no_file_at_all_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(environ={}) == Config()


def test_the_example_names_every_option_with_its_default() -> None:
    assert yaml.safe_load(EXAMPLE.read_text()) == effective(Config())
    assert load(EXAMPLE, environ={}) == Config()


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "server: {port: 1000}\nreach: edge\n")
    config = load(file, environ={"AIROS_SERVER__PORT": "2000"})
    assert (config.server.port, config.reach) == (2000, Place.EDGE)


def test_the_named_file_comes_before_the_variable_before_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "")
    assert find(Path("named.yaml"), {"AIROS_CONFIG": "other.yaml"}) == Path("named.yaml")
    assert find(None, {"AIROS_CONFIG": "other.yaml"}) == Path("other.yaml")
    assert find(None, {}) == Path("config.yaml")


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "missing.yaml", environ={})


def test_a_file_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(b"name: \xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(file, environ={})
