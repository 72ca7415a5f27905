"""Streams and scopes: what is joined ends together, and nothing is lost in between."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import TypeVar

import pytest

from airos_edge.errors import EngineError
from airos_edge.voice import flow
from airos_edge.voice.flow import GRACE_S, Joint, Scope, Stage, chain, patiently

T = TypeVar("T")


class Source:
    """Counts upwards; knows how far it got, and whether it was closed."""

    def __init__(self, end: int = 1000) -> None:
        self.made = 0
        self.is_closed = False
        self._end = end

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            while self.made < self._end:
                self.made += 1
                yield self.made
                await asyncio.sleep(0)
        finally:
            self.is_closed = True


async def doubled(numbers: AsyncIterable[int]) -> AsyncGenerator[int, None]:
    async for number in numbers:
        yield number * 2


async def collect(items: AsyncIterable[T], into: list[T]) -> None:
    async for item in items:
        into.append(item)


async def collected(items: AsyncIterable[T]) -> list[T]:
    got: list[T] = []
    await collect(items, got)
    return got


# ---- chain --------------------------------------------------------------------------------------


async def test_stages_are_applied_in_order_and_the_end_comes_through() -> None:
    async with chain(Source(3)(), Stage(doubled), Stage(doubled)) as numbers:
        assert await collected(numbers) == [4, 8, 12]


async def test_stages_overlap() -> None:
    async def slow(numbers: AsyncIterable[int]) -> AsyncGenerator[int, None]:
        async for number in numbers:
            await asyncio.sleep(1)
            yield number

    async with chain(Source(4)(), Stage(slow), Stage(slow), Stage(slow)) as numbers:
        await collected(numbers)
    assert asyncio.get_running_loop().time() == pytest.approx(4 + 2)


async def test_a_slow_consumer_holds_back_the_source() -> None:
    source = Source()
    async with chain(source()) as numbers:
        await anext(numbers)
        await asyncio.sleep(60)
        assert source.made < 12


async def test_each_joint_has_its_own_ahead() -> None:
    first: list[int] = []
    second: list[int] = []

    async def noting(numbers: AsyncIterable[int], seen: list[int]) -> AsyncGenerator[int, None]:
        async for number in numbers:
            seen.append(number)
            yield number

    stages = (
        Stage(lambda numbers: noting(numbers, first), ahead=1),
        Stage(lambda numbers: noting(numbers, second), ahead=100, weigh=lambda number: 25),
    )
    async with chain(Source()(), *stages):
        await asyncio.sleep(1)
        # 100 / 25 = 4 lie ready and a fifth is in the producer's hand; before it one, and one.
        assert second == [1, 2, 3, 4, 5]
        assert first == [1, 2, 3, 4, 5, 6, 7]


async def test_leaving_the_block_closes_the_source() -> None:
    source = Source()
    async with chain(source(), Stage(doubled)) as numbers:
        assert await anext(numbers) == 2
    assert source.is_closed


async def test_the_source_is_closed_even_when_its_pump_never_ran() -> None:
    generator = Source()()
    async with chain(generator, Stage(doubled)):
        pass
    with pytest.raises(StopAsyncIteration):
        await anext(generator)


async def test_cancelling_the_consumer_closes_the_source() -> None:
    source = Source()

    async def consume() -> None:
        async with chain(source(), Stage(doubled)) as numbers:
            await anext(numbers)
            await asyncio.sleep(60)

    async with Scope() as scope:
        consumer = scope.start(consume(), "consumer")
        await asyncio.sleep(1)
        consumer.cancel()
        await asyncio.wait([consumer])
    assert consumer.cancelled()
    assert source.is_closed


async def test_an_error_of_a_stage_is_raised_after_the_items_before_it() -> None:
    async def breaking(numbers: AsyncIterable[int]) -> AsyncGenerator[int, None]:
        async for number in numbers:
            yield number
            if number == 2:
                raise EngineError("it", "broke")

    got: list[float] = []
    source = Source()
    async with chain(source(), Stage(breaking), Stage(doubled)) as numbers:
        with pytest.raises(EngineError, match="it: broke"):
            await collect(numbers, got)
    assert got == [2, 4]
    assert source.is_closed


async def test_a_foreign_error_is_translated(caplog: pytest.LogCaptureFixture) -> None:
    async def crashing() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("a mistake")

    async with chain(crashing(), name="engine") as numbers:
        with pytest.raises(EngineError, match="engine: a mistake") as caught:
            await collected(numbers)
    assert isinstance(caught.value.__cause__, ValueError)
    assert "engine failed" in caplog.text


async def test_a_foreign_cancelled_error_is_an_error_not_an_end() -> None:
    async def dying() -> AsyncGenerator[int, None]:
        yield 1
        raise asyncio.CancelledError

    async with chain(dying(), Stage(doubled), name="engine") as numbers:
        assert await anext(numbers) == 2
        with pytest.raises(EngineError, match="engine: was cancelled from within"):
            await anext(numbers)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


class Stubborn:
    """Swallows its cancelling, and works on for so long."""

    def __init__(self, works_on_s: float) -> None:
        self.ended = False
        self._works_on_s = works_on_s

    async def __call__(self) -> AsyncGenerator[str, None]:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(self._works_on_s)
        yield "too late"
        self.ended = True


async def test_teardown_waits_for_a_stage_that_needs_a_moment() -> None:
    stubborn = Stubborn(GRACE_S / 2)
    async with chain(stubborn()):
        await asyncio.sleep(1)
    assert asyncio.get_running_loop().time() == pytest.approx(1 + GRACE_S / 2)
    assert not flow.abandoned


async def test_teardown_is_bounded_and_what_is_said_after_it_is_discarded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stubborn = Stubborn(10 * GRACE_S)
    async with chain(stubborn(), name="engine") as said:
        await asyncio.sleep(1)
    assert asyncio.get_running_loop().time() == pytest.approx(1 + GRACE_S)
    assert len(flow.abandoned) == 1
    assert "engine, stage 1 did not end when it was cancelled" in caplog.text
    with pytest.raises(StopAsyncIteration):
        await anext(said)
    await asyncio.sleep(20 * GRACE_S)
    assert not flow.abandoned
    assert not stubborn.ended, "it is closed at what nobody takes any more"
    with pytest.raises(StopAsyncIteration):
        await anext(said)


async def test_a_cancel_during_teardown_is_not_swallowed() -> None:
    async def consume() -> None:
        async with chain(Stubborn(GRACE_S / 2)()):
            await asyncio.sleep(1)

    async with Scope() as scope:
        consumer = scope.start(consume(), "consumer")
        await asyncio.sleep(1 + GRACE_S / 4)
        consumer.cancel()
        await asyncio.wait([consumer])
        assert consumer.cancelled()
        assert not flow.abandoned, "and costs what was being closed nothing of its grace"
    assert asyncio.get_running_loop().time() == pytest.approx(1 + GRACE_S / 2)


# ---- Scope --------------------------------------------------------------------------------------


async def test_leaving_a_scope_ends_its_tasks() -> None:
    async with Scope() as scope:
        task = scope.start(asyncio.sleep(3600), "sleeper")
    assert task.cancelled()
    assert asyncio.get_running_loop().time() == 0


async def test_a_failing_task_disturbs_no_other() -> None:
    async def fail() -> None:
        raise EngineError("it", "broke")

    async with Scope() as scope:
        failing = scope.start(fail(), "failing")
        other = scope.start(asyncio.sleep(1, "fine"), "other")
        assert await other == "fine"
        with pytest.raises(EngineError):
            await failing


async def test_a_mistake_is_logged_with_the_name_of_its_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def mistaken() -> None:
        raise ValueError("a mistake")

    async with Scope() as scope:
        scope.start(mistaken(), "turn 1")
        await asyncio.sleep(1)
    assert "turn 1 failed" in caplog.text


async def test_an_error_of_ours_that_nobody_awaits_is_no_noise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise EngineError("it", "broke")

    async with Scope() as scope:
        scope.start(fail(), "failing")
        await asyncio.sleep(1)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# ---- Joint --------------------------------------------------------------------------------------


async def test_a_cancelled_read_loses_nothing() -> None:
    joint: Joint[int] = Joint()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(joint)
    await joint.put(1)
    joint.close()
    assert await collected(joint) == [1]


async def test_closing_frees_a_producer_that_waits_for_room() -> None:
    joint: Joint[int] = Joint(ahead=1)
    assert await joint.put(1)
    async with Scope() as scope:
        waiting = scope.start(joint.put(2), "producer")
        await asyncio.sleep(1)
        joint.close()
        assert not await waiting
    assert await collected(joint) == [1]


async def test_an_item_heavier_than_the_joint_still_passes() -> None:
    joint: Joint[int] = Joint(ahead=10, weigh=lambda item: item)
    async with asyncio.timeout(1):
        assert await joint.put(1000)


# ---- patiently ----------------------------------------------------------------------------------


async def late(*delays_s: float) -> AsyncIterator[float]:
    for delay_s in delays_s:
        await asyncio.sleep(delay_s)
        yield delay_s


async def test_who_says_nothing_for_too_long_has_failed() -> None:
    got: list[float] = []
    async with chain(late(1, 4, 6)) as items:
        with pytest.raises(EngineError, match="engine: said nothing for 5 s"):
            await collect(patiently(items, 5, "engine"), got)
    assert got == [1, 4]
    assert asyncio.get_running_loop().time() == 1 + 4 + 5


@pytest.mark.parametrize("committed_at", [0, 3, 12, 61])
async def test_waiting_counts_from_the_commit(committed_at: float) -> None:
    def since() -> float | None:
        return committed_at if loop.time() >= committed_at else None

    loop = asyncio.get_running_loop()
    async with chain(late(1000)) as items:
        with pytest.raises(EngineError):
            await collect(patiently(items, 5, "engine", since), [])
        assert loop.time() == committed_at + 5


async def test_time_before_the_commit_does_not_count_and_loses_nothing() -> None:
    async with chain(late(12, 1)) as items:
        patient = patiently(items, 5, "engine", lambda: None)
        assert [item async for item in patient] == [12, 1]


async def test_a_slow_consumer_is_not_the_engines_fault() -> None:
    async with chain(late(1, 1)) as items:
        async for _ in patiently(items, 5, "engine"):
            await asyncio.sleep(60)
