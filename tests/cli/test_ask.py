"""`airos ask`: what is taken for a file, what is shown, and the exit code."""

import base64
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airos_edge import box
from airos_edge.cli import CONFIGURATION, ask, main
from airos_edge.http.ask import Answer
from airos_edge.voice.events import Outcome
from tests.cli.conftest import WAV, FakeDaemon

LARGE = 100 * 1024**3
ANSWER = {
    "transcript": "turn on the light",
    "intent": "HassTurnOn",
    "slots": {"name": "light"},
    "answer": "Turned on the light",
    "tier": "commands",
    "left": "nothing",
    "stages_ms": {"done": 40.25, "recognise": 10.0, "respond": 20.0, "speak": 30.0},
    "status": "completed",
    "error": None,
    "audio": base64.b64encode(WAV).decode(),
}


@pytest.fixture(autouse=True)
def _answers(request: pytest.FixtureRequest) -> None:
    if "daemon" in request.fixturenames:
        request.getfixturevalue("daemon").answer = ANSWER


# ---- what is shown ------------------------------------------------------------------------------


def test_the_answer_is_shown_with_who_gave_it_and_how_long_each_stage_took(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "turn on the light"]) == 0
    assert daemon.asked() == [{"text": "turn on the light"}]
    assert capsys.readouterr().out.splitlines() == [
        "You said     turn on the light",
        "Airos says   Turned on the light",
        "Answered by  commands, nothing left this box",
        "Milliseconds recognise 10.0 · respond 20.0 · speak 30.0 · done 40.2"
        "  (each since the question ended)",
    ]


