"""`airos serve`: a stage alone, until it is told to stop."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from airos_edge.cli import main
from tests.e2e.conftest import free_port


@pytest.mark.real_time
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage", ["wake", "handle"])
def test_it_says_where_it_is_and_ends_when_it_is_told_to(
    stage: str, number: int, tmp_path: Path
) -> None:
    uri = f"unix://{tmp_path}/stage"
    command = [sys.executable, "-m", "airos_edge", "serve", stage, uri, "--demo"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=_environment()) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == f"{stage} on {uri}\n"
        run.send_signal(number)
        assert run.communicate(timeout=10) == ("", "")
        assert run.returncode == 0
    assert not (tmp_path / "stage").exists()


def _environment() -> dict[str, str]:
    """The real path of the checkout, wherever it is run from."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["asr", "box:10300"], "wants tcp://host:port or unix:///path"),
        (["tts", "unix:///nowhere/at/all"], "cannot listen on unix:///nowhere/at/all"),
    ],
)
def test_what_it_cannot_do_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_a_stage_that_does_not_work_here_is_said_to_be_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("wake: {words: [hey_nobody]}\n")
    uri = f"tcp://127.0.0.1:{free_port()}"
    assert main(["serve", "wake", uri, "--config", str(config)]) == 1
    assert "there is no wake to serve" in capsys.readouterr().err
