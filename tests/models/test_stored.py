"""A model is a directory with a manifest."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from airos_edge.models.settings import Settings
from airos_edge.models.stored import StoredModel, find, stored_models


def store(directory: Path, name: str, **manifest: object) -> Path:
    path = directory / name
    path.mkdir(parents=True)
    (path / "airos.json").write_text(json.dumps(manifest))
    return path


def test_what_has_a_manifest_is_a_model(tmp_path: Path) -> None:
    path = store(tmp_path, "amy", task="tts", engine="piper", languages=["en"], quality=3)
    (tmp_path / "half").mkdir()
    store(tmp_path, ".hidden", task="tts", engine="piper")
    (found,) = stored_models(tmp_path)
    expected = StoredModel("amy", "tts", "piper", path, languages=("en",), quality=3)
    assert replace(found, arrived_ns=0) == expected
    os.utime(path / "airos.json", (0, 0))
    assert stored_models(tmp_path) != [found], "what was put there again is another value"
    assert stored_models(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "manifest", ["", "[]", "{}", '{"task": "dance", "engine": "x"}', '{"task": "asr"}']
)
def test_what_has_a_broken_manifest_is_none_and_is_logged(
    tmp_path: Path, manifest: str, caplog: pytest.LogCaptureFixture
) -> None:
    (store(tmp_path, "amy") / "airos.json").write_text(manifest)
    assert stored_models(tmp_path) == []
    assert "no model" in caplog.text


def test_a_model_is_found_by_its_name_and_knows_its_languages(tmp_path: Path) -> None:
    store(tmp_path, "amy", task="tts", engine="piper", languages=["de"])
    models = stored_models(tmp_path)
    amy = find(models, "amy")
    assert amy is not None
    assert [amy.speaks(language) for language in ("de", "de-at", "en")] == [True, True, False]
    assert find(models, "bob") is None


def test_models_lie_within_the_state_unless_configured_otherwise(tmp_path: Path) -> None:
    assert Settings().directory_in(tmp_path) == tmp_path / "models"
    assert Settings(directory="/srv/models").directory_in(tmp_path) == Path("/srv/models")
