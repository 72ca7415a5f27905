"""Several engines as one: who serves while others load, fail or are too slow, and what is said of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from airos_edge.engines.in_order import AsrInOrder, TtsInOrder
from airos_edge.engines.loading import REST_S, Loading
from airos_edge.errors import EngineError
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Hints, Place, Speaking, Transcript
from airos_edge.voice.utterance import Judgement
from tests.engines.slow import (
    ClosingAsr,
    ClosingTts,
    Opener,
    Reports,
    Trials,
    broken,
    of_model,
    of_package,
    recorded,
    until,
)
from tests.fakes import At, FakeAsr, FakeTts, Fault, Said

AWAY = "tcp://192.0.2.1:10300"


@asynccontextmanager
async def begun(order: Any) -> AsyncIterator[Scope]:
    """What is there at once is, and the rest is being loaded."""
    async with Scope() as scope:
        await order.open_quick([part for part in order.parts if part.choice.model is None])
        order.begin(scope)
        yield scope


async def heard_by(order: AsrInOrder) -> str:
    async with aclosing(order.transcribe(recorded(), Hints())) as transcripts:
        return [one async for one in transcripts][-1].text


async def said_by(order: TtsInOrder, *sentences: str, how: Speaking | None = None) -> str:
    async def script() -> AsyncIterator[str]:
        for sentence in sentences:
            yield sentence

    async with aclosing(order.speak(script(), how or Speaking())) as pieces:
        return "".join([piece.text async for piece in pieces])


# ---- loading ----------------------------------------------------------------------------------------


async def test_while_the_best_is_loading_the_next_stands_in_and_then_makes_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    reports, opener = Reports(), Opener(ClosingAsr("by the owl"))
    order = AsrInOrder([of_model("small", opener), of_package(FakeAsr("by the mouse"))], reports)
    async with begun(order):
        assert await heard_by(order) == "by the mouse"
        assert reports[-1] == ("starting", "loading small; fake_asr stands in")
        opener.let()
        await order.settled()
        assert await heard_by(order) == "by the owl"
    assert reports[-1] == ("ok", "")
    assert "asr: owl with small loaded in 0.0 s, cpu, int8" in caplog.text


async def test_a_turn_goes_on_with_what_it_began_with() -> None:
    opener = Opener(ClosingAsr("by the owl"))
    mouse = FakeAsr(Said("by the mouse", partials=[At(20, "by")]))
    order = AsrInOrder([of_model("small", opener), of_package(mouse)], Reports())
    async with begun(order), aclosing(order.transcribe(recorded(), Hints())) as transcripts:
        assert (await anext(transcripts)).text == "by"
        opener.let()
        await order.settled()
        assert (await anext(transcripts)).text == "by the mouse"


async def test_where_nobody_stands_in_a_turn_waits_for_what_is_loading() -> None:
    reports, opener = Reports(), Opener(ClosingAsr("by the owl"))
    order = AsrInOrder([of_model("small", opener)], reports)
    async with begun(order) as scope:
        hearing = scope.start(heard_by(order), "hearing")
        for _ in range(20):
            await asyncio.sleep(0)
        assert not hearing.done()
        assert reports[-1] == ("starting", "loading small")
        opener.let()
        assert await hearing == "by the owl"


async def test_one_that_cannot_be_loaded_makes_way_for_the_next_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reports = Reports()
    order = AsrInOrder(
        [
            of_model("medium", Opener(broken(), is_let=True)),
            of_model("small", Opener(ClosingAsr("by the owl"), is_let=True)),
            of_package(FakeAsr("by the mouse")),
        ],
        reports,
    )
    async with begun(order):
        await order.settled()
        assert await heard_by(order) == "by the owl"
    assert reports[-1] == ("degraded", "owl: is broken; owl stands in")
    assert "asr: owl: is broken; using owl with small" in caplog.text


async def test_where_none_can_be_loaded_a_turn_fails_with_the_reasons() -> None:
    reports = Reports()
    parts = [of_model(name, Opener(broken(f"lacks {name}"), is_let=True)) for name in "ab"]
    order = AsrInOrder(parts, reports)
    async with begun(order):
        with pytest.raises(EngineError, match="owl: lacks a; owl: lacks b"):
            await heard_by(order)
    assert order.is_lost
    assert reports[-1] == ("failed", "owl: lacks a; owl: lacks b")


async def test_of_those_that_could_be_loaded_only_the_first_is() -> None:
    first, second = (Opener(ClosingAsr("hello"), is_let=True) for _ in range(2))
    order = AsrInOrder([of_model("large", first), of_model("small", second)], Reports())
    async with begun(order):
        await order.settled()
    assert (first.times, second.times) == (1, 0)


async def test_behind_an_engine_elsewhere_one_of_this_box_is_made_ready_too() -> None:
    first, second = (Opener(ClosingAsr("by the owl"), is_let=True) for _ in range(2))
    away = of_package(ClosingAsr(Said(Fault.RAISE)), AWAY, Place.EDGE)
    order = AsrInOrder([away, of_model("small", first), of_model("tiny", second)], Reports())
    async with begun(order):
        await order.settled()
        assert (first.times, second.times) == (1, 0)
        assert await heard_by(order) == "by the owl"


async def test_a_model_that_served_until_a_better_one_was_there_is_closed() -> None:
    small, opener = ClosingAsr("by the small"), Opener(ClosingAsr("by the large"))
    before = of_model("small", Opener(small, is_let=True))
    async with begun(AsrInOrder([before], Reports())) as scope:
        await before.load()
        order = AsrInOrder([of_model("large", opener), before], Reports())
        order.begin(scope)
        assert await heard_by(order) == "by the small"
        opener.let()
        await order.settled()
        assert await heard_by(order) == "by the large"
        await asyncio.sleep(0)
    assert small.closed_times == 1


# ---- trying -----------------------------------------------------------------------------------------

SLOW = "large takes 1.4 s for a second of speech: too slow here"


async def test_what_auto_took_serves_only_if_it_is_quick_enough(
    caplog: pytest.LogCaptureFixture,
) -> None:
    large, reports, trials = ClosingAsr("by the large"), Reports(), Trials(large=SLOW)
    order = AsrInOrder(
        [
            of_model("large", Opener(large, is_let=True), trials, is_tried=True),
            of_model(
                "small", Opener(ClosingAsr("by the small"), is_let=True), trials, is_tried=True
            ),
            of_package(FakeAsr("by the mouse")),
        ],
        reports,
    )
    async with begun(order):
        await order.settled()
        assert await heard_by(order) == "by the small"
    assert trials.tried == ["large", "small"]
    assert (large.opened, large.closed_times) == (0, 1), "it has heard nobody"
    assert f"asr: {SLOW}; using owl with small" in caplog.text
    assert reports[-1] == ("ok", ""), "that it is slow is no fault"


async def test_one_that_is_too_slow_serves_while_there_is_nothing_else() -> None:
    large, opener, trials = (
        ClosingAsr("by the large"),
        Opener(ClosingAsr("by the small")),
        Trials(large=SLOW),
    )
    order = AsrInOrder(
        [
            of_model("large", Opener(large, is_let=True), trials, is_tried=True),
            of_model("small", opener, trials, is_tried=True),
        ],
        Reports(),
    )
    async with begun(order):
        assert await heard_by(order) == "by the large"
        opener.let()
        await order.settled()
        assert await heard_by(order) == "by the small"
        await asyncio.sleep(0)
    assert large.closed_times == 1


async def test_better_one_that_is_too_slow_than_none_at_all() -> None:
    trials = Trials(large=SLOW)
    large = of_model("large", Opener(ClosingAsr("by the owl"), is_let=True), trials, is_tried=True)
    order = AsrInOrder([large], Reports())
    async with begun(order):
        await order.settled()
        assert await heard_by(order) == "by the owl"


async def test_one_that_fails_its_trial_is_not_used() -> None:
    trials = Trials(large=EngineError("owl", "decodes nothing"))
    large = of_model("large", Opener(ClosingAsr("by the owl"), is_let=True), trials, is_tried=True)
    order = AsrInOrder([large, of_package(FakeAsr("by the mouse"))], Reports())
    async with begun(order):
        await order.settled()
        assert await heard_by(order) == "by the mouse"
    assert large.why == "owl: decodes nothing"


async def test_what_is_configured_serves_whatever_it_costs_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trials = Trials(large=SLOW)
    large = of_model("large", Opener(ClosingAsr("by the owl"), is_let=True), trials)
    order = AsrInOrder([large, of_package(FakeAsr("by the mouse"))], Reports())
    async with begun(order):
        await order.settled()
        await until(lambda: large.is_too_slow)
        assert await heard_by(order) == "by the owl"
    assert f"asr: {SLOW}; it is used as it is configured" in caplog.text


# ---- failing ----------------------------------------------------------------------------------------


def two(first: FakeAsr, second: FakeAsr, reports: Reports | None = None) -> AsrInOrder:
    away = of_package(first, AWAY, Place.EDGE)
    return AsrInOrder([away, of_package(second)], Reports() if reports is None else reports)


@pytest.mark.parametrize("fault", [Fault.RAISE, Fault.CRASH])
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


# ---- speaking ---------------------------------------------------------------------------------------


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
