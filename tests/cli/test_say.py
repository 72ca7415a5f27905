"""`airos say`: spoken by the daemon or here, heard or not."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airos_edge import box
from airos_edge.cli import main
from tests.cli.conftest import WAV, FakeDaemon


@pytest.fixture
def daemon(daemon: FakeDaemon) -> FakeDaemon:
    daemon.answer = {"audio": base64.b64encode(WAV).decode()}
    return daemon


def test_what_the_daemon_speaks_is_saved_and_played(
    daemon: FakeDaemon, player: Callable[..., Path], tmp_path: Path
) -> None:
    played, saved = player("aplay"), tmp_path / "said.wav"
    assert main(["say", "good morning", "--save", str(saved)]) == 0
    assert daemon.asked() == [{"text": "good morning"}]
    assert saved.read_bytes() == played.read_bytes() == WAV


def test_what_nobody_heard_is_said(daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "good morning"]) == 0
    assert "nobody heard it: none of pw-play, paplay, aplay plays" in capsys.readouterr().err
    assert main(["say", "good morning", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_what_the_box_speaks_itself_is_not_played_again(
    daemon: FakeDaemon, player: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.answer = {"audio": ""}
    played = player("aplay")
    assert main(["say", "good morning"]) == 0
    assert not played.exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("option", ["--quiet", "--save"])
def test_what_is_not_to_be_heard_or_is_to_be_kept_is_not_spoken_on_the_box(
    daemon: FakeDaemon, tmp_path: Path, option: str
) -> None:
    wanted = [option] if option == "--quiet" else [option, str(tmp_path / "said.wav")]
    main(["say", "good morning", *wanted])
    main(["say", "good morning"])
    assert [route for _, route, _ in daemon.requests] == ["/api/say?quiet", "/api/say"]


def test_a_file_in_a_directory_that_is_missing_is_refused_before_anything_is_said(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["say", "good morning", "--save", "missing/said.wav"]) == 1
    assert "there is no directory missing" in capsys.readouterr().err
    assert daemon.requests == []


@pytest.mark.parametrize("text", ["", "  ", "a" * 10_001, "\udcff"])
def test_what_cannot_be_said_is_refused(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert main(["say", text]) == 1
    assert " to say" in capsys.readouterr().err
    assert daemon.requests == []


def test_a_daemon_without_a_voice_says_so(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.status, daemon.answer = 400, {"error": "tts: there is no voice"}
    assert main(["say", "good morning"]) == 1
    assert capsys.readouterr().err == "airos: tts: there is no voice\n"


def test_without_a_daemon_it_is_spoken_here(
    monkeypatch: pytest.MonkeyPatch, player: Callable[..., Path]
) -> None:
    said: list[str] = []

    @asynccontextmanager
    async def open_box(config: Any) -> AsyncIterator[Any]:
        async def say(text: str) -> bytes:
            said.append(text)
            return WAV

        async def loaded() -> None:
            said.append("(loaded)")

        yield SimpleNamespace(loudspeaker=SimpleNamespace(say=say), loaded=loaded)

    monkeypatch.setattr(box, "open_box", open_box)
    played = player("aplay")
    assert main(["say", "good morning"]) == 0
    assert said == ["(loaded)", "good morning"]
    assert played.read_bytes() == WAV
