"""Timers ring when their time has come, once each, unless they were cancelled."""

import asyncio

import pytest

from airos_edge.errors import EngineError
from airos_edge.home.timers import MOST, Timer, Timers


class Bell:
    """Remembers when which timer rang. It rings for a while."""

    def __init__(self, rings_s: float = 0) -> None:
        self.rung: list[tuple[float, int]] = []
        self._rings_s = rings_s

    async def __call__(self, timer: Timer) -> None:
        self.rung.append((asyncio.get_running_loop().time(), timer.seconds))
        await asyncio.sleep(self._rings_s)


async def test_each_rings_at_its_time() -> None:
    bell = Bell(rings_s=30)
    async with Timers(bell) as timers:
        timers.start(90)
        timers.start(60)
        assert [timer.seconds for timer in timers.running] == [60, 90]
        await asyncio.sleep(3600)
        assert bell.rung == [(60, 60), (90, 90)]
        assert timers.running == []


async def test_two_that_were_set_alike_at_once_are_two() -> None:
    bell = Bell()
    async with Timers(bell) as timers:
        timers.start(60)
        timers.start(60)
        assert len(timers.running) == 2
        await asyncio.sleep(61)
        assert bell.rung == [(60, 60), (60, 60)]


async def test_it_knows_how_long_it_still_has() -> None:
    async with Timers(Bell()) as timers:
        timer = timers.start(60)
        assert timer.seconds_left == 60
        await asyncio.sleep(59)
        assert timer.seconds_left == 1
        await asyncio.sleep(10)
        assert timer.seconds_left == 0


async def test_one_that_was_cancelled_does_not_ring() -> None:
    bell = Bell()
    async with Timers(bell) as timers:
        timers.start(60)
        timers.start(90)
        assert timers.cancel(60).seconds == 60
        assert timers.cancel().seconds == 90
        await asyncio.sleep(100)
        assert bell.rung == []
        with pytest.raises(EngineError, match="no timers are meant"):
            timers.cancel()


async def test_which_of_several_was_meant_is_not_guessed() -> None:
    async with Timers(Bell()) as timers:
        for seconds in (60, 60, 90):
            timers.start(seconds)
        for wanted in (None, 60):
            with pytest.raises(EngineError, match="timers are meant"):
                timers.cancel(wanted)
        assert [timer.seconds for timer in timers.running] == [60, 60, 90]


async def test_all_are_cancelled_together() -> None:
    bell = Bell()
    async with Timers(bell) as timers:
        assert timers.cancel_all() == 0
        timers.start(60)
        timers.start(90)
        assert timers.cancel_all() == 2
        await asyncio.sleep(100)
        assert bell.rung == []


async def test_one_that_rings_is_over_and_can_be_set_anew() -> None:
    bell = Bell(rings_s=10)
    async with Timers(bell) as timers:
        timers.start(5)
        await asyncio.sleep(6)
        assert timers.running == []
        timers.start(5)
        await asyncio.sleep(6)
        assert bell.rung == [(5, 5), (11, 5)]


async def test_a_bell_that_breaks_silences_no_other(caplog: pytest.LogCaptureFixture) -> None:
    bell = Bell()

    async def ring(timer: Timer) -> None:
        await bell(timer)
        if timer.seconds == 1:
            raise ZeroDivisionError

    async with Timers(ring) as timers:
        timers.start(1)
        timers.start(2)
        await asyncio.sleep(3)
    assert [seconds for _, seconds in bell.rung] == [1, 2]
    assert "timer of 1 s failed" in caplog.text


async def test_there_are_only_so_many() -> None:
    async with Timers(Bell()) as timers:
        for _ in range(MOST):
            timers.start(60)
        with pytest.raises(EngineError, match=f"there are {MOST} timers already"):
            timers.start(60)
        await asyncio.sleep(61)
        timers.start(60)


async def test_leaving_forgets_those_that_run() -> None:
    bell = Bell()
    async with Timers(bell) as timers:
        timers.start(60)
    await asyncio.sleep(100)
    assert bell.rung == []
