"""`airos` as a shell sees it: exit codes, and no tracebacks."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from airos_edge import __version__
from airos_edge.cli import main
from tests.cli.conftest import FakeDaemon

CHECK = [sys.executable, "-m", "airos_edge", "check"]


def test_without_a_command_it_shows_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr().err
    for command in ("run", "ask", "say", "listen", "doctor", "check", "reload"):
        assert f"\n    {command} " in shown


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"airos {__version__}\n"


def test_a_command_that_is_unknown_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["aks"])
    assert caught.value.code == 2
    assert "aks" in capsys.readouterr().err


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "airos_edge.cli.check", SimpleNamespace(main=interrupted))
    assert main(["check"]) == 130


def test_a_reader_that_has_enough_is_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(CHECK, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=30)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_full_disk_is_no_traceback() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(CHECK, stdout=full, stderr=subprocess.PIPE, check=False, timeout=30)
    assert ended.returncode == 1
    assert ended.stderr == b"airos: the output cannot be written: no space is left\n"


def test_a_terminal_that_lacks_a_character_gets_its_code(runtime: Path) -> None:
    (runtime / "config.yaml").write_text("name: Zoë\n")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(CHECK, env=environment, capture_output=True, check=True, timeout=30)
    assert b"name: Zo\\xeb" in ended.stdout


def test_a_reload_tells_what_it_changed(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.answer = {"changed": "home, tts"}
    assert main(["reload"]) == 0
    assert daemon.requests == [("POST", "/api/reload", b"")]
    assert capsys.readouterr().out == "home, tts\n"


def test_a_reload_that_is_refused_is_a_failure_with_the_reason(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.status, daemon.answer = 400, {"error": "config.yaml:2:1: this is not YAML"}
    assert main(["reload"]) == 1
    assert capsys.readouterr().err == "airos: config.yaml:2:1: this is not YAML\n"


def test_a_reload_without_a_daemon_says_how_to_start_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["reload"]) == 1
    assert "start one with `airos run`" in capsys.readouterr().err
