"""Spoken to in a room by way of an echo canceller: whoever speaks over an answer ends it."""

from pathlib import Path

from tests.e2e.hands_free import MS, WAKE, living_in
from tests.pulse import Room, stretches
from tests.speech import spoken

CANCELLED = {
    "PULSE_SOURCE": "near",
    "AIROS_SATELLITE__ECHO_CANCELLER": "true",
    "AIROS_SATELLITE__CHIME": "false",
}


def test_speech_ends_the_answer_and_is_answered_itself(tmp_path: Path) -> None:
    with Room(tmp_path) as room, living_in(room, tmp_path, **CANCELLED) as daemon:
        daemon.airos("ask", "turn on the lights", "--quiet")
        since = room.now()
        room.say(WAKE, spoken("which lights are on", after_ms=100))
        answered = room.wait_for_answer(since)
        ended = room.say(spoken("turn off the kitchen light", after_ms=100))
        begun = answered + stretches(room.person(answered))[0][0]
        assert stretches(room.box(begun - 300 * MS)[: 300 * MS]), "it speaks until then"
        assert not stretches(room.box(begun + 600 * MS)[: ended - begun - 600 * MS])
        room.wait_for_box(ended, quiet_s=0.5)
        said = daemon.airos("ask", "is the kitchen light on", "--json").stdout
        assert '"No' in said
