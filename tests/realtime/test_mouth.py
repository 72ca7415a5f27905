"""Speech to a client, in step with what it is taken to have played."""

import asyncio

import pytest

from airos_edge.realtime.formats import PCM
from airos_edge.realtime.mouth import LEAD_S, RealtimeMouth
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Says, Speech

SAYS = Says("resp_1", "item_1")
VOICE_HZ = 22050


def speech(ms: int) -> Speech:
    return Speech(AudioChunk(b"\x10\x10" * samples_of(ms, VOICE_HZ), VOICE_HZ))


class Line:
    """What was sent, in milliseconds of sound; while `is_full`, there is no room."""

    def __init__(self) -> None:
        self.sent_ms = 0.0
        self.is_full = False
        self.drained = asyncio.Event()
        self.mouth = RealtimeMouth(SAYS, self._send, self._room)

    def _send(self, says: Says, pcm: bytes) -> None:
        assert says == SAYS
        self.sent_ms += len(pcm) / 2 / PCM.rate_hz * 1000

    async def _room(self) -> None:
        if self.is_full:
            await self.drained.wait()


def now() -> float:
    return asyncio.get_running_loop().time()


async def play(line: Line, ms: int, piece_ms: int = 50) -> None:
    for _ in range(ms // piece_ms):
        await line.mouth.play(speech(piece_ms))


async def test_all_that_is_played_is_sent_at_the_clients_rate() -> None:
    line = Line()
    await play(line, 500)
    assert await line.mouth.drain() == pytest.approx(500, abs=2)
    assert line.sent_ms == pytest.approx(500, abs=2)


async def test_it_is_never_further_ahead_than_its_lead() -> None:
    line = Line()
    async with Scope() as scope:
        scope.start(play(line, 5000), "playing")
        for second in range(4):
            ahead_ms = line.sent_ms - now() * 1000
            assert ahead_ms <= LEAD_S * 1000 + 50, f"after {second} s"
            await asyncio.sleep(1)


async def test_drain_returns_when_the_client_has_heard_it() -> None:
    line = Line()
    await play(line, 800)
    assert now() < 0.1
    await line.mouth.drain()
    assert now() == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("after_s", [0.0, 0.25, 3.0])
async def test_hushed_it_says_what_was_heard_and_sends_no_more(after_s: float) -> None:
    line = Line()
    await play(line, 600)
    await asyncio.sleep(after_s)
    heard_ms = line.mouth.hush()
    assert heard_ms == pytest.approx(min(after_s * 1000, 600), abs=10)
    sent = line.sent_ms
    await play(line, 600)
    assert await line.mouth.drain() == heard_ms
    assert line.mouth.hush() == heard_ms
    assert line.sent_ms == sent


async def test_before_its_first_word_nothing_was_heard() -> None:
    assert Line().mouth.hush() == 0


@pytest.mark.parametrize("drain", [True, False])
async def test_hush_ends_a_wait_at_once(drain: bool) -> None:
    line = Line()
    async with Scope() as scope:
        work = line.mouth.drain() if drain else play(line, 5000)
        await line.mouth.play(speech(900))
        waiting = scope.start(work, "waiting")  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        line.mouth.hush()
        await asyncio.wait([waiting])
    assert now() == pytest.approx(0.1, abs=0.001)


async def test_a_client_without_room_holds_it_back() -> None:
    line = Line()
    line.is_full = True
    async with Scope() as scope:
        scope.start(play(line, 500), "playing")
        await asyncio.sleep(5)
        assert line.sent_ms < 60
        line.drained.set()
        await asyncio.sleep(1)
        assert line.sent_ms == pytest.approx(500, abs=30)


async def test_a_gap_in_the_speech_is_not_taken_for_speech_that_was_heard() -> None:
    line = Line()
    await play(line, 300)
    await asyncio.sleep(8)
    began = now()
    async with Scope() as scope:
        scope.start(play(line, 5000), "playing")
        await asyncio.sleep(0.5)
        assert line.sent_ms - 300 <= (0.5 + LEAD_S) * 1000 + 50
        assert line.mouth.hush() == pytest.approx(800, abs=60)
    assert now() - began == pytest.approx(0.5)


async def test_drain_after_a_gap_waits_for_what_came_after_it() -> None:
    line = Line()
    await play(line, 300)
    await asyncio.sleep(8)
    await play(line, 600)
    await line.mouth.drain()
    assert now() == pytest.approx(8.6, abs=0.05)
