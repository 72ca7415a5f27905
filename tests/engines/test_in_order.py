"""Several engines as one: who serves while others load, fail or are too slow, and what is said of it."""

import asyncio
import logging
from contextlib import aclosing

import pytest

from airos_edge.engines.asr_in_order import AsrInOrder
from airos_edge.errors import EngineError
from airos_edge.voice.ports import Hints, Place
from tests.engines.slow import (
    AWAY,
    ClosingAsr,
    Opener,
    Reports,
    Trials,
    begun,
    broken,
    heard_by,
    of_model,
    of_package,
    recorded,
    until,
)
from tests.fakes import At, FakeAsr, Fault, Said

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
