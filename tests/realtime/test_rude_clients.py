"""Clients that reset their connection, race themselves, come in hundreds or break frames apart."""

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from airos_edge.voice.events import Event, SessionEnded
from airos_edge.voice.ports import Call, OpenMouth, Text
from airos_edge.voice.session import Session
from bench import line
from tests.fakes import Step, fake_engines
from tests.realtime.client import sound
from tests.realtime.test_socket import LONG, Door

LIMIT_S = 20.0


class Watched(Door):
    """Counts the sessions that ended."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(*steps)
        self.ended = 0
        self._one_ended = asyncio.Event()

    def open_session(
        self, tell: Callable[[Event], None], open_mouth: OpenMouth, rules: Any
    ) -> Session:
        def tell_all(event: Event) -> None:
            tell(event)
            if isinstance(event, SessionEnded):
                self.ended += 1
                self._one_ended.set()

        return super().open_session(tell_all, open_mouth, rules)

    async def have_ended(self, count: int) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.ended < count:
                self._one_ended.clear()
                await self._one_ended.wait()
        assert self.lease.running == 0


class Rude:
    """A client of its own making, that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._changed = asyncio.Event()
        self.line: line.Line

    async def connect(self, door: Door) -> "Rude":
        url = str(door.client.make_url("/v1/realtime")).replace("http", "ws", 1)
        self.line = await line.connect(url, self._heard)
        await self.until("session.created")
        return self

    def _heard(self, payload: bytes) -> None:
        self.events.append(json.loads(payload))
        self._changed.set()

    def send(self, *events: tuple[str, dict[str, Any]]) -> None:
        """In one piece."""
        self.line.transport.write(b"".join(line.event(kind, **fields) for kind, fields in events))

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event["type"] == kind]

    async def until(self, kind: str, count: int = 1) -> Any:
        async with asyncio.timeout(LIMIT_S):
            while len(self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)[count - 1]

    async def until_lost(self) -> None:
        await asyncio.wait_for(self.line.lost.wait(), LIMIT_S)

    def reset(self) -> None:
        """No close frame, no FIN: what is on its way in either direction is lost."""
        raw = self.line.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.line.transport.abort()


MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
ITEM = ("conversation.item.create", {"item": MESSAGE})
ASK = ("response.create", dict[str, Any]())
WRITE = ("response.create", {"response": {"output_modalities": ["text"]}})


def append(ms: int, value: int = 8000) -> tuple[str, dict[str, Any]]:
    return ("input_audio_buffer.append", {"audio": sound(ms, value)})


async def greeted(client: Rude) -> None:
    pass


async def in_the_middle_of_a_frame(client: Rude) -> None:
    client.line.transport.write(line.event(*[append(1000)[0]], **append(1000)[1])[:5000])


async def speaking(client: Rude) -> None:
    client.send(append(600))
    await client.until("input_audio_buffer.speech_started")


async def heard(client: Rude) -> None:
    client.send(append(600), append(700, 0))
    await client.until("input_audio_buffer.committed")


async def transcribed(client: Rude) -> None:
    await heard(client)
    await client.until("response.created")


async def thinking(client: Rude) -> None:
    client.send(ITEM, ASK)
    await client.until("response.created")


async def answering(client: Rude) -> None:
    client.send(ITEM, ASK)
    await client.until("response.output_audio.delta")


async def talking_over(client: Rude) -> None:
    await answering(client)
    client.send(append(600))
    await client.until("response.done")


async def answered(client: Rude) -> None:
    client.send(ITEM, ASK)
    await client.until("response.output_audio.delta")
    client.send(("response.cancel", {}))
    await client.until("rate_limits.updated")


async def called(client: Rude) -> None:
    client.send(ITEM, WRITE)
    await client.until("response.done")


THINKS: list[Step] = [5000, Text("At last.")]
CALLS: list[Step] = [Call("weather", {}, "call_1")]


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("phase", "steps"),
    [
        (greeted, [LONG]),
        (in_the_middle_of_a_frame, [LONG]),
        (speaking, [LONG]),
        (heard, THINKS),
        (transcribed, THINKS),
        (thinking, THINKS),
        (answering, [LONG]),
        (talking_over, [LONG]),
        (answered, [LONG]),
        (called, CALLS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_client_that_resets_its_connection_takes_its_session_with_it_and_nothing_else(
    phase: Callable[[Rude], Awaitable[None]],
    steps: Sequence[Step],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Watched(*steps).open() as door:
        client = await Rude().connect(door)
        await phase(client)
        client.reset()
        await door.have_ended(1)
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
        other = await Rude().connect(door)
        door.lease.engines = fake_engines()
        other.send(ITEM, WRITE)
        done = await other.until("response.done")
        assert done["response"]["status"] == "completed"
        other.reset()


@pytest.mark.real_time
async def test_of_two_responses_that_race_one_wins_and_the_other_is_told_which_event_lost() -> None:
    async with Watched(100, Text("Yes.")).open() as door:
        client = await Rude().connect(door)
        one, two = (("response.create", {"event_id": f"event_{n}"}) for n in "12")
        client.send(ITEM, one, two)
        refused = await client.until("error")
        assert refused["error"]["code"] == "conversation_already_has_active_response"
        assert refused["error"]["event_id"] == "event_2"
        await client.until("response.done")
        assert len(client.of("response.created")) == len(client.of("response.done")) == 1
        client.reset()


@pytest.mark.real_time
async def test_a_turn_among_two_hundred_idle_connections_is_a_turn() -> None:
    async with Watched(Text("Yes.")).open() as door:
        idle = [await Rude().connect(door) for _ in range(200)]
        client = await Rude().connect(door)
        client.send(ITEM, WRITE)
        await client.until("response.done")
        assert all(len(each.events) == 1 for each in idle), "nobody else is told"
        for each in (*idle, client):
            each.reset()
        await door.have_ended(201)


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("begin", "rest"),
    [(b"\x01", b"\x80"), (b"\x02", b"\x80")],
    ids=["text", "binary"],
)
async def test_an_event_may_come_in_many_frames(begin: bytes, rest: bytes) -> None:
    payload = json.dumps({"type": "response.cancel", "event_id": "event_1"}).encode()
    pieces = [payload[start : start + 5] for start in range(0, len(payload), 5)]
    async with Watched().open() as door:
        client = await Rude().connect(door)
        for place, piece in enumerate(pieces):
            kind = begin if not place else rest if place == len(pieces) - 1 else b"\x00"
            client.line.transport.write(kind + bytes([0x80 | len(piece)]) + line.MASK + piece)
        assert (await client.until("error"))["error"]["event_id"] == "event_1"
        client.reset()


BROKEN = {
    "text that is no UTF-8": b"\x81\x82" + line.MASK + b"\xff\xfe",
    "a reserved bit": b"\xf1\x81" + line.MASK + b"x",
    "an unknown opcode": b"\x83\x81" + line.MASK + b"x",
    "a ping of 200 bytes": b"\x89\xfe\x00\xc8" + line.MASK + bytes(200),
    "more than there is memory": b"\x81\xff\x7f" + b"\xff" * 7 + line.MASK,
}


@pytest.mark.real_time
@pytest.mark.parametrize("frame", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_websocket_frame_ends_its_own_connection_only(
    frame: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with Watched(Text("Yes.")).open() as door:
        other, client = await Rude().connect(door), await Rude().connect(door)
        client.line.transport.write(frame)
        await client.until_lost()
        other.send(ITEM, WRITE)
        await other.until("response.done")
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
        other.reset()
        await door.have_ended(2)
