"""One engine that is opened beside everything else: when it serves, what is said of it, when it is closed."""

import asyncio
import threading

import pytest

from airos_edge.engines.choosing import Choice
from airos_edge.engines.loading import LONGEST_REST_S, REST_S, Loading, resident_bytes
from airos_edge.errors import EngineError, PromptError
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Place
from tests.engines.slow import ClosingAsr, Opener, broken, of_model, of_package, until


async def test_it_is_opened_in_a_thread_of_its_own_and_serves_when_it_is_told_to() -> None:
    threads = []

    def opened() -> ClosingAsr:
        threads.append(threading.current_thread())
        return ClosingAsr("hello")

    part: Loading[ClosingAsr] = Loading(Choice("asr", "owl", ""), opened)
    assert await part.load()
    assert part.engine is None
    part.serve()
    assert part.engine is not None
    assert (threads[0].name, threads[0].daemon) == ("loading owl", True)
    assert part.loaded is not None
    assert part.loaded.load_s > 0
    assert part.runs_on == "cpu, int8"


async def test_it_is_opened_once_however_often_it_is_wanted() -> None:
    opener = Opener(ClosingAsr("hello"), is_let=True)
    part = of_model("small", opener)
    async with Scope() as scope:
        for task in [scope.start(part.load(), "loading") for _ in range(3)]:
            assert await task
    assert opener.times == 1


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (broken(), "owl: is broken"),
        (ValueError("bad magic"), "owl: bad magic"),
        (MemoryError(), "owl: MemoryError"),
    ],
)
async def test_one_that_cannot_be_opened_says_why(error: Exception, why: str) -> None:
    part = of_model("small", Opener(error, is_let=True))
    assert not await part.load()
    assert (part.why, part.engine, part.has_failed) == (why, None, True)


async def test_one_that_is_closed_while_it_is_loading_is_closed_when_it_is_there() -> None:
    asr = ClosingAsr("hello")
    opener = Opener(asr)
    part = of_model("small", opener)
    async with Scope() as scope:
        loading = scope.start(part.load(), "loading")
        await until(lambda: opener.times == 1)
        await part.aclose()
        assert asr.closed_times == 0
        opener.let()
        assert not await loading
    assert asr.closed_times == 1
    assert not await part.load(), "nobody wants it any more"
    assert opener.times == 1


async def test_one_that_is_given_up_is_closed_when_nobody_works_with_it_and_can_be_loaded_again() -> (
    None
):
    asr = ClosingAsr("hello")
    part = of_package(asr)
    await part.load()
    part.serve()
    async with Scope() as scope:
        with part.used():
            dropping = scope.start(part.drop(), "dropping")
            await asyncio.sleep(1)
            assert part.engine is None, "nobody else is to begin with it"
            assert asr.closed_times == 0
        await dropping
        assert asr.closed_times == 1
    assert await part.load()


async def test_an_engine_elsewhere_that_fails_rests_longer_each_time_until_it_works() -> None:
    part = of_package(ClosingAsr("hello"), "tcp://192.0.2.1:1", Place.EDGE)

    async def rests_s() -> float:
        began = asyncio.get_running_loop().time()
        await until(lambda: not part.rests, every_s=0.5)
        return asyncio.get_running_loop().time() - began

    error = EngineError("tcp://192.0.2.1:1", "is gone")
    for times in range(3):
        part.failed(error)
        assert await rests_s() == REST_S * 2**times
    for _ in range(10):
        part.failed(error)
    assert await rests_s() == LONGEST_REST_S
    assert part.fault == str(error)
    part.worked()
    assert part.fault == ""
    part.failed(error)
    assert await rests_s() == REST_S
    part.failed(EngineError("tcp://192.0.2.1:1", "is busy", retry_after_s=60))
    assert await rests_s() == 60


async def test_an_engine_of_this_box_never_rests() -> None:
    part = of_package(ClosingAsr("hello"))
    for _ in range(3):
        part.failed(PromptError("owl", "knows no German", "invalid_value"))
    assert not part.fault, "it was asked for what it does not have"
    for why in ("", "owl: broke"):
        part.failed(EngineError("owl", "broke"))
        assert (part.rests, part.fault) == (False, why)
    part.worked()
    assert part.fault == ""


def test_the_process_knows_how_much_memory_it_holds() -> None:
    before = resident_bytes()
    assert before > 1_000_000
    held = bytearray(b"x" * 50_000_000)
    assert resident_bytes() - before > 25_000_000
    assert held
