"""A session played once more: when a client event goes out, by which ids, and when it is given up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from airos_edge.errors import DaemonError
from airos_edge.realtime.recording import Line, Recording
from airos_edge.realtime.replay import PATIENCE_S, Event, replay

CREATED = {"type": "session.created", "event_id": "event_1", "session": {"id": "sess_then"}}
CREATE = {"type": "response.create"}


class Server:
    """Says at first what it is given, and after each frame that it gets what `answers` has for it."""

    def __init__(self, *first: Event, answers: Any = lambda frame: [], after_s: float = 0) -> None:
        self.sent: list[tuple[float, str]] = []
        self._says: asyncio.Queue[Event | None] = asyncio.Queue()
        self._answers = answers
        self._after_s = after_s
        for event in first:
            self._says.put_nowait(event)

    async def send_frame(self, frame: str) -> None:
        loop = asyncio.get_running_loop()
        self.sent.append((loop.time(), frame))
        for event in self._answers(frame):
            loop.call_later(self._after_s, self._says.put_nowait, event)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (event := await self._says.get()) is not None:
            yield event
        raise DaemonError("the server ended the connection (code 1012)")

    def hang_up(self) -> None:
        self._says.put_nowait(None)


def recording(*lines: tuple[int, str, Event], end_ms: int = 0) -> Recording:
    found = tuple(Line(at_ms, side, event) for at_ms, side, event in lines)  # type: ignore[arg-type]
    return Recording({}, found, end_ms or found[-1].at_ms)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_an_event_goes_out_after_what_it_followed_however_late_that_comes() -> None:
    tape = recording((0, "server", CREATED), (100, "client", CREATE))
    server, begin = Server(), now()
    asyncio.get_running_loop().call_later(3, server._says.put_nowait, CREATED)
    await replay(tape, server)
    assert server.sent[0][0] - begin == pytest.approx(3.1, abs=0.01)


async def test_at_full_speed_nothing_else_is_waited_for() -> None:
    tape = recording((0, "server", CREATED), (60_000, "client", CREATE))
    server, begin = Server(CREATED), now()
    await replay(tape, server, "max")
    assert server.sent[0][0] == pytest.approx(begin, abs=0.01)


async def test_sound_keeps_its_pace_and_waits_no_longer_than_a_second() -> None:
    append = {"type": "input_audio_buffer.append", "audio": "AAAA"}
    started = {"type": "input_audio_buffer.speech_started", "item_id": "item_1"}
    tape = recording(
        (0, "server", CREATED),
        (20, "client", append),
        (40, "client", append),
        (45, "server", started),
        (60, "client", append),
        (80, "client", append),
    )
    server, begin = Server(CREATED), now()
    await replay(tape, server, patience_s=0.1)
    times = [round((at - begin) * 1000) for at, _ in server.sent]
    assert times[:2] == [20, 40]
    assert times[2] == pytest.approx(1040, abs=10)


async def test_ids_of_the_server_are_those_of_today() -> None:
    def added(item_id: str) -> Event:
        return {
            "type": "conversation.item.added",
            "item": {"id": item_id, "call_id": f"c{item_id}"},
        }

    output = {"type": "function_call_output", "call_id": "citem_then", "output": "item_then is up"}
    tape = recording(
        (0, "server", added("item_then")),
        (10, "client", {"type": "conversation.item.create", "item": output}),
    )
    server = Server(added("item_now"))
    await replay(tape, server)
    assert '"call_id": "citem_now"' in server.sent[0][1]
    assert '"output": "item_then is up"' in server.sent[0][1]


async def test_a_number_of_deltas_is_no_promise() -> None:
    delta = {"type": "response.output_text.delta", "item_id": "item_1", "delta": "a"}
    cancel = {"type": "response.cancel"}
    tape = recording(*[(0, "server", delta)] * 5, (10, "client", cancel))
    server = Server(delta)
    await replay(tape, server)
    assert "response.cancel" in server.sent[0][1]


async def test_what_does_not_come_is_given_up_and_the_rest_is_not_sent() -> None:
    done = {"type": "response.done", "response": {"id": "resp_1"}}
    tape = recording((0, "server", CREATED), (5, "server", done), (10, "client", CREATE))
    server, begin = Server(CREATED), now()
    assert await replay(tape, server) == [CREATED]
    assert server.sent == []
    assert now() - begin < 3 * PATIENCE_S


async def test_what_comes_besides_is_seen_for_as_long_as_it_was_quiet() -> None:
    surplus = {"type": "response.done", "response": {"id": "resp_1"}}
    tape = recording((0, "server", CREATED), (10, "client", CREATE), end_ms=600)
    late = Server(CREATED, answers=lambda frame: [surplus], after_s=0.5)
    assert await replay(tape, late) == [CREATED, surplus]


async def test_a_server_that_goes_is_an_error() -> None:
    tape = recording((0, "server", CREATED), (10, "client", CREATE), (20, "server", CREATED))
    server = Server(CREATED)
    server.hang_up()
    with pytest.raises(DaemonError, match="1012"):
        await replay(tape, server)
