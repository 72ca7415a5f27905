"""`airos listen`: a recording with the box's own ears, and the daemon's conversations."""

import json
from pathlib import Path

import pytest

from airos_edge.cli import main
from airos_edge.voice.audio import encode_wav
from tests.cli.conftest import FakeDaemon
from tests.speech import noise, spoken

RATE_HZ = 16_000


@pytest.fixture
def command(runtime: Path) -> str:
    """A recording that ends in speech."""
    sound = spoken("turn on the kitchen light", before_ms=300)
    (runtime / "command.wav").write_bytes(encode_wav(sound.pcm, RATE_HZ))
    return "command.wav"


# ---- a recording --------------------------------------------------------------------------------


def test_a_recording_is_shown_with_every_decision_and_its_reason(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", command, "--demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0].startswith("command.wav: 1.")
    assert lines[0].endswith(" s, waiting for speech")
    told = [line[33:] for line in lines[2:] if line[33:]]
    assert told[0].startswith("opened by speech, from 0.0")
    assert '"turn on the kitchen light" (complete)' in told
    closed = next(place for place, text in enumerate(told) if text.startswith("closed: "))
    assert "ms of silence after words that are complete" in told[closed]
    assert told.index("here the recording ends; silence follows") < closed
    assert told[closed + 1].startswith('heard "turn on the kitchen light", certainty 0.')
    assert told[closed + 2] == "which would be HassTurnOn (name kitchen light)"
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("port", ["asr", "wake"])
def test_engines_elsewhere_cannot_be_hurried(
    port: str, command: str, runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (runtime / "config.yaml").write_text(f"{port}: {{engine: 'unix:///nowhere'}}\n")
    assert main(["listen", command, "--demo"]) == 1
    assert f"{port}.engine: a service elsewhere cannot be hurried" in capsys.readouterr().err


def test_as_json_it_is_an_object_a_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", command, "--demo", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all({"at_ms", "session", "event"} <= set(line) for line in lines)
    assert {"speech", "opened", "partial", "closed", "final"} <= {line["event"] for line in lines}
    (final,) = [line for line in lines if line["event"] == "final"]
    assert (final["intent"], final["slots"]) == ("HassTurnOn", {"name": "kitchen light"})


def test_where_a_wake_word_is_waited_for_nothing_else_is_heard(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", command, "--demo", "--wake"]) == 0
    out = capsys.readouterr().out
    assert "waiting for the wake word" in out
    assert "opened" not in out


def test_after_the_wake_word_it_hears(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = [noise(400), spoken("hey jarvis", after_ms=500), spoken("turn on the kitchen light")]
    pcm = b"".join(sound.pcm for sound in said)
    (runtime / "woken.wav").write_bytes(encode_wav(pcm, RATE_HZ))
    assert main(["listen", "woken.wav", "--demo", "--wake"]) == 0
    out = capsys.readouterr().out
    assert "  hey_jarvis 0." in out
    assert " of 0.7\n" in out
    assert "opened by the wake word" in out
    assert 'heard "turn on the kitchen light"' in out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing.wav", "missing.wav: No such file or directory"),
        ("missing", "missing: No such file or directory"),
        ("folder", "folder: this is a directory, no recording"),
        ("notes.wav", "notes.wav: this is not audio that can be read"),
    ],
)
def test_what_is_no_recording_is_said(
    runtime: Path, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    (runtime / "folder").mkdir()
    (runtime / "notes.wav").write_text("turn on the light")
    assert main(["listen", name]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"airos: {why}")
    assert err.count("\n") == 1


def test_without_an_engine_that_hears_speech_it_says_which_is_missing(
    runtime: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (runtime / "config.yaml").write_text("vad: {engine: bat}\n")
    assert main(["listen", command]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "airos: vad: there is no 'bat'; try " in err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "listen to what? Name a recording, or say --live"),
        (["--live", "a.wav"], "only --json goes with it"),
        (["--live", "--wake"], "only --json goes with it"),
        (["--live", "--demo"], "only --json goes with it"),
    ],
)
def test_what_does_not_go_together_is_a_misuse(
    capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    assert main(["listen", *arguments]) == 2
    assert why in capsys.readouterr().err


# ---- the daemon ---------------------------------------------------------------------------------

OPENED = {"at_ms": 500, "session": "sess_1", "event": "opened", "by": "speech", "start_ms": 200}
OTHER = {"at_ms": 90, "session": "sess_2", "event": "confirmed"}


def test_the_daemons_conversations_are_shown_each_under_its_name(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.answer = b"\n".join(json.dumps(line).encode() for line in (OPENED, OTHER)) + b"\n\n"
    assert main(["listen", "--live"]) == 1
    out, err = capsys.readouterr()
    assert daemon.requests == [("GET", "/api/listen", b"")]
    lines = out.splitlines()
    assert [line[8:] for line in lines if "conversation" in line] == [
        ": the conversation sess_1",
        ": the conversation sess_2",
    ]
    assert "opened by speech" in lines[2]
    assert "confirmed" in lines[5]
    assert err.splitlines() == [
        "Listening to the daemon's conversations. Ctrl-C ends it.",
        "airos: the daemon has ended",
    ]


def test_the_daemons_lines_are_given_as_json(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.answer = json.dumps(OPENED).encode() + b"\n"
    main(["listen", "--live", "--json"])
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [OPENED]


def test_without_a_daemon_it_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["listen", "--live"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("airos: no daemon is running")
    assert "start one with `airos run`" in err


def test_a_daemon_that_cannot_be_listened_to_says_so(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.status, daemon.answer = 404, {"error": "there is no /api/listen"}
    assert main(["listen", "--live"]) == 1
    assert capsys.readouterr().err == "airos: there is no /api/listen\n"


def test_what_is_no_json_is_no_traceback(
    daemon: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.answer = b"<html>\n"
    assert main(["listen", "--live"]) == 1
    assert "airos: the daemon said what is no JSON" in capsys.readouterr().err
