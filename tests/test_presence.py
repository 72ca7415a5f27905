"""What of the box is shown to its network, and where that depends on how it is configured."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from zeroconf.asyncio import AsyncServiceInfo

from airos_edge import presence
from airos_edge.box import open_box
from airos_edge.config import Config, StateSettings
from airos_edge.http.ask import ask
from airos_edge.http.settings import Settings as ServerSettings
from airos_edge.http.tls import Settings as TlsSettings
from airos_edge.mqtt.settings import Settings as MqttSettings
from airos_edge.presence import by_mqtt, faces, is_supervised, own_identity
from airos_edge.voice.ports import Place
from airos_edge.wyoming.settings import Address
from tests.fake_broker import FakeBroker


def seen(host: str, wyoming: Address | None) -> dict[str, int]:
    config = replace(Config(), server=ServerSettings(host=host))
    return {face.kind: face.port for face in faces(config, 8765, wyoming)}


def test_only_faces_that_others_reach_are_shown() -> None:
    assert seen("127.0.0.1", None) == {}
    assert seen("::1", Address("127.0.0.1", 10800)) == {}
    assert seen("localhost", Address(path="/run/airos/wyoming.sock")) == {}
    assert seen("127.0.0.1", Address("0.0.0.0", 10800)) == {"_wyoming._tcp": 10800}
    assert seen("0.0.0.0", None) == {"_airos-edge._tcp": 8765, "_http._tcp": 8765}


def test_a_restart_is_offered_where_systemd_has_started_this_very_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NOTIFY_SOCKET", "SYSTEMD_EXEC_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INVOCATION_ID", "0" * 32)
    assert not is_supervised(), "a terminal of the desktop has that too"
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid() + 1))
    assert not is_supervised()
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid()))
    assert is_supervised()


async def test_a_long_name_is_announced_as_far_as_it_fits() -> None:
    config = replace(Config(), name="é" * 300, server=ServerSettings(host="0.0.0.0"))
    edge = faces(config, 8765, None)[0]
    kind = f"{edge.kind}.local."
    info = AsyncServiceInfo(kind, f"airos-0123.{kind}", properties=dict(edge.text), port=edge.port)
    assert info.decoded_properties["name"] == "é" * 100


@pytest.mark.parametrize(
    ("host", "reach", "shares"),
    [
        ("127.0.0.1", Place.LOCAL, True),
        ("192.168.1.10", Place.LOCAL, False),
        ("192.168.1.10", Place.EDGE, True),
        ("broker.example.org", Place.EDGE, False),
    ],
)
async def test_words_go_to_a_broker_within_reach_and_no_further(
    host: str, reach: Place, shares: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    broker = FakeBroker()

    @asynccontextmanager
    async def open_fake(*_: object) -> AsyncIterator[FakeBroker]:
        yield broker

    monkeypatch.setattr(presence, "open_broker", open_fake)
    config = replace(
        Config(),
        reach=reach,
        mqtt=MqttSettings(host=host),
        state=StateSettings(str(tmp_path)),
    )
    async with open_box(config) as box, by_mqtt(config, box, restart=lambda: None):
        await ask("what time is it", box.open_asking)
        await broker.greet()
    published = {topic.split("/")[-1]: text for topic, text, _ in broker.published}
    assert published["left"] == "nothing"
    assert ("answer" in published) == shares
    assert ("name" in json.loads(published["config"])["cmps"]["answer"]) == shares


def test_what_is_seen_of_the_box_is_one_box_also_where_its_identity_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = iter(["0123456789ab", "ba9876543210"])
    monkeypatch.setattr(presence, "identity", lambda directory: next(made))
    config = replace(Config(), state=StateSettings(str(tmp_path)))
    assert own_identity(config) == own_identity(config) == "0123456789ab"


def test_that_it_is_spoken_to_by_tls_is_told() -> None:
    server = ServerSettings(host="0.0.0.0", tls=TlsSettings("certificate", "key"))
    shown = faces(replace(Config(), server=server), 8765, None)
    assert [face.kind for face in shown] == ["_airos-edge._tcp", "_https._tcp"]
    assert shown[0].text["tls"] == "1"
