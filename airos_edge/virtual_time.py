"""A loop on which waiting takes no time: hours of sound are played in seconds, and exactly alike each time."""

import asyncio
import math
import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Args = TypeVarTuple("Args")
Select = Callable[[float | None], list[Any]]

REAL_WAIT_S = 1.0
"""How long a loop with nothing to do waits for threads it knows nothing of."""


class Deadlock(RuntimeError):
    """Nothing is ready, nothing is scheduled, and the work has not ended."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its time stands still while anything can run, and jumps to the next timer when nothing can.

    It also stands still while a thread of `run_in_executor` or `to_thread` works. A loop that
    has nothing to wait for, or whose time comes to `longest_s`, raises Deadlock, which names what
    every task is waiting for.
    """

    def __init__(self, longest_s: float = math.inf) -> None:
        super().__init__()
        self._longest_s = longest_s
        self._now_s = 0.0
        self._threads = 0
        self._really_select: Select = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._select  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Args], T], *args: *Args
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
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
        if timeout is None or self._now_s > self._longest_s:
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
