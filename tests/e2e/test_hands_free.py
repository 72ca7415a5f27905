"""Spoken to in a room, where its ears hear its own voice too: its answers are recorded and recognised."""

import json
from collections.abc import Iterator

import pytest

from airos_edge.engines.sphinx import Sphinx, open_sphinx
from airos_edge.voice.grammar import grammar_of
from tests.e2e.conftest import Daemon
from tests.e2e.hands_free import MS, WAKE, living_in, recognised, state
from tests.pulse import Room, stretches, wait_until
from tests.speech import spoken

ANSWERS = (
    "turned on the light in the demo house",
    "turned off the light in the demo house",
    "good morning",
    "good evening",
    "the timer is over",
    "all timers are over",
)
BELL_MS = 780


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with Room(tmp_path_factory.mktemp("room")) as room:
        yield room


@pytest.fixture(scope="module")
def daemon(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """At full volume its ears would hear nothing else while it speaks."""
    with living_in(room, tmp_path_factory.mktemp("it"), AIROS_SATELLITE__VOLUME_PCT="45") as daemon:
        yield daemon


@pytest.fixture(scope="module")
def recogniser() -> Sphinx:
    return open_sphinx(grammar_of(text.split() for text in ANSWERS), ())


def test_after_its_wake_word_it_does_as_it_is_told_and_says_so(
    room: Room, daemon: Daemon, recogniser: Sphinx
) -> None:
    since = room.now()
    ended = room.say(WAKE, spoken("turn on the kitchen light", after_ms=100))
    room.wait_for_box(ended, quiet_s=0.5)
    chime, answer = stretches(room.box(since))
    assert 70 * MS <= chime[1] - chime[0] <= 150 * MS
    assert since + answer[0] > ended
    assert recognised(recogniser, room.box(ended)) == "turned on the light in the demo house"
    state = json.loads(daemon.airos("ask", "is the kitchen light on", "--json").stdout)
    assert state["answer"].startswith("Yes")


def test_the_wake_word_is_heard_over_the_answer_and_ends_it(room: Room, daemon: Daemon) -> None:
    daemon.airos("ask", "turn on the lights", "--quiet")
    since = room.now()
    room.say(WAKE, spoken("which lights are on", after_ms=100))
    answered = room.wait_for_answer(since)
    room.say(WAKE, spoken("never mind", before_ms=800, after_ms=300))
    woken = answered + stretches(room.person(answered))[0][1]
    assert stretches(room.box(woken - 300 * MS)[: 300 * MS]), "it speaks until then"
    assert not stretches(room.box(woken + 700 * MS)), "and not much longer"


def test_what_is_said_on_the_box_is_heard_there_once(
    room: Room, daemon: Daemon, recogniser: Sphinx
) -> None:
    since = room.now()
    result = daemon.airos("say", "good morning")
    wait_until(lambda: bool(stretches(room.box(since))))
    assert (result.returncode, result.stderr) == (0, "")
    assert recognised(recogniser, room.box(since)) == "good morning"


def test_a_timer_rings_until_it_is_told_to_stop(
    room: Room, daemon: Daemon, recogniser: Sphinx
) -> None:
    since = room.now()
    daemon.airos("ask", "set a timer for one second", "--quiet")
    rang = room.wait_for_answer(since)
    wait_until(lambda: len(stretches(room.box(rang), gap_ms=1000)) == 2)
    room.say(WAKE, spoken("stop", after_ms=600))
    rings = stretches(room.box(rang), gap_ms=1000)
    first, second = rings[:2]
    assert recognised(recogniser, room.box(rang)[BELL_MS * MS : first[1]]) == "the timer is over"
    assert second[1] - second[0] < first[1] - first[0], "it was stopped in the middle"


def test_a_microphone_that_stops_delivering_or_dies_is_named_and_opened_again(
    room: Room, daemon: Daemon, recogniser: Sphinx
) -> None:
    room.pactl("suspend-sink", "sound", "1")
    wait_until(lambda: state(daemon, "microphone") == "failed")
    room.pactl("suspend-sink", "sound", "0")
    wait_until(lambda: state(daemon, "microphone") == "ok")
    room.crash()
    wait_until(lambda: state(daemon, "microphone") == "failed")
    room.start()
    wait_until(lambda: state(daemon, "microphone") == "ok")
    ended = room.say(WAKE, spoken("turn off the kitchen light", after_ms=100))
    room.wait_for_box(ended, quiet_s=0.5)
    assert recognised(recogniser, room.box(ended)) == "turned off the light in the demo house"