def test_as_json_it_is_one_line_without_the_sound(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "turn on the light", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {name: value for name, value in ANSWER.items() if name != "audio"}


def test_an_answer_that_failed_is_shown_and_is_a_failure(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = {"transcript": "", "answer": "", "tier": None, "stages_ms": {}, "audio": ""}
    daemon.answer = ANSWER | nothing | {"status": "failed", "error": "asr: broke"}
    assert main(["ask", "hello"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "You said     (nothing that was understood)",
        "Airos says   (nothing)",
        "Answered by  nobody, nothing left this box",
        "It failed    asr: broke",
    ]


@pytest.mark.parametrize("left", ["lan", "internet"])
def test_what_left_the_box_is_said(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    daemon.answer = ANSWER | {"left": left}
    main(["ask", "hello"])
    out = capsys.readouterr().out
    assert f"Answered by  commands, {ask.LEFT[left]}\n" in out
    assert "nothing left" not in out


def test_it_is_saved_and_played(
    daemon: FakeDaemon, player: Callable[..., Path], tmp_path: Path
) -> None:
    played, saved = player("aplay"), tmp_path / "answer.wav"
    assert main(["ask", "hello", "--save", str(saved)]) == 0
    assert saved.read_bytes() == played.read_bytes() == WAV


def test_where_the_answer_cannot_be_saved_nothing_is_asked(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "turn on the light", "--save", "missing/answer.wav"]) == 1
    assert "there is no directory missing" in capsys.readouterr().err
    assert daemon.requests == []


# ---- a text or a file ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["question.wav", "QUESTION.WAV", "question", "a b/question.flac"])
def test_a_file_is_sent_as_it_is(daemon: FakeDaemon, runtime: Path, name: str) -> None:
    file = runtime / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(WAV)
    assert main(["ask", name]) == 0
    assert daemon.requests == [("POST", "/api/ask", WAV)]


@pytest.mark.parametrize(
    "text",
    [
        "what time is it",
        "turn on/off the light",
        "what.wav is",
        ".",
        "kitchen",  # a directory of that name is there
        "Zoë, 10 °C? 🙂",
        "a" * 5000,  # longer than a file's name may be
    ],
)
def test_what_names_no_file_is_a_text(daemon: FakeDaemon, runtime: Path, text: str) -> None:
    (runtime / "kitchen").mkdir()
    assert main(["ask", text]) == 0
    assert daemon.asked() == [{"text": text}]


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("missing.wav", "missing.wav: No such file or directory"),
        ("Missing.FLAC", "Missing.FLAC: No such file"),
        ("x" * 300 + ".wav", "File name too long"),
        ("folder.wav", "folder.wav: this is a directory, no recording"),
        ("./folder.wav/..", "this is a directory"),
        ("pipe.wav", "pipe.wav: this is a pipe or a device, no recording"),
        ("./pipe", "pipe: this is a pipe or a device"),
        ("/dev/zero", "/dev/zero: this is a pipe or a device"),
        ("large.wav", "large.wav: 107374 MB are too many for a question"),
        ("", "there is nothing to ask: the text is empty"),
        (" \n", "there is nothing to ask: the text is empty"),
        ("caf\udce9", "character 4 is not valid text"),
        ("a" * 10_001, "10001 characters are too many to ask"),
    ],
    ids=range(13),
)
def test_what_cannot_be_asked_is_refused_in_one_line_and_nothing_is_sent(
    daemon: FakeDaemon,
    runtime: Path,
    capsys: pytest.CaptureFixture[str],
    question: str,
    why: str,
) -> None:
    (runtime / "folder.wav").mkdir()
    for name in ("pipe", "pipe.wav"):
        os.mkfifo(runtime / name)
    with (runtime / "large.wav").open("wb") as large:
        large.truncate(LARGE)  # on disk it takes nothing
    assert main(["ask", question]) == 1
    err = capsys.readouterr().err
    assert err.startswith("airos: ")
    assert why in err
    assert err.count("\n") == 1
    assert daemon.requests == []


def test_a_file_that_may_not_be_read_is_named(
    daemon: FakeDaemon,
    runtime: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (runtime / "secret.wav").write_bytes(WAV)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert main(["ask", "secret.wav"]) == 1
    assert capsys.readouterr().err == "airos: secret.wav: Permission denied\n"


def test_what_the_daemon_refuses_is_said_with_the_files_name(
    daemon: FakeDaemon, runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.status, daemon.answer = 400, {"error": "the file holds no sound"}
    (runtime / "question.wav").write_bytes(WAV)
    assert main(["ask", "question.wav"]) == 1
    assert capsys.readouterr().err == "airos: question.wav: the file holds no sound\n"


# ---- without a daemon ---------------------------------------------------------------------------


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The questions that are asked of engines opened for them, with the house they were asked in."""
    asked: list[Any] = []

    @asynccontextmanager
    async def open_box(config: Any, demo: bool, most_timers: int) -> AsyncIterator[Any]:
        assert most_timers == 0, "nothing would be there to ring"
        devices = ["desk lamp"] if demo else []
        yield SimpleNamespace(
            open_asking=(config.name, demo),
            check=lambda: {"devices": devices, "demo": demo},
            loaded=loaded,
        )

    async def loaded() -> None:
        asked.append("loaded")

    async def answer(question: Any, open_asking: Any) -> Answer:
        asked.append((question, open_asking))
        return Answer("hello", Outcome("completed", text="Hello.", tier="commands"), WAV)

    monkeypatch.setattr(box, "open_box", open_box)
    monkeypatch.setattr("airos_edge.http.ask.ask", answer)
    return asked


def test_without_a_daemon_a_text_is_asked_here(
    here: list[Any], capsys: pytest.CaptureFixture[str], player: Callable[..., Path]
) -> None:
    played = player("aplay")
    assert main(["ask", "hello"]) == 0
    assert here == ["loaded", ("hello", ("Airos", False))]
    out, err = capsys.readouterr()
    assert "Airos says   Hello." in out
    assert "--demo" in err, "the house is empty, which is why it was no command"
    assert played.read_bytes() == WAV


def test_without_a_daemon_a_recording_is_heard_here_by_the_file_and_house_that_are_named(
    here: list[Any], runtime: Path
) -> None:
    (runtime / "question.wav").write_bytes(WAV)
    (runtime / "mine.yaml").write_text("name: Maison\n")
    assert main(["ask", "question.wav", "--demo", "--config", "mine.yaml"]) == 0
    assert here == ["loaded", (bytes(3200), ("Maison", True))]


def test_without_a_daemon_what_is_no_recording_is_named(
    here: list[Any], runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (runtime / "notes.txt").write_text("turn on the light")
    assert main(["ask", "notes.txt"]) == 1
    assert capsys.readouterr().err.startswith("airos: notes.txt: this is not audio")
    assert here == []


def test_without_a_daemon_a_bad_configuration_is_named(
    here: list[Any], runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (runtime / "config.yaml").write_text("nmae: x\n")
    assert main(["ask", "hello"]) == CONFIGURATION
    assert "config.yaml:1:1: nmae: is unknown; try name" in capsys.readouterr().err
