"""`airos talk`, run as its user runs it, against the daemon with its real engines."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import soundfile

from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.hands_free import MS
from tests.e2e.test_realtime import SAMPLE
from tests.pulse import Room, stretches, wait_until
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
    soundfile.write(quiet, np.frombuffer(noise(500).pcm, "<i2"), 16_000)
    said = talk(start_daemon("--demo"), "--file", str(quiet))
    assert said.returncode == 1
    assert "nothing was heard in the recording" in said.stdout


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


@contextmanager
def typing_to(daemon: Daemon, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """A talk that goes on while the block does; it has ended by itself, or by Ctrl-C, when that is left."""
    command = [sys.executable, "-m", "airos_edge", "talk", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    program = subprocess.Popen(
        command, text=True, **{"env": daemon.environment, **pipes, **streams}
    )
    with program:
        try:
            yield program
        finally:
            if program.poll() is None:
                program.send_signal(signal.SIGINT)
                assert program.wait(10) == 0


def say(program: subprocess.Popen[str], line: str) -> None:
    assert program.stdin is not None
    program.stdin.write(f"{line}\n")
    program.stdin.flush()


def read(stream: IO[str] | None, begin: str) -> str:
    """The next line, which begins so."""
    assert stream is not None
    line = stream.readline()
    assert line.startswith(begin)
    return line


def test_a_daemon_that_stops_ends_it_with_a_sentence(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    with typing_to(daemon, "--quiet") as program:
        say(program, "what time is it")
        read(program.stdout, "You      what time is it")
        daemon.stop()
        assert program.wait(20) == 1
        read(program.stderr, "airos: the server ended the connection (code 1012)")


def test_ctrl_c_ends_it_and_saves_what_was_heard(start_daemon: StartDaemon, tmp_path: Path) -> None:
    saved = tmp_path / "answers.wav"
    with typing_to(start_daemon("--demo"), "--quiet", "--save", str(saved)) as program:
        say(program, "what time is it")
        read(program.stdout, "You ")
        read(program.stdout, "Airos ")
        program.send_signal(signal.SIGINT)
        assert program.wait(20) == 0
        assert program.stderr is not None
        assert program.stderr.read() == ""
    assert saved.exists()


def test_it_is_talked_to_and_over_by_microphone_in_a_terminal(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    with Room(tmp_path) as room:
        daemon = start_daemon("--demo")
        own = {"PULSE_SOURCE": "near", "AIROS_SATELLITE__ECHO_CANCELLER": "true"}
        environment = {**daemon.environment, **room.environment, **own}
        del environment["AIROS_SATELLITE__MICROPHONE"], environment["AIROS_SATELLITE__SPEAKER"]
        keyboard, terminal = pty.openpty()
        shown = tmp_path / "shown"
        with (
            shown.open("w") as out,
            typing_to(daemon, stdin=terminal, stdout=out, env=environment) as program,
        ):
            wait_until(lambda: "Ctrl-C ends" in shown.read_text())
            its_own = f'application.process.id = "{program.pid}"'
            wait_until(lambda: its_own in room.pactl("list", "source-outputs"))
            said = room.say(spoken("which lights are on", before_ms=500, after_ms=100))
            answered = room.wait_for_answer(said)
            room.say(spoken("turn on the kitchen light", after_ms=100))
            wait_until(lambda: ANSWER in shown.read_text())
            begun = answered + stretches(room.person(answered))[0][0]
            assert not stretches(room.box(begun + 700 * MS)[: 300 * MS])
        os.close(keyboard)
        os.close(terminal)
    assert "(cancelled: turn_detected)" in shown.read_text()
    assert "You      turn on the kitchen light\n" in shown.read_text()
