"""What is known of an engine elsewhere by what comes of it."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from airos_edge.engines.reported import ReportedAsr, ReportedTts
from airos_edge.voice.ports import Speaking
from tests.fakes import FakeAsr, FakeTts, Fault, Said
from tests.room import Room


class Reports(list[tuple[str, str]]):
    def __call__(self, state: str, why: str) -> None:
        self.append((state, why))


async def one_sentence() -> AsyncIterator[str]:
    yield "hello there"


async def test_a_recogniser_that_fails_is_failed_until_it_works_again() -> None:
    reports, asr = Reports(), FakeAsr(Said(Fault.RAISE), Said("hello"))
    async with Room(asr=ReportedAsr(asr, reports)) as room:
        await room.ask()
        await room.answered(1)
        assert reports == [("failed", "fake_asr: broke")]
        await room.ask()
        assert await room.answered(2) == "You said hello."
    assert reports[-1] == ("ok", "")


async def test_a_voice_that_speaks_works() -> None:
    reports = Reports()
    voice = ReportedTts(FakeTts(), reports)
    async with aclosing(voice.speak(one_sentence(), Speaking())) as speech:
        assert [piece.text async for piece in speech] == ["hello ", "there"]
    assert {state for state, _ in reports} == {"ok"}


async def test_of_a_voice_that_was_cancelled_at_once_nothing_is_known() -> None:
    reports = Reports()
    async with aclosing(ReportedTts(FakeTts(), reports).speak(one_sentence(), Speaking())):
        pass
    assert reports == []
