"""Wake words heard elsewhere: late by the way there and back, and never waited for."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from wyoming.event import Event
from wyoming.wake import Detection

from airos_edge.engines import wake_wyoming
from airos_edge.engines.wake_wyoming import MOST_WAITING, WyomingWake
from airos_edge.voice.audio import samples_of
from airos_edge.voice.ports import WakeScore
from tests.e2e.conftest import free_port
from tests.room import silence, speech
from tests.wyoming.far_side import FarSide, far_side

pytestmark = pytest.mark.real_time

WORDS = frozenset({"hey_jarvis"})


def hears(*detections: Detection, at_ms: int) -> Callable[[FarSide, Event], Awaitable[bool]]:
    async def answer(far: FarSide, event: Event) -> bool:
        if event.type == "audio-chunk" and event.data["timestamp"] == at_ms:
            await far.say(*detections)
        return True

    return answer


async def scores(wake: WyomingWake, ms: int) -> list[WakeScore]:
    """Of so much sound, and until one has come."""
    found: list[WakeScore] = []
    for chunk in speech(ms):
        found += wake.feed(chunk)
    async with asyncio.timeout(5):
        while not found:
            await asyncio.sleep(0.01)
            found += wake.feed(silence(20)[0])
    return found


async def test_a_detection_is_a_score_at_the_place_of_its_chunk() -> None:
    async with far_side(hears(Detection("hey_jarvis", timestamp=500), at_ms=500)) as far:
        wake = WyomingWake(far.uri, WORDS)
        assert await scores(wake, 1000) == [WakeScore("hey_jarvis", samples_of(500), 1.0)]
        assert far.kinds()[:3] == ["detect", "audio-start", "audio-chunk"]
        assert far.received[0].data["names"] == ["hey_jarvis"]
        await wake.aclose()
        await far.left_alone()


@pytest.mark.parametrize("timestamp", [None, -5, 10**12])
async def test_one_that_has_no_place_of_ours_is_placed_where_it_came(timestamp: int | None) -> None:
    async with far_side(hears(Detection(timestamp=timestamp), at_ms=500)) as far:
        wake = WyomingWake(far.uri, WORDS)
        (score,) = await scores(wake, 1000)
        assert score.word == "hey_jarvis", "the only one that it can have been"
        assert score.sample >= samples_of(1000)
        await wake.aclose()


async def test_a_word_that_is_not_ours_is_no_score() -> None:
    detections = (Detection("alexa"), Detection("hey_jarvis"))
    async with far_side(hears(*detections, at_ms=100)) as far:
        wake = WyomingWake(far.uri, WORDS)
        assert [score.word for score in await scores(wake, 300)] == ["hey_jarvis"]
        await wake.aclose()


async def test_a_service_that_vanishes_is_connected_to_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wake_wyoming, "AGAIN_S", 0.05)

    async def vanishes(far: FarSide, event: Event) -> bool:
        return False

    async with far_side(vanishes) as far:
        wake = WyomingWake(far.uri, WORDS)
        wake.feed(speech(20)[0])
        await far.left_alone()
        far.answer = hears(Detection("hey_jarvis"), at_ms=500)
        assert await scores(wake, 1000)
        await wake.aclose()
    assert "No wake words: tcp://127.0.0.1" in caplog.text


async def test_sound_waits_for_a_service_that_is_not_there_but_not_for_ever() -> None:
    wake = WyomingWake(f"tcp://127.0.0.1:{free_port()}", WORDS)
    for chunk in speech(4000):
        assert wake.feed(chunk) == []
    assert wake.dropped == 200 - MOST_WAITING
    await wake.aclose()


@pytest.mark.parametrize("comes_late", [False, True])
async def test_what_was_said_before_the_sound_paused_does_not_wake_after_it(
    comes_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(far: FarSide, event: Event) -> bool:
        return True

    monkeypatch.setattr(wake_wyoming, "PAUSED_S", 0.2)
    async with far_side(nothing) as far:
        wake = WyomingWake(far.uri, WORDS)
        for chunk in speech(1000):
            assert wake.feed(chunk) == []
        await far.until("audio-chunk")
        before, after = Detection("hey_jarvis", 500), Detection("hey_jarvis", 1020)
        if not comes_late:
            await far.say(before)
        await asyncio.sleep(0.3)
        assert wake.feed(silence(40)[0]) == []
        await far.say(before, after) if comes_late else await far.say(after)
        assert [score.sample for score in await scores(wake, 20)] == [samples_of(1020)]
        await wake.aclose()
