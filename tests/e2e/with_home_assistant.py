"""`make test-ha`: a real Home Assistant that finds the box, asks it, and loses it. One story, in this order.

Not among the tests of `make test`, as Home Assistant is large. $HASS is its program.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Daemon, free_port, launch
from tests.e2e.home_assistant import HomeAssistant
from tests.mosquitto import Mosquitto
from tests.speech import spoken

pytestmark = pytest.mark.real_time

HEARD = spoken("turn on the kitchen light", before_ms=300, after_ms=3000)
SECOND_BYTES = 2 * 22_050
DEVICE = {
    *("sensor.airos_state", "sensor.airos_transcript", "sensor.airos_answer"),
    *("sensor.airos_latency", "sensor.airos_left_the_box", "event.airos_wake_word"),
}


class Place:
    """What stands in one house: the broker, Home Assistant, and the box, which comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.broker = Mosquitto(folder)
        hass = folder / "hass"
        hass.mkdir()
        self.hass = HomeAssistant(os.environ["HASS"], hass)
        self.wyoming = free_port()
        self.box: Daemon | None = None
        self._folder = folder
        self._boxes = 0

    def start_box(self) -> None:
        self._boxes += 1
        self.box = launch(
            self._folder / f"box{self._boxes}",
            "--demo",
            AIROS_WYOMING__SERVICES=f"tcp://127.0.0.1:{self.wyoming}",
            AIROS_MQTT__HOST="127.0.0.1",
            AIROS_MQTT__PORT=str(self.broker.port),
            AIROS_STATE__DIRECTORY=str(self._folder / "state"),
        )
        self.box.wait_for("connected")

    def answer(self, text: str) -> tuple[str, str]:
        """The conversation agent's: of what kind, and what is said."""
        asked = {"text": text, "language": "en", "agent_id": "conversation.airos"}
        response = self.hass.ask("conversation/process", asked)["response"]
        return response["response_type"], response["speech"]["plain"]["speech"]

    def knows_the_box(self) -> bool:
        states = self.hass.states()
        return all(
            states.get(key, {"state": "unavailable"})["state"] != "unavailable" for key in DEVICE
        )

    def misses_the_box(self) -> bool:
        states = self.hass.states()
        return all(states[key]["state"] == "unavailable" for key in DEVICE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("place"))
    try:
        place.broker.start()
        place.start_box()
        place.hass.start()
        place.hass.welcome()
        yield place
    finally:
        place.hass.stop()
        if place.box is not None and place.box.process.poll() is None:
            place.box.stop()
        place.broker.kill()


def test_one_entry_brings_all_that_the_box_offers(place: Place) -> None:
    place.hass.add("wyoming", {"host": "127.0.0.1", "port": place.wyoming})
    found = {"stt.airos", "tts.airos", "wake_word.airos", "conversation.airos"}
    place.hass.until(lambda: found <= place.hass.states().keys())


def test_a_recording_is_understood(place: Place) -> None:
    heard = place.hass.transcript("stt.airos", HEARD)
    assert heard == {"text": "turn on the kitchen light", "result": "success"}


def test_it_speaks(place: Place) -> None:
    file = place.hass.speech("tts.airos", "The kitchen light is on.")
    assert file.startswith(b"RIFF")
    assert len(file) > SECOND_BYTES, "its header says nothing, where Home Assistant streams it"


def test_it_answers_and_does_what_concerns_one_lamp_and_not_all_of_them(place: Place) -> None:
    assert place.answer("turn on the desk lamp")[0] == "action_done"
    assert place.answer("is the desk lamp on") == ("action_done", "Yes, in the demo house")
    assert place.answer("turn off all the lights")[0] == "error"
    assert place.answer("is the desk lamp on") == ("action_done", "Yes, in the demo house")


async def test_a_pipeline_goes_from_speech_to_its_answer(place: Place) -> None:
    async with place.hass.socket() as socket:
        made = await socket.call(
            "assist_pipeline/pipeline/create",
            name="Airos",
            language="en",
            stt_engine="stt.airos",
            stt_language="en",
            conversation_engine="conversation.airos",
            conversation_language="en",
            tts_engine="tts.airos",
            tts_language="en-us",
            tts_voice="en-us",
            wake_word_entity="wake_word.airos",
            wake_word_id="hey_jarvis",
        )
        events = await socket.run(made["result"]["id"], HEARD)
    told = {event["type"]: event.get("data") or {} for event in events}
    assert "error" not in told, told
    assert told["stt-end"]["stt_output"]["text"] == "turn on the kitchen light"
    assert "Turned on the light" in str(told["intent-end"]["intent_output"]["response"])


def test_by_mqtt_the_box_is_a_device_that_says_what_it_does(place: Place) -> None:
    more = {"other_settings": {"set_client_cert": False, "set_ca_cert": "off"}}  # from 2026 on
    place.hass.add("mqtt", {"broker": "127.0.0.1", "port": place.broker.port, **more})
    place.hass.until(place.knows_the_box)
    assert not place.hass.states().keys() & {"notify.airos_say", "button.airos_stop"}, "it is mute"
    assert place.box is not None
    place.box.airos("ask", "what time is it", "--quiet")
    place.hass.until(lambda: place.hass.state("sensor.airos_answer") not in (None, "unknown"))
    assert place.hass.state("sensor.airos_left_the_box") == "nothing"
    place.hass.until(lambda: place.hass.state("sensor.airos_state") == "idle")


def test_so_far_neither_complains_of_the_other(place: Place) -> None:
    assert place.hass.complaints() == []
    assert place.box is not None
    assert "WARNING" not in place.box.log
    assert "ERROR" not in place.box.log


def test_a_box_that_dies_is_missed_and_comes_back(place: Place) -> None:
    assert place.box is not None
    place.box.stop(signal.SIGKILL)
    place.hass.until(place.misses_the_box)
    place.start_box()
    place.hass.until(place.knows_the_box)
    assert place.answer("what time is it")[0] == "action_done"


def test_a_broker_that_forgets_everything_is_told_again(place: Place) -> None:
    place.broker.kill()
    place.hass.until(place.misses_the_box)
    place.broker.start()
    place.hass.until(place.knows_the_box)


def test_a_home_assistant_that_restarts_knows_the_box_again(place: Place) -> None:
    place.hass.stop()
    place.hass.start()
    place.hass.until(place.knows_the_box)
    assert place.answer("what time is it")[0] == "action_done"
