"""A voice made of several: which of them says what, when one fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from airos_edge.engines.choosing import Choice
from airos_edge.engines.in_order import ANSWERS_S
from airos_edge.engines.kept import KeptTts
from airos_edge.engines.loading import Loading
from airos_edge.engines.speech_store import SpeechStore
from airos_edge.engines.tts_in_order import TtsInOrder
from airos_edge.voice.ports import Place, Speaking
from tests.engines.slow import (
    AWAY,
    ClosingTts,
    Opener,
    Reports,
    begun,
    of_model,
    of_package,
    said_by,
)
from tests.fakes import FakeTts, Fault


def voices(first: FakeTts, second: FakeTts) -> TtsInOrder:
    return TtsInOrder([of_package(first, AWAY, Place.EDGE), of_package(second)], Reports())


@pytest.mark.parametrize(
    ("after_words", "by_second"),
    [
        (0, ["one two. ", "three four. "]),
        (1, ["two. ", "three four. "]),
        (2, ["three four. "]),
        (3, ["four. "]),
    ],
)
async def test_the_next_voice_says_what_was_not_said_and_nothing_twice(
    after_words: int, by_second: list[str]
) -> None:
    first = FakeTts(fault=Fault.RAISE, after_words=after_words)
    second = FakeTts(name="second")
    order = voices(first, second)
    async with begun(order):
        assert await said_by(order, "one two. ", "three four. ") == "one two. three four. "
    assert second.sentences == by_second


async def test_all_of_a_reply_has_the_rate_of_its_first_sound() -> None:
    class Other(FakeTts):
        async def speak(self, text: Any, how: Speaking) -> Any:
            async for piece in super().speak(text, how):
                yield type(piece)(type(piece.chunk)(piece.chunk.pcm, 22_050), piece.text)

    async def script() -> AsyncIterator[str]:
        yield "one two. "

    order = voices(FakeTts(fault=Fault.RAISE, after_words=1), Other(name="other"))
    async with begun(order), aclosing(order.speak(script(), Speaking())) as pieces:
        assert {piece.chunk.rate_hz async for piece in pieces} == {16_000}


async def test_who_stands_in_is_not_asked_for_a_voice_of_another_engine() -> None:
    first, second = FakeTts(fault=Fault.RAISE), FakeTts(name="second")
    order = voices(first, second)
    async with begun(order):
        await said_by(order, "hello. ", how=Speaking(voice="amy"))
    assert [how.voice for how in (*first.asked, *second.asked)] == ["amy", None]


async def test_it_tells_the_voices_of_who_speaks_now() -> None:
    class Named(ClosingTts):
        def voices(self, language: str) -> dict[str, str]:
            return {"amy": language}

    opener = Opener(Named())
    loading: Loading[Any] = of_model("small", opener, port="tts")
    order = TtsInOrder([loading, of_package(FakeTts())], Reports())
    async with begun(order):
        assert order.voices("en") is None
        opener.let()
        await order.settled()
        assert order.voices("en") == {"amy": "en"}


async def test_it_tells_how_far_a_sentence_goes_before_it_goes() -> None:
    went: list[tuple[Place, int]] = []
    first, second = FakeTts(fault=Fault.RAISE, after_words=1), FakeTts(name="second")
    order = voices(first, second)

    async def script() -> AsyncIterator[str]:
        yield "one. "
        yield "two. "

    voice = order.telling(lambda place: went.append((place, len(first.sentences))))
    async with begun(order), aclosing(voice.speak(script(), Speaking())) as pieces:
        assert "".join([piece.text async for piece in pieces]) == "one. two. "
    assert went == [(Place.EDGE, 0), (Place.EDGE, 1), (Place.LOCAL, 2)]
    assert (voice.name, voice.place) == (AWAY, Place.EDGE)


async def test_one_elsewhere_that_says_nothing_makes_way_in_time() -> None:
    first, second = FakeTts(fault=Fault.STALL, after_words=1), FakeTts(name="second")
    order = voices(first, second)
    began = asyncio.get_running_loop().time()
    async with begun(order):
        assert await said_by(order, "one two. ", "three. ") == "one two. three. "
    assert asyncio.get_running_loop().time() - began == ANSWERS_S
    assert second.sentences == ["two. ", "three. "]


async def test_while_no_sentence_has_come_no_voice_is_expected_to_say_anything() -> None:
    async def script() -> AsyncIterator[str]:
        for sentence in ("one. ", "two. "):
            await asyncio.sleep(3 * ANSWERS_S)
            yield sentence

    second = FakeTts(name="second")
    order = voices(FakeTts(), second)
    async with begun(order), aclosing(order.speak(script(), Speaking())) as pieces:
        assert "".join([piece.text async for piece in pieces]) == "one. two. "
    assert second.sentences == []


async def test_one_that_keeps_what_it_says_makes_way_in_time_too(tmp_path: Path) -> None:
    store = SpeechStore(tmp_path, 1_000_000)
    first = KeptTts(FakeTts(fault=Fault.STALL, after_words=1), store, "key")
    second = FakeTts(name="second")
    choice = Choice("tts", AWAY, "", Place.EDGE)
    parts = [Loading(choice, Opener(first, is_let=True)), of_package(second)]
    order: TtsInOrder = TtsInOrder(parts, Reports())
    began = asyncio.get_running_loop().time()
    async with begun(order):
        assert await said_by(order, "one two. ") == "one two. "
    assert asyncio.get_running_loop().time() - began == ANSWERS_S
    assert second.sentences == ["two. "]
