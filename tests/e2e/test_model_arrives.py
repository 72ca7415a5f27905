"""A model that arrives, or goes, is taken up by the running daemon for its next turn."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import StartDaemon

pytestmark = pytest.mark.real_time

OWL_ENGINE = '''
"""A voice that runs models: espeak's, which says so in the log."""
import logging
from airos_edge.engines import tts_espeak


def open_tts(wanted):
    said = (wanted.model.path / "says").read_text()
    logging.getLogger("owl").info("The owl has read: %s", said)
    return tts_espeak.open_tts(wanted)
'''
SITE = """
from airos_edge.engines import registry

owl = registry.Engine("owl", "owl_engine:open_tts", (), "owl", "a voice of the night", runs_models=True)
registry.ENGINES = {**registry.ENGINES, "tts": (owl, *registry.ENGINES["tts"])}
"""


def owl(directory: Path, says: str) -> Path:
    """A model as another box has it."""
    directory.mkdir()
    (directory / "says").write_text(says)
    told = {"task": "tts", "engine": "owl", "languages": ["en"], "quality": 5, "revision": says}
    (directory / "airos.json").write_text(json.dumps(told))
    return directory


def test_a_model_is_taken_up_replaced_and_let_go_of_while_the_daemon_runs(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "owl_engine.py").write_text(OWL_ENGINE)
    (site / "sitecustomize.py").write_text(SITE)
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    daemon = start_daemon(PYTHONPATH=path)
    daemon.wait_for("INFO tts: espeak")

    model = owl(tmp_path / "owl-small", "hoo")
    done = daemon.airos("models", "import", str(model))
    assert done.returncode == 0, done.stderr
    assert "for the next turn: tts is owl with owl-small." in done.stdout
    assert "The owl has read: hoo" in daemon.log
    assert daemon.airos("say", "--quiet", "good night").returncode == 0
    check = json.loads(daemon.airos("check", "--json").stdout)
    assert check["engines"]["tts"]["engine"] == "owl"
    assert check["daemon"]["engines"]["tts"]["engine"] == "owl"

    done = daemon.airos(
        "models", "import", str(owl(tmp_path / "other", "hoo-hoo")), "--name", "owl-small"
    )
    assert done.returncode == 0, done.stderr
    assert "The owl has read: hoo-hoo" in daemon.log

    done = daemon.airos("models", "remove", "--yes", "owl-small")
    assert done.returncode == 0, done.stderr
    assert "for the next turn: tts is espeak." in done.stdout
    assert not Path(daemon.environment["HOME"], ".local/state/airos/models/owl-small").exists()
    assert daemon.airos("say", "--quiet", "good morning").returncode == 0


def test_a_daemon_fetches_nothing_by_itself(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(
        config="models: {mirror: 'http://127.0.0.1:9'}\nlanguage: de\n", expect_warnings=True
    )
    assert daemon.airos("say", "--quiet", "guten Tag").returncode == 0
    assert not Path(daemon.environment["HOME"], ".local/state/airos/models").exists()
