"""The daemon in a room with real sound, spoken to by its wake word: what it plays is recorded and recognised."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from airos_edge.engines.sphinx import HOUSE, Sphinx, open_sphinx
from airos_edge.voice.audio import RATE_HZ
from airos_edge.voice.grammar import grammar_of
from tests.e2e.conftest import Daemon, launch
from tests.pulse import Room, Sound, stretches, wait_until
from tests.speech import noise, spoken

MS = RATE_HZ // 1000
WAKE = spoken("hey jarvis", before_ms=100, after_ms=300)
ANSWERS = (
    "turned on the light in the demo house",
    "turned off the light in the demo house",
    "good morning",
    "good evening",
    "the timer is over",
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with Room(tmp_path_factory.mktemp("room")) as room:
        yield room


def living_in(
    room: Room, folder: str, tmp: pytest.TempPathFactory, **extra: str
) -> Iterator[Daemon]:
    sound = {"AIROS_SATELLITE__MICROPHONE": "auto", "AIROS_SATELLITE__SPEAKER": "auto"}
    daemon = launch(tmp.mktemp("home") / folder, "--demo", **sound, **room.environment, **extra)
    daemon.wait_for("is ready")
    wait_until(lambda: state(daemon, "microphone") == "ok")
    yield daemon
    daemon.stop()
    assert "ERROR" not in daemon.log, daemon.log


@pytest.fixture(scope="module")
def daemon(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """It hears what it says itself."""
    yield from living_in(room, "open", tmp_path_factory)


@pytest.fixture(scope="module")
def recogniser() -> Sphinx:
    return open_sphinx(grammar_of(text.split() for text in ANSWERS), ())


def state(daemon: Daemon, part: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/healthz") as answer:
            health: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        health = json.load(error)
    return str(health["parts"].get(part, {}).get("state"))


def recognised(recogniser: Sphinx, sound: Sound) -> str:
    pcm = np.ascontiguousarray(sound).tobytes() + noise(500).pcm
    recogniser.begin(HOUSE, pcm)
    recogniser.feed(pcm)
    recogniser.end()
    return " ".join(recogniser.words())


def test_after_its_wake_word_it_does_as_it_is_told_and_says_so(
    room: Room, daemon: Daemon, recogniser: Sphinx
) -> None:
    since = room.now()
    ended = room.say(WAKE, spoken("turn on the kitchen light", after_ms=200))
    room.wait_for_box(ended, quiet_s=1.0)
    chime, answer = stretches(room.box(since))
    assert 80 * MS <= chime[1] - chime[0] <= 150 * MS
    assert recognised(recogniser, room.box(ended)) == "turned on the light in the demo house"
    print("answered after", (since + answer[0] - ended) / MS)
    said = json.loads(daemon.airos("ask", "is the kitchen light on", "--json").stdout)
    assert said["answer"].startswith("Yes")
