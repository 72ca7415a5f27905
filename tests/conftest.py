"""What every test stands on: a loop whose time is virtual, and skips that may be forbidden.

Async tests run on `VirtualTimeLoop`. What needs real sockets, processes or the clock says
`@pytest.mark.real_time` (or `pytestmark = pytest.mark.real_time`) and gets an ordinary loop.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

pytest.register_assert_rewrite("tests.room", "tests.laws")

REAL_WAIT_S = 1.0
"""How long a loop with nothing to do waits for threads it knows nothing of."""
LONGEST_S = 24 * 3600
"""A test in which more time than this goes by will never end."""


class Deadlock(AssertionError):
    """Nothing is ready, nothing is scheduled, and the test has not ended."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its time stands still while anything can run, and jumps to the next timer when nothing can.

    It also stands still while a thread of `run_in_executor` or `to_thread` works. A loop that
    has nothing to wait for raises Deadlock, which names what every task is waiting for.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._threads = 0
        self._really_select = self._selector.select
        self._selector.select = self._select

    def time(self) -> float:
        return self._now_s

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    async def shutdown_default_executor(self, *limit_s: Any) -> None:
        """Its threads end in real time."""
        self._threads += 1
        try:
            await super().shutdown_default_executor(*limit_s)
        finally:
            self._threads -= 1

    def _thread_ended(self, _: asyncio.Future[Any]) -> None:
        self._threads -= 1

    def _select(self, timeout: float | None) -> list[Any]:
        if self._threads and timeout != 0:
            return self._really_select(REAL_WAIT_S)
        ready = self._really_select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self._now_s > LONGEST_S:
            ready = self._really_select(REAL_WAIT_S)
            if not ready:
                raise Deadlock(_who_waits(self))
            return ready
        self._now_s += timeout
        return ready


def _who_waits(loop: asyncio.AbstractEventLoop) -> str:
    lines = [f"at {loop.time():.3f} s of virtual time nothing will ever happen; waiting are:"]
    for task in asyncio.all_tasks(loop):
        lines.append(f"  {task.get_name()}: {_where(task.get_coro())}")
    return "\n".join(lines)


def _where(work: Any) -> str:
    """The way from a task's outermost coroutine to the line it waits at."""
    places = []
    while work is not None:
        frame = getattr(work, "cr_frame", None) or getattr(work, "ag_frame", None)
        if frame is not None:
            name = os.path.basename(frame.f_code.co_filename)
            places.append(f"{frame.f_code.co_name} ({name}:{frame.f_lineno})")
        work = getattr(work, "cr_await", None) or getattr(work, "ag_await", None)
    return " > ".join(places)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("real_time") is not None:
        return {"real time": asyncio.SelectorEventLoop}
    return {"virtual time": VirtualTimeLoop}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_time: the test needs an ordinary loop and real time")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With REQUIRE_ALL=1 a skipped test is a failed one."""
    report: pytest.TestReport = yield
    if os.environ.get("REQUIRE_ALL") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing may be: {report.longrepr}"
    return report
