"""The control API, request by request: what its answers hold, and what a bad request is told."""

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from airos_edge.errors import ConfigError, EngineUnavailable
from airos_edge.http import control
from airos_edge.http.control import (
    control_routes,
    health_routes,
    metrics_routes,
    stored_models_routes,
)
from airos_edge.http.limits import LONGEST_TEXT
from airos_edge.http.listener import listen
from airos_edge.http.settings import Settings
from airos_edge.voice.audio import encode_wav
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Announced, Event, SpeechConfirmed
from airos_edge.voice.floor import Floor
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import OpenMouth, Prompt, Speaking
from airos_edge.voice.session import Session
from tests.fakes import FakeAsr, FakeLease, FakeVad, fake_engines

pytestmark = pytest.mark.real_time


class FakeBox:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.error: Exception | None = None
        self.state: dict[str, Any] = {"status": "ok", "parts": {}}
        self.hub = Hub()
        self._lease = FakeLease(fake_engines(asr=FakeAsr("turn on the light")))

    def open_asking(self, tell: Callable[[Event], None], open_mouth: OpenMouth) -> Session:
        ear = Ear(TurnRules(detection="push"), FakeVad())
        manner = Prompt(speaking=Speaking())
        return Session("sess_1", ear, Floor(open_mouth), self._lease.borrow, tell, manner)

    async def say(self, text: str, aloud: bool) -> bytes:
        self._fail()
        self.said.append(text)
        return b"RIFF"

    def check(self) -> dict[str, Any]:
        return {"config": {"name": "Airos"}}

    async def reload(self) -> str:
        self._fail()
        return "home, tts"

    async def models_changed(self) -> dict[str, str]:
        self._fail()
        return {"tts": "owl with owl-small"}

    def health(self) -> dict[str, Any]:
        return self.state

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def box() -> FakeBox:
    return FakeBox()


@pytest.fixture
async def path(box: FakeBox, tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "control.sock"
    control = control_routes(box.open_asking, box.say, box.check, box.reload, box.hub)
    control += stored_models_routes(Path("/models"), box.models_changed)
    async with listen(Settings(port=0), health_routes(box.health), control, path):
        yield path


async def request(path: Path, method: str, route: str, **more: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as client,
        client.request(method, f"http://airos{route}", **more) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_text_is_asked(path: Path) -> None:
    status, answer = await request(path, "POST", "/api/ask", json={"text": " what time is it "})
    assert status == 200
    assert (answer["transcript"], answer["answer"]) == (
        "what time is it",
        "You said what time is it.",
    )
    with wave.open(io.BytesIO(base64.b64decode(answer["audio"]))) as speech:
        assert speech.getnframes() > 16_000


@pytest.mark.parametrize("kind", ["audio/wav", "application/octet-stream"])
async def test_a_recording_is_asked(path: Path, kind: str) -> None:
    recording = encode_wav(bytes(32_000), 16_000)
    headers = {"Content-Type": kind}
    status, answer = await request(path, "POST", "/api/ask", data=recording, headers=headers)
    assert (status, answer["transcript"]) == (200, "turn on the light")


async def test_where_models_are_is_told_and_what_others_brought_is_taken_up(path: Path) -> None:
    assert await request(path, "GET", "/api/models") == (200, {"directory": "/models"})
    assert await request(path, "POST", "/api/models/changed") == (
        200,
        {"changed": {"tts": "owl with owl-small"}},
    )


async def test_a_text_is_said(path: Path, box: FakeBox) -> None:
    status, answer = await request(path, "POST", "/api/say", json={"text": "good morning"})
    assert (status, base64.b64decode(answer["audio"])) == (200, b"RIFF")
    assert box.said == ["good morning"]


async def test_the_box_says_what_it_is_made_of_and_what_a_reload_changed(path: Path) -> None:
    assert await request(path, "GET", "/api/check") == (200, {"config": {"name": "Airos"}})
    assert await request(path, "POST", "/api/reload") == (200, {"changed": "home, tts"})


@pytest.mark.parametrize("route", ["/api/ask", "/api/say"])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", 'wants the form {"text": "…"}'),
        (b"{}", 'wants the form {"text": "…"}'),
        (b'{"text": 7}', 'wants the form {"text": "…"}'),
        (b'{"text": "  "}', "the text is empty"),
        (b'{"text": "\\ud800"}', "not valid text"),
        (json.dumps({"text": "a" * (LONGEST_TEXT + 1)}).encode(), "10001 characters are too many"),
    ],
    ids=range(10),
)
async def test_a_body_that_holds_no_text_is_refused_in_a_sentence(
    path: Path, box: FakeBox, route: str, body: bytes, why: str
) -> None:
    headers = {"Content-Type": "application/json"}
    status, answer = await request(path, "POST", route, data=body, headers=headers)
    assert status == 400
    assert why in answer["error"]
    assert box.said == []


