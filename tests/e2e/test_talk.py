"""`airos talk`, run as its user runs it, against the daemon with its real engines."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import soundfile

from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.test_realtime import SAMPLE
from tests.pulse import Room, wait_until
from tests.speech import noise, spoken

ANSWER = "Airos    Turned on the light, in the demo house"


def talk(daemon: Daemon, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "airos_edge", "talk", "--quiet", *arguments]
    return subprocess.run(
        command, env=daemon.environment, input=typed, capture_output=True, text=True, timeout=60
    )


def test_texts_and_recordings_are_asked_in_their_order(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    daemon = start_daemon("--demo")
    saved = tmp_path / "answers.wav"
    said = talk(
        daemon,
        *("--text", "which lights are on", "--file", str(SAMPLE), "--text", "which lights are on"),
        *("--save", str(saved)),
    )
    assert said.returncode == 0, said.stderr
    lines = [line for line in said.stdout.splitlines() if not line.startswith(" ")]
    assert lines[0] == "You      which lights are on"
    assert lines[2:4] == ["You      turn on the kitchen light", ANSWER]
    assert lines[1] != lines[5]
    assert said.stdout.count("(ms since the question ended: first sound or word ") == 3
    assert soundfile.info(saved).duration > 2


def test_lines_of_a_pipe_are_asked_one_after_the_other(start_daemon: StartDaemon) -> None:
    said = talk(
        start_daemon("--demo"), typed="turn on the kitchen light\nis the kitchen light on\n"
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.index(ANSWER) < said.stdout.index("Airos    Yes")


def test_a_recording_is_ended_by_hand_with_push(start_daemon: StartDaemon) -> None:
    said = talk(start_daemon("--demo"), "--push", "--file", str(SAMPLE))
    assert said.returncode == 0, said.stderr
    assert f"You      turn on the kitchen light\n{ANSWER}" in said.stdout


def test_a_recording_without_speech_is_not_waited_for(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    quiet = tmp_path / "quiet.wav"
    soundfile.write(quiet, soundfile_samples(noise(500).pcm), 16_000)
    said = talk(start_daemon("--demo"), "--file", str(quiet))
    assert said.returncode == 1
    assert "nothing was heard in the recording" in said.stdout


def soundfile_samples(pcm: bytes) -> object:
    import numpy as np

    return np.frombuffer(pcm, "<i2")


def test_a_server_that_is_not_there_or_refuses_is_named(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo", AIROS_SERVER__API_KEYS="[sesame]")
    daemon.environment["AIROS_SERVER__API_KEYS"] = "[wrong]"
    said = talk(daemon, "--text", "what time is it")
    assert said.returncode == 1
    assert "refuses the key (HTTP 401); say --key" in said.stderr
    said = talk(daemon, "--text", "what time is it", "--key", "sesame")
    assert said.returncode == 0, said.stderr
    said = talk(daemon, "ws://127.0.0.1:9", "--text", "what time is it")
    assert said.stderr == "airos: 127.0.0.1:9 cannot be reached: Connection refused\n"


def test_a_daemon_that_stops_ends_it_with_a_sentence(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    command = [sys.executable, "-m", "airos_edge", "talk", "--quiet"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=daemon.environment, text=True, **pipes) as program:  # type: ignore[call-overload]
        program.stdin.write("what time is it\n")
        program.stdin.flush()
        assert program.stdout.readline().startswith("You      what time is it")
        daemon.stop()
        assert program.wait(20) == 1
        assert "the server ended the connection (code 1012)" in program.stderr.read()


def test_ctrl_c_ends_it_and_saves_what_was_heard(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon("--demo")
    saved = tmp_path / "answers.wav"
    command = [sys.executable, "-m", "airos_edge", "talk", "--quiet", "--save", str(saved)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=daemon.environment, text=True, **pipes) as program:  # type: ignore[call-overload]
        program.stdin.write("what time is it\n")
        program.stdin.flush()
        assert program.stdout.readline().startswith("You ")
        assert program.stdout.readline().startswith("Airos ")
        program.send_signal(signal.SIGINT)
        assert program.wait(20) == 0
        assert program.stderr.read() == ""
    assert saved.exists()


def test_it_is_spoken_with_by_microphone_and_loudspeaker(tmp_path: Path) -> None:
    """A terminal of its own, in a room whose microphone hears the person only."""
    quiet = {"AIROS_SATELLITE__MICROPHONE": "null", "AIROS_SATELLITE__SPEAKER": "null"}
    import pty

    with Room(tmp_path) as room:
        from tests.e2e.conftest import launch

        daemon = launch(tmp_path / "home", "--demo", **quiet)
        master, terminal = pty.openpty()
        program: subprocess.Popen[bytes] | None = None
        try:
            daemon.wait_for("INFO house: ")
            environment = {**daemon.environment, **room.environment, "PULSE_SOURCE": "near"}
            for name in quiet:
                del environment[name]
            shown = tmp_path / "shown"
            with shown.open("wb") as out:
                command = [sys.executable, "-m", "airos_edge", "talk", "--headphones"]
                program = subprocess.Popen(command, env=environment, stdin=terminal, stdout=out)
            wait_until(lambda: "Ctrl-C ends" in shown.read_text())
            wait_until(
                lambda: (
                    "RUNNING" in room.pactl("list", "short", "source-outputs")
                    or bool(room.pactl("list", "short", "source-outputs"))
                )
            )
            ended = room.say(spoken("turn on the kitchen light", before_ms=500, after_ms=500))
            wait_until(lambda: ANSWER in shown.read_text())
            room.wait_for_box(ended)
            assert "You      turn on the kitchen light\n" in shown.read_text()
        finally:
            if program is not None:
                program.send_signal(signal.SIGINT)
                assert program.wait(10) == 0
            daemon.stop()
            os.close(master)
            os.close(terminal)
