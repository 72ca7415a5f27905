"""A recogniser made of several: which of them hears a recording, when one fails."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from airos_edge.engines.asr_in_order import AsrInOrder
from airos_edge.engines.in_order import ANSWERS_S
from airos_edge.engines.loading import REST_S
from airos_edge.errors import EngineError
from airos_edge.voice.ports import Hints, Place, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Judgement, Utterance
from tests.engines.slow import AWAY, Reports, begun, heard_by, of_package, recorded
from tests.fakes import At, FakeAsr, Fault, Said


def two(first: FakeAsr, second: FakeAsr, reports: Reports | None = None) -> AsrInOrder:
    away = of_package(first, AWAY, Place.EDGE)
    return AsrInOrder([away, of_package(second)], Reports() if reports is None else reports)


@pytest.mark.parametrize("fault", [Fault.RAISE, Fault.CRASH, Fault.FOREIGN_CANCEL])
async def test_the_next_hears_the_same_recording_from_its_start(fault: Fault) -> None:
    first = FakeAsr(Said(fault, partials=[At(100, "turn on", Judgement.PREFIX)]))
    second = FakeAsr(Said("hello", partials=[At(20, "he")]))
    order = two(first, second)
    async with begun(order), aclosing(order.transcribe(recorded(), Hints())) as transcripts:
        heard = [(one.text, one.final) async for one in transcripts]
    assert heard == [("turn on", False), ("he", False), ("hello", True)]
    assert (first.running, second.running) == (0, 0)


async def test_one_elsewhere_that_failed_is_not_waited_for_again_until_it_has_rested() -> None:
    reports = Reports()
    first, second = FakeAsr(Said(Fault.RAISE), Said("from afar")), FakeAsr("from here")
    order = two(first, second, reports)
    async with begun(order):
        assert await heard_by(order) == "from here"
        assert reports[-1] == ("degraded", "fake_asr: broke; fake_asr stands in")
        assert await heard_by(order) == "from here"
        assert first.opened == 1
        await asyncio.sleep(REST_S)
        assert await heard_by(order) == "from afar"
    assert reports[-1] == ("ok", "")


async def test_when_all_others_fail_one_that_rests_is_asked_all_the_same() -> None:
    first = FakeAsr(Said(Fault.RAISE), Said("from afar"))
    order = two(first, FakeAsr(Said("from here"), Said(Fault.RAISE)))
    async with begun(order):
        assert await heard_by(order) == "from here"
        assert await heard_by(order) == "from afar"


async def test_when_all_fail_the_last_error_is_raised_and_one_alone_has_failed() -> None:
    reports = Reports()
    order = AsrInOrder([of_package(FakeAsr(Said(Fault.RAISE)), AWAY, Place.EDGE)], reports)
    async with begun(order):
        for _ in range(2):
            with pytest.raises(EngineError, match="fake_asr: broke"):
                await heard_by(order)
    assert reports == [("ok", ""), ("failed", "fake_asr: broke")]


async def test_an_engine_that_ends_without_a_final_has_failed() -> None:
    class Mute(FakeAsr):
        async def transcribe(self, heard: Any, hints: Hints) -> Any:
            for text in ():
                yield Transcript(text)

    order = two(Mute("…"), FakeAsr("from here"))
    async with begun(order):
        assert await heard_by(order) == "from here"


async def test_cancelled_it_ends_the_engine_that_it_is_at() -> None:
    first = FakeAsr(Said("from afar", partials=[At(20, "from")]))
    order = two(first, FakeAsr("from here"))
    async with begun(order), aclosing(order.transcribe(recorded(), Hints())) as transcripts:
        await anext(transcripts)
        assert first.running == 1
    assert first.running == 0


async def test_a_transcript_tells_how_far_its_recording_went() -> None:
    order = two(FakeAsr(Said("from afar"), Said(Fault.RAISE)), FakeAsr("from here"))
    went = []
    async with begun(order):
        for _ in range(3):
            async with aclosing(order.transcribe(recorded(), Hints())) as transcripts:
                went.append([(one.text, one.went) async for one in transcripts][-1])
    assert went == [
        ("from afar", Place.EDGE),
        ("from here", Place.EDGE),  # it was there, and came to nothing
        ("from here", Place.LOCAL),
    ]


async def test_one_elsewhere_that_says_nothing_makes_way_in_time_and_one_of_this_box_is_waited_for() -> (
    None
):
    loop = asyncio.get_running_loop()
    first = FakeAsr(Said(Fault.STALL))
    order = two(first, FakeAsr(Said("from here", takes_ms=9000)))
    async with begun(order):
        began = loop.time()
        assert await heard_by(order) == "from here"
        assert loop.time() - began == ANSWERS_S + 9
    assert first.running == 0


async def test_while_a_recording_goes_on_nobody_is_expected_to_say_anything() -> None:
    heard = Utterance("item", "speech", 0)
    order = two(FakeAsr("from afar"), FakeAsr("from here"))

    async def speak() -> None:
        await asyncio.sleep(5 * ANSWERS_S)
        heard.end(Ended(EndReason.SILENCE, 0))

    async with begun(order) as scope:
        scope.start(speak(), "speaking")
        async with aclosing(order.transcribe(heard, Hints())) as transcripts:
            assert [one.text async for one in transcripts] == ["from afar"]
