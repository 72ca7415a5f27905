"""A room for a daemon with real sound: a PulseAudio of its own, where a person speaks and the box answers.

Its one sink has two channels: on the left what the box plays, on the right what the person says. So one
recording holds both, to the sample. The box's ears are the source `room`, which hears both as one
microphone does, or `near`, which hears the person only, as an echo canceller would have it.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airos_edge.voice.audio import RATE_HZ, AudioChunk

Sound = np.ndarray[Any, np.dtype[np.int16]]

LIMIT_S = 20
LATENCY_MS = 20
LOUD = 40
"""The loudness, as root mean square of 10 ms, from which on something is heard and no longer noise."""
BLOCK = RATE_HZ // 100
NEEDED = ("pulseaudio", "pactl", "pacat", "parec")
SCRIPT = """
load-module module-native-protocol-unix socket={socket} auth-anonymous=1
load-module module-null-sink sink_name=sound norewinds=1 rate=48000 channels=2 channel_map=front-left,front-right
load-module module-remap-sink sink_name=speaker master=sound channels=1 channel_map=mono \
master_channel_map=front-left remix=no
load-module module-remap-sink sink_name=person master=sound channels=1 channel_map=mono \
master_channel_map=front-right remix=no
load-module module-remap-source source_name=near master=sound.monitor channels=1 channel_map=mono \
master_channel_map=front-right remix=no
load-module module-remap-source source_name=room master=sound.monitor channels=1 channel_map=mono \
master_channel_map=mono remix=yes
set-default-sink speaker
set-default-source room
"""
ALSA = """
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


class Room:
    """`environment` is for who is to hear and speak here. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        for program in NEEDED:
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed; `make system-deps` does it")
        self._folder = folder
        socket, alsa = folder / "pulse.sock", folder / "asound.conf"
        alsa.write_text(ALSA)
        (folder / "room.pa").write_text(SCRIPT.format(socket=socket))
        self.environment = {
            "PULSE_SERVER": f"unix:{socket}",
            "PULSE_SINK": "speaker",
            "PULSE_SOURCE": "room",
            "ALSA_CONFIG_PATH": str(alsa),
        }
        self._programs: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Room":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self._programs):
            program.kill()
            program.wait()

    def start(self) -> None:
        """PulseAudio, and a recording."""
        runtime = {"HOME": str(self._folder), "XDG_RUNTIME_DIR": str(self._folder)}
        with (self._folder / "pulseaudio.log").open("ab") as log:
            command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm"]
            command += ["-F", str(self._folder / "room.pa")]
            environment = {**os.environ, **runtime}
            self._server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._programs.append(self._server)
        wait_until(lambda: "room" in self.pactl("list", "short", "sources"))
        self._tape = self._folder / f"tape{len(self._programs)}.raw"
        with self._tape.open("wb") as tape:
            command = ["parec", "-d", "sound.monitor", f"--latency-msec={LATENCY_MS}", *_raw(2)]
            recorder = subprocess.Popen(command, env=self._own(), stdout=tape)
        self._programs.append(recorder)
        wait_until(lambda: self.heard().size > 0)

    def crash(self) -> None:
        """Every stream and device is gone; `start` brings them back."""
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def pactl(self, *arguments: str) -> str:
        command = ["pactl", *arguments]
        return subprocess.run(
            command, env=self._own(), capture_output=True, text=True, check=False
        ).stdout

    def say(self, *sounds: AudioChunk) -> int:
        """The person says it, one sound after the other; gives where in the recording its last sound
        ended. Returns when it was said."""
        since = self.now()
        pcm = b"".join(sound.pcm for sound in sounds)
        command = ["pacat", "-d", "person", f"--latency-msec={LATENCY_MS}", *_raw(1)]
        subprocess.run(command, env=self._own(), input=pcm, timeout=LIMIT_S, check=True)
        return since + stretches(self.person(since))[-1][1]

    @contextmanager
    def noise(self, sound: AudioChunk) -> Iterator[None]:
        """What the person's corner of the room sounds like meanwhile."""
        command = ["pacat", "-d", "person", *_raw(1)]
        with tempfile.TemporaryFile() as file:
            file.write(sound.pcm)
            file.seek(0)
            program = subprocess.Popen(command, env=self._own(), stdin=file)
        try:
            yield
        finally:
            program.kill()
            program.wait()

    def now(self) -> int:
        """How many samples were recorded until now."""
        return len(self.heard())

    def heard(self, since: int = 0) -> Sound:
        """The recording from a sample on: columns are the box and the person."""
        data = self._tape.read_bytes()[since * 4 :]
        return np.frombuffer(data[: len(data) // 4 * 4], "<i2").reshape(-1, 2)

    def box(self, since: int) -> Sound:
        return self.heard(since)[:, 0]

    def person(self, since: int) -> Sound:
        return self.heard(since)[:, 1]

    def wait_for_box(self, since: int, quiet_s: float = 0.0) -> int:
        """Until the box has made a sound, and then been quiet for so long; gives where it began."""

        def is_over() -> bool:
            found = stretches(self.box(since))
            if not found:
                return False
            return not quiet_s or self.now() - since - found[-1][1] > quiet_s * RATE_HZ

        wait_until(is_over)
        return since + stretches(self.box(since))[0][0]

    def wait_for_answer(self, since: int) -> int:
        """Until the box has begun to speak; gives where. A chime is too short to be that."""

        def spoken() -> list[int]:
            found = stretches(self.box(since))
            return [since + begin for begin, end in found if end - begin > RATE_HZ // 2]

        wait_until(lambda: bool(spoken()))
        return spoken()[0]

    def _own(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PULSE_")}
        return {**kept, "PULSE_SERVER": self.environment["PULSE_SERVER"]}


def stretches(sound: Sound, gap_ms: int = 300) -> list[tuple[int, int]]:
    """Where there is sound, from and to a sample; a gap that is no longer belongs to it."""
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float32)
    found: list[tuple[int, int]] = []
    for block in np.flatnonzero(np.sqrt((blocks**2).mean(axis=1)) > LOUD):
        begin, end = int(block) * BLOCK, (int(block) + 1) * BLOCK
        if found and begin - found[-1][1] <= gap_ms * RATE_HZ // 1000:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def wait_until(is_true: Callable[[], bool]) -> None:
    until = time.monotonic() + LIMIT_S
    while not is_true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def _raw(channels: int) -> list[str]:
    return ["--raw", "--format=s16le", f"--rate={RATE_HZ}", f"--channels={channels}"]
