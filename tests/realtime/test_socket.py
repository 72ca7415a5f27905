"""The WebSocket itself: who may come in, who is too slow, who goes away, and a daemon that stops."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from airos_edge.errors import EngineUnavailable
from airos_edge.http.guard import guard
from airos_edge.http.keys import Keys
from airos_edge.http.settings import Settings
from airos_edge.quota import Allowance, Limits, Quotas
from airos_edge.realtime.outgoing import TOO_SLOW_BYTES
from airos_edge.realtime.servers import NoTools
from airos_edge.realtime.socket import SESSION_S, RealtimeDoor, expired
from airos_edge.secret import Secret
from airos_edge.visitor import VISITOR
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Done, Engines, OpenMouth, Place, Prompt, Speaking, Text
from airos_edge.voice.session import Session
from tests.fakes import FakeLease, FakeResponder, FakeVad, Step, fake_engines
from tests.realtime import oracle

pytestmark = pytest.mark.real_time

LONG = Text("word " * 200)
"""50 s of speech."""


class Door:
    """A listening door onto scripted engines."""

    def __init__(
        self,
        *steps: Step,
        session_s: float = SESSION_S,
        quotas: Quotas | None = None,
        keys: Keys | None = None,
        scopes: frozenset[str] | None = None,
    ) -> None:
        self.quotas = quotas or Quotas(Limits())
        self._guards = [guard(Settings(), keys, self.quotas)]
        if scopes is not None:
            self._guards.append(limited(scopes))
        self.lease = FakeLease(
            fake_engines(responder=FakeResponder(lambda prompt: [*steps, Done("fake")]))
        )
        self.returned = asyncio.Event()
        """Set when a reply has given its engines back."""
        self.fault: EngineUnavailable | None = None
        self.door = RealtimeDoor(self, session_s=session_s)
        self.client: TestClient[web.Request, web.Application]

    @property
    def tools(self) -> NoTools:
        return NoTools()

    def rules(self) -> TurnRules:
        return TurnRules()

    def voices(self) -> None:
        """Only who speaks knows them."""

    def open_session(
        self, tell: Callable[[Event], None], open_mouth: OpenMouth, rules: TurnRules
    ) -> Session:
        if self.fault is not None:
            raise self.fault
        ear = Ear(rules, FakeVad())
        manner = Prompt(speaking=Speaking())
        return Session("sess_1", ear, Floor(open_mouth), self._borrow, tell, manner)

    @asynccontextmanager
    async def _borrow(self, reach: Place) -> AsyncIterator[Engines]:
        try:
            async with self.lease.borrow(reach) as engines:
                yield engines
        finally:
            self.returned.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Door"]:
        app = web.Application(middlewares=self._guards)
        app.add_routes(self.door.routes())
        async with TestClient(TestServer(app, host="127.0.0.1")) as self.client:
            yield self

    async def connect(self, path: str = "/v1/realtime", **options: Any) -> Any:
        return await self.client.ws_connect(path, **options)


def limited(scopes: frozenset[str]) -> Any:
    @web.middleware
    async def limit(request: web.Request, handler: Any) -> web.StreamResponse:
        request[VISITOR] = replace(request[VISITOR], scopes=scopes)
        return await handler(request)

    return limit


async def until(socket: Any, kind: str) -> Any:
    async with asyncio.timeout(20):
        while True:
            event = await socket.receive_json()
            oracle.check(event)
            if event["type"] == kind:
                return event


async def ask(socket: Any, text: str = "hello", **response: Any) -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await socket.send_json({"type": "conversation.item.create", "item": item})
    await socket.send_json({"type": "response.create", "response": response})


@pytest.mark.parametrize("path", ["/v1/realtime?model=gpt-realtime", "/v1", "/"])
async def test_a_client_is_greeted_wherever_it_looks_for_the_api(path: str) -> None:
    async with Door().open() as door:
        socket = await door.connect(path)
        created = await until(socket, "session.created")
        assert created["session"]["type"] == "realtime"


async def test_the_model_and_the_intent_are_the_clients() -> None:
    async with Door().open() as door:
        socket = await door.connect("/v1/realtime?model=gpt-realtime")
        assert (await until(socket, "session.created"))["session"]["model"] == "gpt-realtime"
        socket = await door.connect("/v1/realtime?api-version=2025-04-01-preview&deployment=mine")
        assert (await until(socket, "session.created"))["session"]["model"] == "mine"
        socket = await door.connect("/v1/realtime?intent=transcription")
        assert (await until(socket, "session.created"))["session"]["type"] == "transcription"


async def test_a_browsers_subprotocol_is_chosen() -> None:
    async with Door().open() as door:
        protocols = ("realtime", "openai-insecure-api-key.sk-any")
        socket = await door.connect(protocols=protocols)
        assert socket.protocol == "realtime"


async def test_what_is_no_websocket_is_told_that_this_is_one() -> None:
    async with Door().open() as door:
        response = await door.client.get("/v1/realtime")
        assert response.status == 426
        assert "WebSocket" in (await response.json())["error"]["message"]


async def test_a_box_that_cannot_listen_says_so_before_the_upgrade() -> None:
    async with Door().open() as door:
        door.fault = EngineUnavailable("vad", "lacks onnxruntime")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await door.connect()
        assert refused.value.status == 503


async def test_binary_frames_are_read_as_the_text_they_hold() -> None:
    async with Door().open() as door:
        socket = await door.connect()
        await socket.send_bytes(b'{"type": "response.cancel"}')
        assert (await until(socket, "error"))["error"]["code"] == "response_cancel_not_active"
        await socket.send_bytes(b"\xff\xfe")
        assert (await until(socket, "error"))["error"]["code"] == "invalid_json"


async def test_an_event_that_is_too_large_is_an_error_and_the_session_lives() -> None:
    async with Door(Text("Hi.")).open() as door:
        socket = await door.connect(max_msg_size=0)
        frame = json.dumps({"type": "input_audio_buffer.append", "audio": "A" * (17 << 20)})
        await socket.send_str(frame)
        assert "larger" in (await until(socket, "error"))["error"]["message"]
        await ask(socket, output_modalities=["text"])
        assert (await until(socket, "response.done"))["response"]["status"] == "completed"


async def test_a_client_that_vanishes_ends_its_reply() -> None:
    async with Door(LONG).open() as door:
        socket = await door.connect()
        await ask(socket)
        await until(socket, "response.output_audio.delta")
        assert door.lease.running == 1
        socket._response.connection.transport.abort()
        await asyncio.wait_for(door.returned.wait(), 10)


async def test_a_client_that_pings_and_goes_is_no_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pong(*_: object) -> None:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(web.WebSocketResponse, "pong", pong)
    async with Door(LONG).open() as door:
        socket = await door.connect()
        await ask(socket)
        await until(socket, "response.created")
        await socket.ping()
        await asyncio.wait_for(door.returned.wait(), 10)
    assert "Error handling request" not in caplog.text


async def test_a_client_that_does_not_read_is_closed_and_nobody_else_notices() -> None:
    words = Text("x" * 100_000)
    async with Door(*[words] * (3 * TOO_SLOW_BYTES // 100_000)).open() as door:
        slow = await door.connect()
        slow._response.connection.transport.pause_reading()
        await ask(slow, output_modalities=["text"])
        other = await door.connect()
        await other.send_json({"type": "response.cancel"})
        await until(other, "error")
        await asyncio.wait_for(door.returned.wait(), 10)
        assert not other.closed
        slow._response.connection.transport.abort()


async def test_a_stopping_daemon_lets_the_answer_end_and_says_come_again() -> None:
    async with Door(Text("A short answer.")).open() as door:
        socket = await door.connect()
        await ask(socket)
        await until(socket, "response.output_audio.delta")
        closing = asyncio.create_task(door.door.close(grace_s=10))
        assert (await until(socket, "response.done"))["response"]["status"] == "completed"
        message = await socket.receive(timeout=10)
        while message.type is aiohttp.WSMsgType.TEXT:
            message = await socket.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 1012
        await closing


async def test_a_stopping_daemon_does_not_wait_longer_than_its_grace() -> None:
    async with Door(LONG).open() as door:
        socket = await door.connect()
        await ask(socket)
        await until(socket, "response.output_audio.delta")
        async with asyncio.timeout(10):
            closing = asyncio.create_task(door.door.close(grace_s=0.1))
            assert (await until(socket, "response.done"))["response"]["status"] == "cancelled"
            while not socket.closed:
                await socket.receive()
            await closing
        assert socket.close_code == 1012
        await asyncio.wait_for(door.returned.wait(), 10)


# ---- how the box ends a connection --------------------------------------------------------------


async def closed(socket: Any) -> tuple[list[Any], int, str]:
    """What was still said, and with which words the connection was closed."""
    told = []
    async with asyncio.timeout(10):
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            told.append(message.json())
            oracle.check(told[-1])
    return told, message.data, message.extra


async def test_a_session_ends_after_its_hour_as_openais_does() -> None:
    async with Door(session_s=0.05).open() as door:
        told, code, reason = await closed(await door.connect())
        assert told[-1]["error"]["code"] == "session_expired"
        assert "maximum duration" in told[-1]["error"]["message"]
        assert (code, reason) == (1001, told[-1]["error"]["message"])
    assert expired(3600).reason == "Your session hit the maximum duration of 60 minutes."


async def test_when_it_expires_is_told() -> None:
    async with Door().open() as door:
        created = await until(await door.connect(), "session.created")
        assert 3595 <= created["session"]["expires_at"] - time.time() <= 3600


async def test_who_has_used_what_they_may_is_told_and_closed() -> None:
    limits = Limits(per_address=Allowance(audio_s=1))
    async with Door(quotas=Quotas(limits)).open() as door:
        socket = await door.connect()
        await until(socket, "session.created")
        second = base64.b64encode(bytes(48_000)).decode()
        await socket.send_json({"type": "input_audio_buffer.append", "audio": second})
        told, code, _ = await closed(socket)
        assert told[-1]["error"]["code"] == "rate_limit_exceeded"
        assert code == 1008
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await door.connect()
        assert refused.value.status == 429


async def test_what_comes_after_the_last_of_it_is_not_done_any_more() -> None:
    limits = Limits(per_address=Allowance(messages=2))
    async with Door(Text("Hi."), quotas=Quotas(limits)).open() as door:
        socket = await door.connect()
        await socket.send_json({"type": "input_audio_buffer.clear"})
        await socket.send_json({"type": "response.create"})
        assert (await closed(socket))[1] == 1008
    assert not door.returned.is_set()


async def test_the_answer_that_used_the_last_of_it_is_given() -> None:
    limits = Limits(per_address=Allowance(model_calls=1))
    async with Door(Text("Hi."), quotas=Quotas(limits)).open() as door:
        socket = await door.connect()
        await ask(socket, output_modalities=["text"])
        assert (await until(socket, "response.done"))["response"]["status"] == "completed"
        told, code, _ = await closed(socket)
        assert told[-1]["error"]["code"] == "rate_limit_exceeded"
        assert code == 1008


async def test_the_sessions_of_a_key_that_is_revoked_end() -> None:
    quotas = Quotas(Limits())
    async with Door(quotas=quotas, keys=Keys((Secret("sk-one"),))).open() as door:
        socket = await door.connect(headers={"Authorization": "Bearer sk-one"})
        await until(socket, "session.created")
        quotas.revoke("server.api_keys[0]")
        told, code, _ = await closed(socket)
        assert told[-1]["error"]["code"] == "invalid_api_key"
        assert code == 1008


async def test_a_full_box_says_so_before_the_upgrade_and_when_to_come_again() -> None:
    async with Door(quotas=Quotas(Limits(sessions=1))).open() as door:
        first = await door.connect()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await door.connect()
        assert refused.value.status == 503
        assert refused.value.headers is not None
        assert int(refused.value.headers["Retry-After"]) > 0
        await first.close()
        await until(await let_in(door), "session.created")


async def let_in(door: Door) -> Any:
    """As soon as another one has left."""
    async with asyncio.timeout(10):
        while True:
            with suppress(aiohttp.WSServerHandshakeError):
                return await door.connect()


async def test_a_stopping_daemon_lets_nobody_new_in() -> None:
    async with Door(LONG).open() as door:
        socket = await door.connect()
        await ask(socket)
        await until(socket, "response.output_audio.delta")
        async with Scope() as scope:
            scope.start(door.door.close(grace_s=30), "closing")
            await asyncio.sleep(0)
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await door.connect()
        assert refused.value.status == 503
        assert refused.value.headers is not None
        assert "Retry-After" in refused.value.headers


async def test_who_is_idle_is_not_kept_waiting_for_the_answers_of_others() -> None:
    async with Door(LONG).open() as door:
        talking, idle = await door.connect(), await door.connect()
        await ask(talking)
        await until(talking, "response.output_audio.delta")
        async with Scope() as scope:
            scope.start(door.door.close(grace_s=30), "closing")
            assert (await closed(idle))[1] == 1012
            assert not talking.closed


async def test_an_append_of_15_mib_is_taken() -> None:
    async with Door().open() as door:
        socket = await door.connect(max_msg_size=0)
        audio = "A" * (15 * 1024 * 1024)
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})
        await socket.send_json({"type": "input_audio_buffer.append", "audio": f"{audio}AAAA"})
        error = (await until(socket, "error"))["error"]
        assert error["param"] == "audio"
        assert "larger than 15 MiB" in error["message"]


async def test_what_is_said_stays_below_what_every_client_reads() -> None:
    async with Door().open() as door:
        socket = await door.connect(max_msg_size=1024**2)
        session = {"type": "realtime", "instructions": "é" * 2_000_000}
        await socket.send_json({"type": "session.update", "session": session})
        shown = (await until(socket, "session.updated"))["session"]["instructions"]
        assert shown.startswith("ééé")
        assert shown.endswith("…")


# ---- what a client secret brings ----------------------------------------------------------------


async def test_a_session_begins_with_what_its_client_secret_says() -> None:
    keys = Keys()
    session = {"type": "realtime", "model": "mine", "instructions": "Be brief."}
    secret, _ = keys.client_secrets.make("", session, 600)
    async with Door(keys=keys).open() as door:
        protocols = ("realtime", f"openai-insecure-api-key.{secret}")
        socket = await door.connect(protocols=protocols, origin="https://page.example")
        created = (await until(socket, "session.created"))["session"]
        assert (created["model"], created["instructions"]) == ("mine", "Be brief.")
        secret, _ = keys.client_secrets.make("", {"type": "transcription"}, 600)
        socket = await door.connect(headers={"Authorization": f"Bearer {secret}"})
        created = (await until(socket, "session.created"))["session"]
        assert created["type"] == "transcription"


async def test_a_key_for_transcription_opens_nothing_else() -> None:
    async with Door(scopes=frozenset({"transcription"})).open() as door:
        socket = await door.connect()
        assert (await until(socket, "session.created"))["session"]["type"] == "transcription"
        await socket.send_json({"type": "session.update", "session": {"type": "realtime"}})
        assert "not allowed" in (await until(socket, "error"))["error"]["message"]
