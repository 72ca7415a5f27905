"""A mouth on the loudspeaker: in step with what the sound card has taken, silent at once, never stuck."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from airos_edge.health import State
from airos_edge.local.sounds import chime
from airos_edge.local.speaker import IDLE_S, LEAD_MS, Speaker, SpeakerMouth
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Says, Speech
from tests.local.card import FakeAudio

SAYS = Says("resp_1", "item_1")
VOICE_HZ = 22_050
DELAY_MS = 60
"""The fake card's: 50 ms and a block."""


class Desk:
    def __init__(self) -> None:
        self.audio = FakeAudio()
        self.reports: list[State] = []
        self.speaker = Speaker(
            self.audio, "auto", 48_000, lambda state, why: self.reports.append(state)
        )

    def mouth(self) -> SpeakerMouth:
        return self.speaker.open(SAYS)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with Scope() as scope:
        scope.start(desk.speaker.keep(), "speaker")
        yield desk


def tone(ms: int, value: int = 8000, rate_hz: int = VOICE_HZ) -> Speech:
    return Speech(AudioChunk(np.full(samples_of(ms, rate_hz), value, "<i2").tobytes(), rate_hz))


def now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000


async def test_what_is_played_is_heard_for_as_long_as_it_is(desk: Desk) -> None:
    mouth, began = desk.mouth(), now_ms()
    for _ in range(5):
        await mouth.play(tone(200))
    assert await mouth.drain() == pytest.approx(1000, abs=2)
    assert now_ms() - began == pytest.approx(1000 + DELAY_MS, abs=30)
    loud = np.flatnonzero(np.abs(desk.audio.sound) > 4000)
    assert len(loud) / 48 == pytest.approx(1000, abs=2)
    assert desk.reports == ["ok"]


async def test_little_more_waits_than_the_lead(desk: Desk) -> None:
    mouth = desk.mouth()
    await mouth.play(tone(2000))
    heard_ms = mouth.hush()
    assert heard_ms == pytest.approx(2000 - LEAD_MS, abs=20)


async def test_hushed_it_is_silent_at_once_and_tells_what_was_heard(desk: Desk) -> None:
    mouth = desk.mouth()
    async with Scope() as scope:
        playing = scope.start(mouth.play(tone(5000)), "playing")
        await asyncio.sleep(0.7)
        heard_ms = mouth.hush()
        await playing
    await asyncio.sleep(0.5)
    loud = np.flatnonzero(np.abs(desk.audio.sound) > 0)
    assert (loud[-1] - loud[0]) / 48 == pytest.approx(heard_ms, abs=6)
    assert heard_ms == pytest.approx(700, abs=20)
    assert (mouth.hush(), await mouth.drain()) == (heard_ms, heard_ms)
    await mouth.play(tone(200))
    assert mouth.hush() == heard_ms


async def test_ducked_it_is_quieter_by_so_many_db(desk: Desk) -> None:
    mouth = desk.mouth()
    mouth.duck(20)
    await mouth.play(tone(300))
    await mouth.drain()
    assert np.abs(desk.audio.sound)[9600] == pytest.approx(800, rel=0.02)


async def test_a_chime_is_heard_over_a_reply(desk: Desk) -> None:
    mouth = desk.mouth()
    async with Scope() as scope:
        scope.start(mouth.play(tone(600)), "playing")
        await asyncio.sleep(0.2)
        desk.speaker.play(chime())
    await asyncio.sleep(0.5)
    assert desk.audio.sound.max() > 9000


async def test_the_volume_is_a_share_of_what_is_heard(desk: Desk) -> None:
    desk.speaker.set_volume(50)
    mouth = desk.mouth()
    await mouth.play(tone(300))
    await mouth.drain()
    assert desk.audio.sound[9600] == pytest.approx(8000 / 8, rel=0.02)
    desk.speaker.set_volume(0)
    desk.audio.played.clear()
    mouth = desk.mouth()
    await mouth.play(tone(300))
    await mouth.drain()
    assert not desk.audio.sound[4800:].any()


async def test_a_quiet_box_closes_the_loudspeaker_and_opens_it_again(desk: Desk) -> None:
    for opened in (1, 2):
        mouth = desk.mouth()
        await mouth.play(tone(100))
        await mouth.drain()
        assert desk.audio.is_open["output"]
        await asyncio.sleep(IDLE_S + 1)
        assert not desk.audio.is_open["output"]
        assert desk.audio.opened == opened


async def test_a_loudspeaker_that_cannot_be_opened_keeps_nobody_waiting(desk: Desk) -> None:
    desk.audio.error = "card: in use"
    mouth = desk.mouth()
    await mouth.play(tone(5000))
    assert await mouth.drain() == 0
    assert desk.reports == ["failed"]
    desk.audio.error = ""
    await asyncio.sleep(60)
    assert desk.reports == ["failed", "ok"]
    mouth = desk.mouth()
    await mouth.play(tone(100))
    assert await mouth.drain() == pytest.approx(100, abs=2)


async def test_a_loudspeaker_that_goes_in_a_reply_ends_it_and_is_opened_again(desk: Desk) -> None:
    mouth = desk.mouth()
    async with Scope() as scope:
        playing = scope.start(mouth.play(tone(5000)), "playing")
        await asyncio.sleep(0.5)
        desk.audio.is_active = False
        await playing
    assert await mouth.drain() == pytest.approx(500, abs=300)
    await asyncio.sleep(5)
    assert desk.reports == ["ok", "failed", "ok"]


async def test_a_loudspeaker_that_stands_still_keeps_nobody_waiting(desk: Desk) -> None:
    mouth = desk.mouth()
    async with asyncio.timeout(10), Scope() as scope:
        playing = scope.start(mouth.play(tone(5000)), "playing")
        await asyncio.sleep(0.5)
        desk.audio.stands_still = True
        await playing
    assert await mouth.drain() == pytest.approx(500, abs=20)
    desk.audio.stands_still = False
    await asyncio.sleep(5)
    assert desk.reports == ["ok", "failed", "ok"]
