"""The loop that tests run on: it never waits, and it never hangs."""

import asyncio
import time
from functools import partial

import pytest

from airos_edge.virtual_time import Deadlock, VirtualTimeLoop
from tests.conftest import LONGEST_S


async def test_an_hour_takes_no_time() -> None:
    began_s = time.monotonic()
    await asyncio.sleep(3600)
    assert asyncio.get_running_loop().time() == 3600
    assert time.monotonic() - began_s < 1


async def test_time_stands_still_while_a_thread_works() -> None:
    async with asyncio.timeout(0.01):
        await asyncio.to_thread(time.sleep, 0.1)
    assert asyncio.get_running_loop().time() == 0


@pytest.mark.real_time
async def test_a_test_may_ask_for_real_time() -> None:
    assert not isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


def test_waiting_for_nothing_is_a_failure_that_names_who_waits() -> None:
    async def forgotten() -> None:
        await asyncio.Event().wait()

    with (
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
        pytest.raises(Deadlock, match="forgotten"),
    ):
        runner.run(forgotten())


def test_a_test_that_only_ticks_is_a_failure_too() -> None:
    async def clock() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(1000)

    loop = partial(VirtualTimeLoop, LONGEST_S)
    with asyncio.Runner(loop_factory=loop) as runner, pytest.raises(Deadlock):
        runner.run(clock())
