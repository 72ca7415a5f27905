"""Blocking work in a model's thread: handed over, held back, stopped, and its late output discarded."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from airos_edge.engines.thread import Lane, Stopped, Take
from airos_edge.errors import EngineError


def counting(stopped: Stopped) -> Iterator[int]:
    yield from range(3)


async def test_what_a_run_makes_comes_in_its_order_and_ends() -> None:
    lane = Lane("model")
    assert [piece async for piece in lane.stream(counting)] == [0, 1, 2]
    lane.close()


async def test_what_a_run_raises_comes_after_what_it_made() -> None:
    def failing(stopped: Stopped) -> Iterator[int]:
        yield 1
        raise EngineError("model", "is lost")

    pieces = Lane("model").stream(failing)
    assert await anext(pieces) == 1
    with pytest.raises(EngineError, match="is lost"):
        await anext(pieces)


async def test_a_listener_that_is_slow_holds_the_model_back() -> None:
    made: list[int] = []

    def eager(stopped: Stopped) -> Iterator[int]:
        for piece in range(100):
            made.append(piece)
            yield piece

    lane = Lane("model")
    async with aclosing(lane.stream(eager, ahead=2)) as pieces:
        assert await anext(pieces) == 0
        assert await anext(pieces) == 1
        assert len(made) <= 5
    assert await lane.call(lambda: "next") == "next", "a run that was left frees the lane"
    assert len(made) <= 5


async def test_a_run_that_nobody_wants_any_more_is_told_to_stop_and_says_nothing_more() -> None:
    begun, told = threading.Event(), []

    def endless(stopped: Stopped) -> Iterator[str]:
        yield "first"
        begun.set()
        while not stopped():
            threading.Event().wait(0.001)
        told.append("stopped")
        yield "too late"

    lane, heard = Lane("model"), []

    async def listen() -> None:
        async for piece in lane.stream(endless):
            heard.append(piece)

    listening = asyncio.ensure_future(listen())
    await asyncio.to_thread(begun.wait)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert await lane.call(lambda: "next") == "next"
    assert (told, heard) == (["stopped"], ["first"])


async def test_what_a_library_calls_back_with_is_handed_over_until_nobody_wants_it() -> None:
    wanted: list[bool] = []

    def calling_back(take: Take[int], stopped: Stopped) -> None:
        for piece in range(100):
            wanted.append(take(piece))
            if not wanted[-1]:
                return

    lane = Lane("model")
    async with aclosing(lane.pushed(calling_back, ahead=2)) as pieces:
        assert await anext(pieces) == 0
    await lane.call(lambda: None)
    assert wanted[-1] is False
    assert len(wanted) <= 5


async def test_runs_of_a_lane_do_not_meet() -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        inside.append(1)
        most.append(len(inside))
        inside.pop()

    lane = Lane("model")
    await asyncio.gather(*(lane.call(work) for _ in range(20)))
    assert max(most) == 1


async def test_what_waits_for_the_lane_is_not_begun_once_it_is_cancelled() -> None:
    lane, free, begun = Lane("model"), threading.Event(), []
    first = asyncio.ensure_future(lane.call(free.wait))
    second = asyncio.ensure_future(lane.call(lambda: begun.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    free.set()
    await first
    await lane.call(lambda: None)
    assert begun == []


async def test_a_lane_is_free_when_nothing_runs_or_waits_be_it_discarded_too() -> None:
    free, done = threading.Event(), threading.Event()

    def held(stopped: Stopped) -> Iterator[str]:
        yield "first"
        free.wait(10)
        done.set()

    lane = Lane("model")
    assert lane.is_free
    async with aclosing(lane.stream(held)) as pieces:
        await anext(pieces)
    assert not lane.is_free  # it is not wanted any more, but at work
    free.set()
    await lane.call(lambda: None)
    assert done.is_set()
    await asyncio.to_thread(lane.close)
    assert lane.is_free
