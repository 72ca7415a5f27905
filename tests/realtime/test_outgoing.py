"""What waits for a client: its order, its bounds, its frames."""

import asyncio
import json
from typing import Any

import pytest

from airos_edge.realtime import outgoing
from airos_edge.realtime.outgoing import LARGEST_FRAME_BYTES, SLOW_BYTES, Outgoing, framed
from airos_edge.voice.flow import Scope
from tests.realtime import oracle


class Client:
    """The other end, which reads when it is let."""

    def __init__(self) -> None:
        self.read: list[Any] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.overflows = 0
        self.outgoing = Outgoing(self.overflowed)

    def overflowed(self) -> None:
        self.overflows += 1

    async def send_str(self, frame: str) -> None:
        await self.reads.wait()
        self.read.append(json.loads(frame))

    async def write(self) -> None:
        await self.outgoing.write_to(self)  # type: ignore[arg-type]


def event(text: str) -> dict[str, Any]:
    return {"type": "error", "event_id": "event_1", "text": text}


async def test_a_client_gets_everything_in_order() -> None:
    client = Client()
    async with Scope() as scope:
        scope.start(client.write(), "writer")
        for place in range(3):
            client.outgoing.put(event(str(place)))
        await client.outgoing.drained()
    assert [one["text"] for one in client.read] == ["0", "1", "2"]


async def test_speech_waits_for_who_is_slow() -> None:
    client = Client()
    client.reads.clear()
    async with Scope() as scope:
        scope.start(client.write(), "writer")
        client.outgoing.put(event("x" * SLOW_BYTES))
        waiting = scope.start(client.outgoing.room(), "speech")
        await asyncio.sleep(1)
        assert not waiting.done()
        client.reads.set()
        await waiting


async def test_who_does_not_read_is_noticed_once_and_nothing_is_kept_for_them() -> None:
    client = Client()
    for _ in range(100):
        client.outgoing.put(event("x" * 100_000))
    assert client.overflows == 1
    assert client.outgoing._bytes == 0
    await client.outgoing.drained()


async def test_who_reads_next_to_nothing_does_not_keep_an_answer_waiting_for_ever() -> None:
    client = Client()
    client.reads.clear()
    async with Scope() as scope:
        scope.start(client.write(), "writer")
        client.outgoing.put(event("x" * 2 * SLOW_BYTES))
        await client.outgoing.room()
    assert client.overflows == 1
    assert asyncio.get_running_loop().time() >= outgoing.STALLED_S


@pytest.mark.parametrize(
    "given",
    [
        event("x" * 3_000_000),
        event("é" * 900_000),
        {"type": "error", "event_id": "event_1", "parts": ["x" * 5000] * 1000},
    ],
)
def test_a_frame_that_would_be_too_large_shows_its_texts_in_part(given: dict[str, Any]) -> None:
    frame = framed(given)
    assert 1000 < len(frame) <= LARGEST_FRAME_BYTES
    assert "\\u2026" in frame
    assert json.loads(frame).keys() == given.keys()


def test_what_cannot_be_shown_in_part_is_named() -> None:
    told = json.loads(
        framed({"type": "session.updated", "event_id": "e", "session": [1] * 999_999})
    )
    oracle.check(told)
    assert told["error"]["code"] == "event_too_large"
