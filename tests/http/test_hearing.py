"""A recording to its words: where it is cut, and what becomes of what cannot be heard."""

import asyncio

import pytest

from airos_edge.errors import EngineError
from airos_edge.http.hearing import Segment, hear
from tests.fakes import FakeAsr, FakeResponder, Fault, Said
from tests.http.hearing import Box, sound

TWICE = sound(500, 1000, 2000, 1000, 1000)


async def heard(box: Box, pcm: bytes, language: str | None = None) -> list[Segment]:
    found = [segment async for segment in hear(pcm, box.open_hearing, language)]
    assert box.lease.running == 0
    return found


async def test_each_utterance_is_a_segment_with_its_place() -> None:
    first, second = await heard(Box(asr=FakeAsr("hello", "again")), TWICE)
    assert (first.text, second.text) == ("hello", "again")
    assert 0 <= first.start_ms <= 500
    assert first.end_ms == pytest.approx(1500, abs=100)
    assert second.start_ms == pytest.approx(3300, abs=300)
    assert second.end_ms == pytest.approx(4500, abs=100)


async def test_what_is_still_being_said_at_the_end_is_heard() -> None:
    assert [one.text for one in await heard(Box(), sound(500, 1000))] == ["hello"]


async def test_nobody_is_answered() -> None:
    responder = FakeResponder()
    await heard(Box(responder=responder), TWICE)
    assert responder.opened == 0


async def test_what_is_not_meant_for_the_recogniser_is_in_no_segment() -> None:
    assert [one.text for one in await heard(Box(asr=FakeAsr("", "again")), TWICE)] == ["again"]


async def test_of_silence_and_of_nothing_there_is_no_segment() -> None:
    assert await heard(Box(), sound(3000)) == []
    assert await heard(Box(), b"") == []


async def test_utterances_are_recognised_one_after_the_other() -> None:
    asr = FakeAsr(Said("hello", takes_ms=300))
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, asr.running)
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    assert len(await heard(Box(asr=asr), sound(*[1500] * 8))) == 4
    watching.cancel()
    assert most == 1


async def test_the_language_is_the_recognisers_to_know() -> None:
    asr = FakeAsr("bonjour")
    await heard(Box(asr=asr), sound(500, 1000), "fr")
    assert asr.hints[0].language == "fr"


@pytest.mark.parametrize("fault", [Fault.RAISE, Fault.CRASH, Fault.STALL, Fault.FOREIGN_CANCEL])
async def test_a_recogniser_that_fails_is_an_error(fault: Fault) -> None:
    with pytest.raises(EngineError):
        await heard(Box(asr=FakeAsr(Said(fault))), TWICE)


async def test_closed_early_it_ends_the_recogniser() -> None:
    box = Box(asr=FakeAsr(Said("hello", takes_ms=10_000)))
    hearing = hear(TWICE, box.open_hearing)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(hearing)
    assert box.lease.running == 0
