"""Something said without being asked."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable

import pytest

from airos_edge.errors import EngineError
from airos_edge.voice.announce import announce
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Speaking
from tests.fakes import FakeTts, Fault, fake_engines
from tests.room import FakeSpeaker


async def test_it_returns_when_it_has_been_heard() -> None:
    speaker = FakeSpeaker()
    engines = fake_engines(tts=FakeTts(ms_per_character=100))
    assert await announce("Dinner!", Rank.ANNOUNCE, engines, Floor(speaker), Speaking()) == 700
    assert asyncio.get_running_loop().time() == pytest.approx(0.7)
    assert speaker.text == "Dinner!"


async def test_it_is_made_sayable_as_answers_are() -> None:
    async def without_stars(text: AsyncIterable[str], language: str) -> AsyncGenerator[str, None]:
        async for piece in text:
            yield piece.replace("*", "")

    speaker, engines = FakeSpeaker(), fake_engines(sayable=without_stars)
    await announce("**Dinner!**", Rank.ANNOUNCE, engines, Floor(speaker), Speaking())
    assert speaker.text == "Dinner!"


async def test_cancelled_it_is_silent_at_once_and_gives_the_floor_back() -> None:
    speaker = FakeSpeaker()
    floor = Floor(speaker)
    tts = FakeTts(ms_per_character=100)
    engines = fake_engines(tts=tts)
    async with Scope() as scope:
        long = "A long announcement, of which only the beginning is heard."
        first = scope.start(announce(long, Rank.RING, engines, floor, Speaking()), "first")
        await asyncio.sleep(0.5)
        first.cancel()
        await asyncio.wait([first])
    assert speaker.mouths[0].hushed_at == pytest.approx(0.5)
    assert tts.running == 0
    assert await announce("Next", Rank.MEDIA, engines, floor, Speaking()) == 400


@pytest.mark.parametrize("fault", [Fault.RAISE, Fault.CRASH, Fault.FOREIGN_CANCEL])
async def test_a_voice_that_fails_is_an_error_and_silent(fault: Fault) -> None:
    speaker = FakeSpeaker()
    engines = fake_engines(tts=FakeTts(ms_per_character=100, fault=fault, after_words=2))
    with pytest.raises(EngineError, match="fake_tts"):
        await announce("One two three", Rank.RING, engines, Floor(speaker), Speaking())
    assert speaker.mouths[0].hushed_at is not None


async def test_a_voice_that_stalls_does_not_keep_the_floor() -> None:
    speaker = FakeSpeaker()
    floor = Floor(speaker)
    engines = fake_engines(tts=FakeTts(fault=Fault.STALL, after_words=1))
    with pytest.raises(EngineError, match="said nothing"):
        await announce("One two three", Rank.RING, engines, floor, Speaking())
    assert await announce("Next", Rank.MEDIA, fake_engines(), floor, Speaking()) == 200


async def test_without_a_voice_the_error_says_where_to_look() -> None:
    with pytest.raises(EngineError, match="airos check"):
        await announce("Hi", Rank.RING, fake_engines(tts=None), Floor(FakeSpeaker()), Speaking())
