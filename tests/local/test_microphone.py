"""The microphone: every kind of sound as 16 kHz chunks, and a device that goes is opened again."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from airos_edge.health import State
from airos_edge.local.microphone import KEPT_BLOCKS, SILENT_S, Microphone
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.flow import Scope
from tests.local.card import FakeAudio

BLOCK = np.full(320, 1000, "<i2").tobytes()


class Desk:
    def __init__(self) -> None:
        self.audio = FakeAudio(rate_hz=16_000)
        self.fed: list[AudioChunk] = []
        self.lost = 0
        self.reports: list[tuple[State, str]] = []
        self.microphone = Microphone(
            self.audio, "auto", self.fed.append, self._lose, lambda *told: self.reports.append(told)
        )

    def _lose(self) -> None:
        self.lost += 1

    @property
    def states(self) -> list[State]:
        """Without repetitions."""
        states = [state for state, _ in self.reports]
        return [one for i, one in enumerate(states) if i == 0 or one != states[i - 1]]

    async def hear(self, seconds: float, block: bytes = BLOCK) -> None:
        for _ in range(round(seconds / 0.02)):
            await asyncio.sleep(0.02)
            if self.audio.is_open.get("input"):
                self.audio.hear(block)
        await asyncio.sleep(0)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with Scope() as scope:
        scope.start(desk.microphone.keep(), "microphone")
        await asyncio.sleep(0)
        yield desk


async def test_what_it_hears_is_fed_block_by_block(desk: Desk) -> None:
    await desk.hear(1.0)
    assert [chunk.pcm for chunk in desk.fed] == [BLOCK] * 50
    assert desk.states == ["ok"]


@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 2), (44_100, 1), (16_000, 2)])
async def test_another_rate_and_two_channels_are_made_one_of_16_khz(
    rate_hz: int, channels: int
) -> None:
    desk = Desk()
    desk.audio.rate_hz, desk.audio.channels = rate_hz, channels
    one = np.full(rate_hz // 50, 3000, "<i2")
    block = np.stack([one, one // 3][:channels], axis=1).tobytes()
    async with Scope() as scope:
        scope.start(desk.microphone.keep(), "microphone")
        await asyncio.sleep(0)
        await desk.hear(2.0, block)
    heard = np.frombuffer(b"".join(chunk.pcm for chunk in desk.fed), "<i2")
    assert len(heard) / 16_000 == pytest.approx(2.0, abs=0.05)
    assert np.median(heard) == pytest.approx(3000 if channels == 1 else 2000, abs=2)


async def test_one_that_stops_delivering_is_opened_again(desk: Desk) -> None:
    await desk.hear(1.0)
    await asyncio.sleep(SILENT_S + 1)
    assert desk.states == ["ok", "failed"]
    assert "delivers nothing" in desk.reports[-1][1]
    assert desk.lost == 1
    await desk.hear(3.0)
    assert (desk.states, desk.audio.opened) == (["ok", "failed", "ok"], 2)


async def test_one_that_has_gone_is_opened_again_for_ever_and_less_and_less_often(
    desk: Desk,
) -> None:
    await desk.hear(1.0)
    desk.audio.is_active, desk.audio.error = False, "card: there is none"
    await asyncio.sleep(3600)
    assert desk.states == ["ok", "failed"]
    assert desk.lost < 130
    desk.audio.error = ""
    await desk.hear(60)
    assert desk.states == ["ok", "failed", "ok"]


async def test_muted_it_is_closed_and_feeds_nothing(desk: Desk) -> None:
    await desk.hear(1.0)
    desk.microphone.mute(True)
    fed = len(desk.fed)
    await desk.hear(2.0)
    assert not desk.audio.is_open["input"]
    assert (len(desk.fed), desk.lost) == (fed, 1)
    desk.microphone.mute(False)
    await desk.hear(1.0)
    assert len(desk.fed) > fed
    assert desk.states == ["ok"]


async def test_a_busy_loop_gets_the_newest_and_counts_the_rest(desk: Desk) -> None:
    await desk.hear(0.02)
    for number in range(KEPT_BLOCKS + 30):
        desk.audio.hear(number.to_bytes(2, "little") * 320)
    await asyncio.sleep(0)
    assert desk.microphone.dropped == 30
    assert len(desk.fed) == 1 + KEPT_BLOCKS
    assert desk.fed[-1].pcm[:2] == (KEPT_BLOCKS + 29).to_bytes(2, "little")


async def test_when_the_loudspeaker_looks_for_new_devices_it_makes_way(desk: Desk) -> None:
    await desk.hear(1.0)
    desk.audio.is_stale = True
    await asyncio.sleep(0.3)
    desk.audio.is_stale = False
    await desk.hear(1.0)
    assert (desk.audio.opened, desk.states, desk.lost) == (2, ["ok"], 0)
