"""A real broker, and somebody who listens to everything on it."""

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

LIMIT_S = 15


class Mosquitto:
    """`mosquitto` on a port of its own, which it keeps when it is killed and started again."""

    def __init__(self, folder: Path, options: str = "allow_anonymous true") -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            pytest.skip("mosquitto is not installed (make system-deps)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        file = folder / "mosquitto.conf"
        file.write_text(f"listener {self.port} 127.0.0.1\n{options}\nuser root\n")
        self._command = [program, "-c", str(file)]
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until = time.monotonic() + LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < until, self._log.read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        """As the power cut does: nobody is told, nothing is kept."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Spy:
    """Hears all that is published, from a thread of its own; `retained` is what it found when it came."""

    def __init__(self, port: int, topics: str = "#", **login: str) -> None:
        self.heard: list[tuple[str, str]] = []
        self.retained: dict[str, str] = {}
        self._changed = threading.Condition()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if login:
            self._client.username_pw_set(login["username"], login["password"])
        subscribed = threading.Event()
        self._client.on_message = lambda client, data, message: self._take(message)
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_connect = lambda *_: self._client.subscribe(topics, qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(LIMIT_S)

    def _take(self, message: mqtt.MQTTMessage) -> None:
        text = message.payload.decode(errors="backslashreplace")
        with self._changed:
            if message.retain:
                self.retained[message.topic] = text
            self.heard.append((message.topic, text))
            self._changed.notify_all()

    def wait_for(
        self, topic: str, wanted: Callable[[str], bool] = lambda text: True, nth: int = 1
    ) -> str:
        """The nth message on this topic that is wanted."""

        def found() -> list[str]:
            return [text for where, text in self.heard if where == topic and wanted(text)]

        with self._changed:
            came = self._changed.wait_for(lambda: len(found()) >= nth, LIMIT_S)
            assert came, f"{topic} did not come; there came {self.heard}"
            return found()[nth - 1]

    def wait_for_json(self, topic: str, nth: int = 1) -> dict[str, Any]:
        return dict(json.loads(self.wait_for(topic, nth=nth)))

    def on(self, topic: str) -> list[str]:
        with self._changed:
            return [text for where, text in self.heard if where == topic]

    def say(self, topic: str, text: str | bytes, retain: bool = False) -> None:
        self._client.publish(topic, text, qos=1, retain=retain).wait_for_publish(LIMIT_S)

    def announce(self, topic: str, payload: dict[str, Any]) -> None:
        self.say(topic, json.dumps(payload), retain=True)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
