"""A recogniser made of several: which of them hears a recording, when one fails."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from airos_edge.engines.asr_in_order import AsrInOrder
from airos_edge.engines.in_order import ANSWERS_S
from airos_edge.engines.loading import REST_S
from airos_edge.engines.registry import GRAMMAR
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


async def test_one_of_this_box_that_fails_twice_in_a_row_is_told_until_it_works_and_never_rests() -> (
    None
):
    reports, broke = Reports(), Said(Fault.RAISE)
    first = FakeAsr(broke, broke, Said("hello"), broke, Said("hello"), broke, Said("hello"))
    order = AsrInOrder([of_package(first), of_package(FakeAsr("from afar"), "other")], reports)
    async with begun(order):
        told = [(await heard_by(order), reports[-1][0]) for _ in range(7)]
    assert told[:3] == [("from afar", "ok"), ("from afar", "degraded"), ("hello", "ok")]
    assert [state for _, state in told[3:]] == ["ok"] * 4, "once may be the recording"
    assert reports[1] == ("degraded", "fake_asr: broke; other stands in")


async def test_one_of_this_box_that_fails_alone_has_failed() -> None:
    reports = Reports()
    order = AsrInOrder([of_package(FakeAsr(Said(Fault.RAISE)))], reports)
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


# ---- the grammar of commands beside another -------------------------------------------------------

LAMP = "turn on the lamp"


def with_grammar(
    first: FakeAsr, closed: FakeAsr, reports: Reports | None = None, place: Place = Place.EDGE
) -> AsrInOrder:
    away = of_package(first, AWAY, place)
    grammar = of_package(closed, GRAMMAR)
    return AsrInOrder([away, grammar], Reports() if reports is None else reports, grammar=True)


async def test_what_the_grammar_is_sure_of_is_known_before_the_other_has_heard_it() -> None:
    first = FakeAsr(Said("turn on the lamb", takes_ms=900))
    order = with_grammar(first, FakeAsr(Said(LAMP, takes_ms=5)))
    async with begun(order):
        assert await heard_by(order) == LAMP
    assert (first.opened, first.running) == (1, 0)


async def test_it_hears_in_no_other_language_and_only_where_that_is_wanted() -> None:
    closed = FakeAsr(LAMP)
    order = with_grammar(FakeAsr("mach das Licht an"), closed)
    async with begun(order):
        async with aclosing(order.transcribe(recorded(), Hints("de"))) as transcripts:
            assert [one.text async for one in transcripts][-1] == "mach das Licht an"
        unwanted = AsrInOrder(order.parts, Reports())
        async with aclosing(unwanted.transcribe(recorded(), Hints())) as transcripts:
            assert [one.text async for one in transcripts][-1] == "mach das Licht an"
    assert closed.opened == 0


async def test_where_the_other_is_gone_the_grammar_hears_alone_and_it_rests_ever_longer() -> None:
    reports = Reports()
    first, closed = FakeAsr(Said(Fault.RAISE)), Scripted()
    order = with_grammar(first, closed, reports)
    async with begun(order):
        assert await heard_by(order) == LAMP
        assert reports[-1] == ("degraded", "fake_asr: broke; pocketsphinx stands in")
        assert closed.opened == 2, "beside it, and in its stead"
        assert await heard_by(order) == LAMP
        assert (first.opened, closed.opened) == (1, 3), "it was not asked while it rests"
        await asyncio.sleep(REST_S)
        assert await heard_by(order) == LAMP
        await asyncio.sleep(REST_S)
        assert await heard_by(order) == LAMP
        assert first.opened == 2, "what the grammar tells is no sign of life of it"


async def test_a_cloud_that_was_not_asked_has_not_worked() -> None:
    reports = Reports()
    cloud, closed = FakeAsr(Said(Fault.RAISE)), FakeAsr(Said(""), Said(""), Said(LAMP))
    cloud.place = Place.CLOUD
    order = with_grammar(cloud, closed, reports, Place.CLOUD)
    async with begun(order):
        assert await heard_by(order) == ""
        await asyncio.sleep(REST_S)
        assert await heard_by(order) == LAMP
    assert reports[-1][0] == "degraded"


class Scripted(FakeAsr):
    """It is never sure."""

    def __init__(self) -> None:
        super().__init__(LAMP)

    async def transcribe(self, heard: Utterance, hints: Hints) -> Any:
        yield Transcript("turn", judgement=Judgement.PREFIX)
        async for transcript in super().transcribe(heard, hints):
            yield replace(transcript, sure=False)


async def test_where_only_commands_are_heard_otherwise_a_slow_one_has_longer() -> None:
    slow = FakeAsr(Said("tell me a story", takes_ms=1000 * ANSWERS_S + 1))
    order = with_grammar(slow, FakeAsr(""))
    async with begun(order):
        assert await heard_by(order) == "tell me a story"
