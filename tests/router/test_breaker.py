"""A circuit breaker: left alone after failures in a row, tried once, closed by the first that works."""

import asyncio

import pytest

from airos_edge.errors import EngineError
from airos_edge.router.breaker import LONGEST_REST_S, MOST_FAILURES, REST_S, Breaker


class Watched:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.breaker = Breaker("fast", lambda name, state, why: self.told.append((state, why)))

    async def ask(self, error: BaseException | None = None, answers: bool = True) -> None:
        with self.breaker.attempt() as attempt:
            attempt.has_answered = answers
            if error is not None:
                raise error

    async def fail(self, times: int = 1, retry_after_s: float | None = None) -> None:
        for _ in range(times):
            with pytest.raises(EngineError, match="fast: down"):
                await self.ask(EngineError("fast", "down", retry_after_s))

    async def is_left_alone(self) -> bool:
        try:
            await self.ask()
        except EngineError as error:
            return "is not asked for another" in str(error)
        return False


async def test_failures_in_a_row_open_it_for_a_while() -> None:
    watched = Watched()
    await watched.fail(MOST_FAILURES)
    with pytest.raises(EngineError, match=r"is not asked for another 30 s\. fast: down"):
        await watched.ask()
    assert [state for state, _ in watched.told] == ["degraded", "degraded", "failed"]
    await asyncio.sleep(REST_S)
    assert not await watched.is_left_alone()
    assert watched.told[-1] == ("ok", "")
    await watched.fail(MOST_FAILURES - 1)
    assert not await watched.is_left_alone(), "it begins to count anew"


async def test_one_that_works_between_them_begins_the_count_anew() -> None:
    watched = Watched()
    for _ in range(3):
        await watched.fail(MOST_FAILURES - 1)
        await watched.ask()
    assert not await watched.is_left_alone()


async def test_after_the_rest_one_alone_tries_and_its_failure_opens_it_again() -> None:
    watched = Watched()
    await watched.fail(MOST_FAILURES)
    await asyncio.sleep(REST_S)
    with watched.breaker.attempt():
        assert await watched.is_left_alone(), "while the one is being tried"
    await watched.fail(MOST_FAILURES)
    await asyncio.sleep(REST_S)
    await watched.fail()
    assert await watched.is_left_alone()


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit()])
async def test_a_try_that_was_broken_off_says_nothing_and_the_next_may_try(
    error: BaseException,
) -> None:
    watched = Watched()
    await watched.fail(MOST_FAILURES)
    await asyncio.sleep(REST_S)
    with pytest.raises(type(error)):
        await watched.ask(error, answers=False)
    assert not await watched.is_left_alone()


async def test_one_that_was_interrupted_while_it_answered_works() -> None:
    watched = Watched()
    await watched.fail(MOST_FAILURES)
    await asyncio.sleep(REST_S)
    with pytest.raises(GeneratorExit):
        await watched.ask(GeneratorExit())
    assert watched.told[-1] == ("ok", "")


async def test_one_that_begins_and_dies_each_time_is_left_alone_too() -> None:
    watched = Watched()
    await watched.fail(MOST_FAILURES)
    assert await watched.is_left_alone()


async def test_who_says_how_long_to_wait_is_left_alone_at_once() -> None:
    watched = Watched()
    await watched.fail(retry_after_s=5)
    assert watched.told == [("failed", "fast: down")]
    assert await watched.is_left_alone()
    await asyncio.sleep(5)
    assert not await watched.is_left_alone()


async def test_who_wants_to_be_left_alone_for_days_is_asked_again_sooner() -> None:
    watched = Watched()
    await watched.fail(retry_after_s=86_400)
    assert await watched.is_left_alone()
    await asyncio.sleep(LONGEST_REST_S)
    assert not await watched.is_left_alone()
