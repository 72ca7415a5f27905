"""The WebSocket itself: who may come in, who is too slow, who goes away, and a daemon that stops."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from airos_edge.errors import EngineUnavailable
from airos_edge.realtime.socket import TOO_SLOW_BYTES, RealtimeDoor
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.ports import Done, Engines, OpenMouth, Place, Prompt, Speaking, Text
from airos_edge.voice.session import Session
from tests.fakes import FakeLease, FakeResponder, FakeVad, Step, fake_engines
from tests.realtime import oracle

pytestmark = pytest.mark.real_time

LONG = Text("word " * 200)
"""50 s of speech."""


class Door:
    """A listening door onto scripted engines."""

    def __init__(self, *steps: Step) -> None:
        self.lease = FakeLease(
            fake_engines(responder=FakeResponder(lambda prompt: [*steps, Done("fake")]))
        )
        self.returned = asyncio.Event()
        """Set when a reply has given its engines back."""
        self.fault: EngineUnavailable | None = None
        self.door = RealtimeDoor(self._open, TurnRules)
        self.client: TestClient[web.Request, web.Application]

    def _open(
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
        app = web.Application()
        app.add_routes(self.door.routes())
        async with TestClient(TestServer(app, host="127.0.0.1")) as self.client:
            yield self

    async def connect(self, path: str = "/v1/realtime", **options: Any) -> Any:
        return await self.client.ws_connect(path, **options)


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
        assert "WebSocket" in await response.text()


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
            while not socket.closed:
                await socket.receive()
            await closing
        assert socket.close_code == 1012
        await asyncio.wait_for(door.returned.wait(), 10)
