"""Who may watch is never waited for."""

import asyncio

import pytest

from airos_edge.voice.events import Announced, SessionEnded
from airos_edge.voice.hub import Hub


def said(*texts: str) -> list[Announced]:
    return [Announced(text=text) for text in texts]


async def test_everybody_gets_everything_in_order() -> None:
    hub = Hub()
    with hub.watch() as first, hub.watch() as second:
        for event in said("a", "b"):
            hub.publish(event)
        for watch in (first, second):
            assert [await anext(watch) for _ in range(2)] == said("a", "b")


async def test_who_is_slow_loses_the_oldest_and_it_is_counted() -> None:
    hub = Hub()
    with hub.watch(size=2) as slow, hub.watch() as fast:
        for event in said("a", "b", "c", "d"):
            hub.publish(event)
        assert [await anext(slow) for _ in range(2)] == said("c", "d")
        assert (slow.dropped, fast.dropped) == (2, 0)


async def test_a_watcher_waits_and_may_give_up_waiting() -> None:
    hub = Hub()
    with hub.watch() as watch:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await anext(watch)
        hub.publish(said("a")[0])
        assert await anext(watch) == said("a")[0]


async def test_who_has_left_gets_nothing() -> None:
    hub = Hub()
    with hub.watch() as watch:
        pass
    hub.publish(said("a")[0])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(watch)


async def test_a_watcher_may_leave_or_come_while_it_is_told() -> None:
    hub = Hub()
    with hub.watch() as watch:
        hub.publish(said("a")[0])
        async for _ in watch:
            with hub.watch():
                hub.publish(said("b")[0])
            break
        assert await anext(watch) == said("b")[0]


async def test_what_has_come_can_be_taken_without_waiting() -> None:
    hub = Hub()
    with hub.watch() as watch:
        assert watch.take() == []
        for event in said("a", "b"):
            hub.publish(event)
        assert watch.take() == said("a", "b")
        assert watch.take() == []


async def test_it_knows_whether_anybody_watches() -> None:
    hub = Hub()
    with hub.watch(), hub.watch():
        assert hub.is_watched_for(Announced)
    assert not hub.is_watched_for(Announced)


async def test_who_wants_some_kinds_of_event_gets_no_others() -> None:
    hub = Hub()
    with hub.watch(2, SessionEnded) as watch:
        for event in (*said("a", "b", "c"), SessionEnded(session_id="sess_1")):
            hub.publish(event)
        assert watch.take() == [SessionEnded(session_id="sess_1")]
        assert watch.dropped == 0
        assert hub.is_watched_for(SessionEnded)
        assert not hub.is_watched_for(Announced)


async def test_what_was_dropped_is_counted_of_those_too_who_have_gone() -> None:
    hub = Hub()
    with hub.watch(1), hub.watch(3):
        with hub.watch(2):
            for event in said("a", "b", "c"):
                hub.publish(event)
        assert hub.dropped == 2 + 1
