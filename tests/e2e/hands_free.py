"""A daemon that lives in a room with real sound, and what is made of what it plays there."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.engines.sphinx import HOUSE, Sphinx
from airos_edge.voice.audio import RATE_HZ
from tests.e2e.conftest import Daemon, launch
from tests.pulse import Room, Sound, wait_until
from tests.speech import noise, spoken

MS = RATE_HZ // 1000
WAKE = spoken("hey jarvis", before_ms=100, after_ms=300)


@contextmanager
def living_in(room: Room, folder: Path, **environment: str) -> Iterator[Daemon]:
    """From when it hears. What it plays and hears is changed by the environment."""
    sound = {"AIROS_SATELLITE__MICROPHONE": "auto", "AIROS_SATELLITE__SPEAKER": "auto"}
    daemon = launch(folder / "home", "--demo", **{**sound, **room.environment, **environment})
    try:
        daemon.wait_for("microphone: default; speaker: default")
        wait_until(lambda: state(daemon, "microphone") == "ok")
        yield daemon
    finally:
        daemon.stop()
    assert "ERROR" not in daemon.log, daemon.log


def state(daemon: Daemon, part: str) -> str:
    """What /healthz says of it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/healthz") as answer:
            health: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        health = json.load(error)
    return str(health["parts"].get(part, {}).get("state"))


def recognised(recogniser: Sphinx, sound: Sound) -> str:
    """As loud as if it had been played at full volume, in a quiet room."""
    loud = sound.astype(np.float32) * (16_000 / max(1, np.abs(sound).max()))
    hum = np.frombuffer(noise(len(sound) // MS + 500).pcm, "<i2")
    pcm = (np.pad(loud, (0, len(hum) - len(loud))) + hum).astype("<i2").tobytes()
    recogniser.begin(HOUSE, pcm)
    recogniser.feed(pcm)
    recogniser.end()
    return " ".join(recogniser.words())
