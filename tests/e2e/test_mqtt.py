"""The daemon and a real broker: seen, told what to do, and not in need of it."""

import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile

from tests.e2e.conftest import Daemon, StartDaemon
from tests.mosquitto import Mosquitto, Spy
from tests.speech import spoken

StartWithBroker = Callable[..., Daemon]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
def spy(broker: Mosquitto) -> Iterator[Spy]:
    listener = Spy(broker.port)
    yield listener
    listener.close()


@pytest.fixture
def start(broker: Mosquitto, start_daemon: StartDaemon) -> StartWithBroker:
    """The broker outlives the daemons."""

    def start(**options: object) -> Daemon:
        where = {"AIROS_MQTT__HOST": "127.0.0.1", "AIROS_MQTT__PORT": str(broker.port)}
        return start_daemon(**(where | options))

    return start


def own_base(spy: Spy) -> str:
    """`airos/<id>`, once it is there."""
    with spy._changed:
        assert spy._changed.wait_for(
            lambda: any(topic.startswith("airos/") for topic, _ in spy.heard), 15
        )
        topic = next(topic for topic, _ in spy.heard if topic.startswith("airos/"))
    return "/".join(topic.split("/")[:2])


def announcement(base: str) -> str:
    return f"homeassistant/device/{base.replace('/', '_')}/config"


def test_it_announces_itself_and_what_it_does(start: StartWithBroker, spy: Spy) -> None:
    daemon = start()
    base = own_base(spy)
    assert spy.wait_for(f"{base}/availability") == "online"
    device = spy.wait_for_json(announcement(base))
    assert device["dev"]["name"] == "Airos"
    assert spy.wait_for_json(f"{base}/state")["state"] == "idle"
    daemon.airos("ask", "what time is it", "--quiet")
    assert spy.wait_for(f"{base}/left") == "nothing"
    assert spy.wait_for_json(f"{base}/latency")["ms"] > 0
    assert "processing" in "".join(spy.on(f"{base}/state"))
    answer = spy.wait_for_json(f"{base}/answer")
    assert answer["intent"] == "HassGetCurrentTime"
    assert answer["text"]
    later = Spy(int(daemon.environment["AIROS_MQTT__PORT"]), f"{base}/#")
    later.wait_for(f"{base}/left")
    later.close()
    assert later.retained[f"{base}/availability"] == "online"
    assert f"{base}/answer" not in later.retained, "no word said in the house stays on the broker"


def test_stopped_it_says_goodbye_and_killed_the_broker_does(
    start: StartWithBroker, spy: Spy
) -> None:
    daemon = start()
    base = own_base(spy)
    assert daemon.stop() == 0
    spy.wait_for(f"{base}/availability", lambda text: text == "offline")
    daemon = start()
    spy.wait_for(f"{base}/availability", lambda text: text == "online", nth=2)
    daemon.process.kill()
    spy.wait_for(f"{base}/availability", lambda text: text == "offline", nth=2)


def test_it_announces_itself_again_when_home_assistant_has_started(
    start: StartWithBroker, spy: Spy
) -> None:
    start()
    base = own_base(spy)
    spy.wait_for(f"{base}/state")
    spy.say("homeassistant/status", "online")
    assert spy.wait_for(announcement(base), nth=2) == spy.wait_for(announcement(base))
    spy.wait_for(f"{base}/availability", lambda text: text == "online", nth=2)
    spy.wait_for(f"{base}/state", nth=2)


def test_it_says_what_it_is_told_and_refuses_what_was_kept_or_is_no_text(
    start: StartWithBroker, spy: Spy
) -> None:
    daemon = start(expect_warnings=True)
    base = own_base(spy)
    spy.wait_for(f"{base}/state")
    spy.say(f"{base}/cmd/say", b"\xff\xfe")
    daemon.wait_for("utf-8")
    spy.say(f"{base}/cmd/say", "x" * 10_001)
    daemon.wait_for("10001 characters")
    spy.say(f"{base}/cmd/dance", "now")
    daemon.wait_for("cmd/dance is refused: 'now'")
    spy.say(f"{base}/cmd/stop", "PRESS")
    spy.say(f"{base}/cmd/restart", "PRESS")
    daemon.wait_for("cmd/restart is refused")
    assert daemon.process.poll() is None, "nobody would start it again"
    assert daemon.stop() == 0
    spy.say(f"{base}/cmd/say", "good morning", retain=True)
    daemon = start(expect_warnings=True)
    daemon.wait_for("must not be retained")