async def test_a_charset_nobody_knows_does_not_matter(path: Path, box: FakeBox) -> None:
    headers = {"Content-Type": "application/json; charset=klingon"}
    body = '{"text": "grüß dich"}'.encode()
    assert (await request(path, "POST", "/api/say", data=body, headers=headers))[0] == 200
    assert box.said == ["grüß dich"]


@pytest.mark.parametrize("body", [b"", b"good morning"])
async def test_a_body_that_is_no_recording_is_refused_in_a_sentence(
    path: Path, body: bytes
) -> None:
    headers = {"Content-Type": "audio/wav"}
    status, answer = await request(path, "POST", "/api/ask", data=body, headers=headers)
    assert status == 400
    assert "empty" in answer["error"] or "not audio" in answer["error"]


async def test_our_errors_travel_as_sentences(path: Path, box: FakeBox) -> None:
    box.error = EngineUnavailable("espeak", "its package is missing")
    assert await request(path, "POST", "/api/say", json={"text": "hi"}) == (
        400,
        {"error": "espeak: its package is missing"},
    )
    box.error = ConfigError("config.yaml:2:1: this is not YAML")
    assert await request(path, "POST", "/api/reload") == (
        400,
        {"error": "config.yaml:2:1: this is not YAML"},
    )


async def test_a_client_that_goes_in_the_middle_of_its_request_is_no_error_of_ours(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"POST /api/ask HTTP/1.1\r\nHost: airos\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    assert (await request(path, "GET", "/api/check"))[0] == 200  # by now the first one is read
    writer.close()
    await writer.wait_closed()
    assert (await request(path, "GET", "/api/check"))[0] == 200
    assert caplog.records == []


async def test_health_is_200_while_all_works_and_503_with_what_does_not(
    path: Path, box: FakeBox
) -> None:
    assert await request(path, "GET", "/healthz") == (200, box.state)
    box.state = {"status": "degraded", "parts": {"tts": {"state": "failed", "why": "gone"}}}
    assert await request(path, "GET", "/healthz") == (503, box.state)


async def test_metrics_are_given_in_the_form_that_is_accepted(tmp_path: Path) -> None:
    routes = metrics_routes(lambda accept: (f"for {accept}".encode(), "text/x-metrics; version=1"))
    async with (
        listen(Settings(port=0), routes, [], tmp_path / "control.sock") as doors,
        aiohttp.ClientSession() as client,
        client.get(f"http://{doors.host}:{doors.port}/metrics", headers={"Accept": "x"}) as answer,
    ):
        assert answer.headers["Content-Type"] == "text/x-metrics; version=1"
        assert await answer.text() == "for x"


# ---- listening ----------------------------------------------------------------------------------


def confirmed(at_ms: int) -> SpeechConfirmed:
    return SpeechConfirmed(session_id="sess_1", at_ms=at_ms, item_id="item_1")


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[aiohttp.StreamReader]:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as client,
        client.get("http://airos/api/listen") as answer,
    ):
        assert answer.content_type == "application/x-ndjson"
        yield answer.content


async def until_nobody_watches(hub: Hub) -> None:
    async with asyncio.timeout(5):
        while hub.is_watched_for(Announced):  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_who_listens_gets_what_the_ears_think_from_then_on(path: Path, box: FakeBox) -> None:
    box.hub.publish(confirmed(1))
    async with listening(path) as lines:
        box.hub.publish(Announced(text="not about ears"))
        box.hub.publish(confirmed(2))
        assert json.loads(await lines.readline()) == {
            "at_ms": 2,
            "session": "sess_1",
            "event": "confirmed",
        }


async def test_who_reads_too_slowly_is_told_how_much_was_lost(
    path: Path, box: FakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "WATCHED", 2)
    async with listening(path) as lines:
        for at_ms in range(5):
            box.hub.publish(confirmed(at_ms))
        told = [json.loads(await lines.readline()) for _ in range(3)]
    assert told[0] == {"at_ms": None, "session": "", "event": "lost", "count": 3}
    assert [line["at_ms"] for line in told[1:]] == [3, 4]


async def test_nobody_is_watched_for_when_who_listened_has_gone(
    path: Path, box: FakeBox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control, "QUIET_S", 0.01)
    async with listening(path) as lines:
        assert box.hub.is_watched_for(Announced)
        assert await lines.readline() == b"\n", "it shows that it is there while nothing happens"
    await until_nobody_watches(box.hub)
    assert caplog.records == []
