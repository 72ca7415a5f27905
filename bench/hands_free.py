"""Spoken to through PulseAudio as a room: what is said and what is heard are one recording, so all is in samples.

In the milliseconds is what PulseAudio, ALSA and PortAudio keep of the sound on its way in and out.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from airos_edge.voice.audio import RATE_HZ
from bench.daemon import Daemon, cpu_s, daemon, end
from bench.figures import Figure
from tests.pulse import Room, stretches
from tests.speech import noise, spoken

MS = RATE_HZ // 1000
WAKE = spoken("hey jarvis", before_ms=200, after_ms=400)
COMMAND = spoken("what time is it", after_ms=100)
SOUND = {"AIROS_SATELLITE__MICROPHONE": "auto", "AIROS_SATELLITE__SPEAKER": "auto"}
ALONE = {"AIROS_SATELLITE__CHIME": "false", "AIROS_SATELLITE__VOLUME_PCT": "45"}
CANCELLED = {**ALONE, "PULSE_SOURCE": "near", "AIROS_SATELLITE__ECHO_CANCELLER": "true"}
LAMP = "big old red lamp near the north window"
HOUSE = f"home: {{areas: [{{name: attic}}], devices: [{{name: {LAMP}, area: attic}}]}}\n"
"""Which light is on takes two and a half seconds to say, without a pause for breath."""
LISTENER = """
import sounddevice, time
with sounddevice.RawInputStream(16000, 320, channels=1, dtype="int16", latency=0.1, callback=lambda *_: None):
    time.sleep(3600)
"""
"""The floor of listening: the same stream, and nothing done with it."""


async def hands_free(quick: bool) -> list[Figure]:
    return await asyncio.to_thread(_measure, 2 if quick else 10, 5 if quick else 20)


def _measure(rounds: int, seconds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="airos-room-") as folder, Room(Path(folder)) as room:
        house = Path(folder) / "house.yaml"
        house.write_text(HOUSE)
        room.environment["AIROS_CONFIG"] = str(house)
        with living_in(room) as box:
            chimes, answers = zip(*(_answered(room) for _ in range(rounds)), strict=True)
        with living_in(room, **ALONE) as box:
            woken = [_talked_over(room, box, _wake_word_ends) for _ in range(rounds)]
        with living_in(room, **CANCELLED) as box:
            spoken_over = [_talked_over(room, box, _speech_begins) for _ in range(rounds)]
            idle, floor = _idle(room, box, seconds)
    return [
        Figure("hands-free: wake word to the chime", "ms", chimes),
        Figure("hands-free: end of a command to the answer", "ms", answers, [100], "the silence"),
        _figure("hands-free: wake word over the answer to silence", woken),
        _figure("hands-free: speech over the answer to silence, echo cancelled", spoken_over),
        Figure("hands-free: CPU, listening to room noise", "% core", idle, floor, "a bare stream"),
    ]


def _figure(name: str, values: list[float | None]) -> Figure:
    wrong = ["it had stopped, or spoke on"] * values.count(None)
    return Figure(name, "ms", [value for value in values if value is not None], wrong=wrong)


@contextmanager
def living_in(room: Room, **environment: str) -> Iterator[Daemon]:
    with daemon(**{**SOUND, **room.environment, **environment}) as box:
        box.ask("turn on the lights")
        time.sleep(2)
        yield box


def _answered(room: Room) -> tuple[float, float]:
    since = room.now()
    ended = room.say(WAKE, COMMAND)
    begun = room.wait_for_box(ended, quiet_s=1.0)
    woke, chime = stretches(room.person(since))[0][1], stretches(room.box(since))[0][0]
    return (chime - woke) / MS, (begun - ended) / MS


def _talked_over(room: Room, box: Daemon, from_when: Callable[[Room, int], int]) -> float | None:
    since = room.now()
    room.say(WAKE, spoken("which lights are on", after_ms=100))
    answered = room.wait_for_answer(since)
    room.say(WAKE, spoken("never mind", before_ms=500, after_ms=1500))
    over = from_when(room, answered)
    stopped = stretches(room.box(answered))[0][1] + answered
    return (stopped - over) / MS if 0 < stopped - over < 1000 * MS else None


def _wake_word_ends(room: Room, since: int) -> int:
    return since + stretches(room.person(since))[0][1]


def _speech_begins(room: Room, since: int) -> int:
    return since + stretches(room.person(since))[0][0]


def _idle(room: Room, box: Daemon, seconds: int) -> tuple[list[float], list[float]]:
    """Per cent of a core."""
    environment = {**os.environ, **room.environment}
    bare = subprocess.Popen([sys.executable, "-c", LISTENER], env=environment)
    with room.noise(noise(seconds * 1000 + 8000, lsb=200)):
        time.sleep(5)  # both have begun, and the loudspeaker was closed
        pids = (box.process.pid, bare.pid)
        before = [cpu_s(pid) for pid in pids]
        time.sleep(seconds)
        used = [(cpu_s(pid) - was) / seconds * 100 for pid, was in zip(pids, before, strict=True)]
    end(bare)
    return [used[0]], [used[1]]