def test_restarted_it_ends_by_itself(start: StartWithBroker, spy: Spy, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        daemon = start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        base = own_base(spy)
        assert "restart" in spy.wait_for(announcement(base))
        spy.wait_for(f"{base}/state")
        spy.say(f"{base}/cmd/restart", "PRESS")
        assert daemon.process.wait(15) == 0
    spy.wait_for(f"{base}/availability", lambda text: text == "offline")


def test_a_broker_that_dies_and_comes_back_costs_nothing_else(
    start: StartWithBroker, spy: Spy, broker: Mosquitto
) -> None:
    daemon = start(expect_warnings=True)
    base = own_base(spy)
    spy.wait_for(f"{base}/state")
    broker.kill()
    spy.close()
    daemon.wait_for("going on without it")
    asked = daemon.airos("ask", "what time is it", "--json", "--quiet")
    assert json.loads(asked.stdout)["intent"] == "HassGetCurrentTime"
    broker.start()
    again = Spy(broker.port)
    again.wait_for(announcement(base))
    again.wait_for(f"{base}/availability", lambda text: text == "online")
    assert again.wait_for(f"{base}/left") == "nothing"
    again.close()
    assert daemon.log.count("going on without it") == 1
    assert daemon.log.count(": connected") == 2


def test_without_a_broker_it_starts_and_answers_and_says_so_once(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    absent = Mosquitto(tmp_path)
    daemon = start_daemon(
        expect_warnings=True, AIROS_MQTT__HOST="127.0.0.1", AIROS_MQTT__PORT=str(absent.port)
    )
    daemon.wait_for("going on without it")
    assert daemon.airos("ask", "what time is it", "--quiet").returncode == 0
    assert daemon.stop(signal.SIGTERM) == 0
    assert daemon.log.count("going on without it") == 1


def test_a_broker_that_wants_a_password_gets_it_and_a_wrong_one_is_said(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    mosquitto = Mosquitto(tmp_path, f"allow_anonymous false\npassword_file {passwords}")
    program = ["mosquitto_passwd", "-b", "-c", str(passwords), "airos", "open sesame"]
    subprocess.run(program, check=True)
    mosquitto.start()
    options = {
        "AIROS_MQTT__HOST": "127.0.0.1",
        "AIROS_MQTT__PORT": str(mosquitto.port),
        "AIROS_MQTT__USERNAME": "airos",
    }
    try:
        wrong = start_daemon(
            expect_warnings=True, AIROS_MQTT__PASSWORD="env:WRONG", WRONG="shut", **options
        )
        wrong.wait_for("see mqtt.username and mqtt.password")
        right = start_daemon(AIROS_MQTT__PASSWORD="env:RIGHT", RIGHT="open sesame", **options)
        right.wait_for(": connected")
        assert right.stop() == 0
        assert "sesame" not in right.log
    finally:
        mosquitto.kill()


LAMP = {
    "name": None,
    "~": "zigbee/hall lamp",
    "schema": "json",
    "brightness": True,
    "cmd_t": "~/set",
    "stat_t": "~",
    "avty": [{"t": "~/availability"}],
    "dev": {"ids": ["0x1"], "name": "Hall Lamp", "sa": "Hall"},
}


def intent(daemon: Daemon, question: str) -> tuple[str | None, str]:
    answer = json.loads(daemon.airos("ask", question, "--json", "--quiet").stdout)
    return answer["intent"], answer["answer"]


def test_a_lamp_that_announces_itself_is_switched_by_its_name_typed_and_spoken(
    start: StartWithBroker, spy: Spy, tmp_path: Path
) -> None:
    daemon = start(expect_warnings=True)
    assert intent(daemon, "turn on the hall lamp")[0] is None
    spy.announce("homeassistant/light/0x1/light/config", LAMP)
    spy.say("zigbee/hall lamp/availability", "online", retain=True)
    daemon.wait_for("house: Hall Lamp")
    assert intent(daemon, "turn on the hall lamp") == ("HassTurnOn", "Turned on the light")
    assert spy.wait_for_json("zigbee/hall lamp/set") == {"state": "ON"}
    assert intent(daemon, "is the hall lamp on")[1].startswith("No"), "it has not said so yet"
    spy.say("zigbee/hall lamp", '{"state": "ON", "brightness": 255}', retain=True)
    file = tmp_path / "question.wav"
    speech = spoken("turn off the lights in the hall", before_ms=300, after_ms=500)
    soundfile.write(file, speech.as_floats(), 16000)
    assert intent(daemon, str(file))[0] == "HassTurnOff"
    assert json.loads(spy.wait_for("zigbee/hall lamp/set", nth=2)) == {"state": "OFF"}
    assert intent(daemon, "is the hall lamp on")[1].startswith("Yes")
    spy.say("zigbee/hall lamp/availability", "offline", retain=True)
    assert intent(daemon, "turn on the hall lamp")[1] == "Sorry, I can't reach Hall Lamp"
    spy.say("homeassistant/light/0x1/light/config", b"", retain=True)
    daemon.wait_for("house: no devices\n")
    assert intent(daemon, "turn on the hall lamp")[0] is None


def test_three_hundred_devices_are_one_new_house_and_a_reload_keeps_them(
    start: StartWithBroker, spy: Spy
) -> None:
    for number in range(300):
        lamp = LAMP | {"dev": {"name": f"lamp {number}"}, "avty": []}
        spy.announce(f"homeassistant/light/{number}/config", lamp)
    daemon = start(config="home: {devices: [{name: attic light}]}\n")
    daemon.wait_for("lamp 299")
    assert daemon.log.count("lamp 299") == 1
    Path(daemon.environment["AIROS_CONFIG"]).write_text("home: {devices: [{name: roof light}]}\n")
    assert daemon.airos("reload").stdout.strip() == "home"
    assert intent(daemon, "turn on lamp 299")[0] == "HassTurnOn"
    assert intent(daemon, "turn on the roof light")[0] == "HassTurnOn"
