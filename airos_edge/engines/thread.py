"""Blocking model code beside the loop: one thread a model, one run at a time.

What a run makes is handed over a few pieces ahead, so that a slow listener holds the model back. A
run that nobody wants any more is told to stop, and what it still makes is discarded.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Any, Generic, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

AHEAD = 8
"""How many pieces a run may be ahead of who takes them."""


class Lane:
    """A model's thread. Runs wait for each other in the order in which they were begun."""

    def __init__(self, name: str) -> None:
        self._executor = _Thread(name)

    @property
    def is_free(self) -> bool:
        """Whether a run would begin at once: nothing runs, be it discarded, and nothing waits."""
        return not self._executor.runs

    async def call(self, work: Callable[[], T]) -> T:
        """Raises what `work` raises. Cancelled, what it gives is discarded; it is not begun if it waits."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def stream(
        self, work: Callable[["Stopped"], Iterator[T]], ahead: int = AHEAD
    ) -> AsyncGenerator[T, None]:
        """What `work` yields, as it is made; raises what it raises.

        `work` gets a function that says whether it is to stop, and asks it between two steps of what it
        does. Closing or cancelling stops it after the step that it is at, and waits for nothing.
        """

        def handing_over(take: Take[T], stopped: Stopped) -> None:
            for piece in work(stopped):
                if not take(piece):
                    return

        async with aclosing(self.pushed(handing_over, ahead)) as pieces:
            async for piece in pieces:
                yield piece

    async def pushed(
        self, work: Callable[["Take[T]", "Stopped"], object], ahead: int = AHEAD
    ) -> AsyncGenerator[T, None]:
        """The same, of a library that calls back with what it makes: `work` gets a function that takes a
        piece, waits for room, and says whether more is wanted."""
        run: _Run[T] = _Run(asyncio.get_running_loop(), ahead)
        running = asyncio.get_running_loop().run_in_executor(
            self._executor, work, run.take, run.is_stopped
        )
        running.add_done_callback(lambda _: run.made.put_nowait(None))
        try:
            while (piece := await run.made.get()) is not None:
                run.room.release()
                yield piece[0]
            await running
        finally:
            run.stop()
            running.cancel()

    def close(self) -> None:
        """Runs that wait are not begun. What runs is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class _Thread(ThreadPoolExecutor):
    """One, that knows what it has not ended yet."""

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1, thread_name_prefix=name)
        self.runs: set[Future[Any]] = set()

    def submit(self, work: Callable[P, T], /, *given: P.args, **named: P.kwargs) -> Future[T]:
        run = super().submit(work, *given, **named)
        self.runs.add(run)
        run.add_done_callback(self.runs.discard)
        return run


Stopped = Callable[[], bool]
Take = Callable[[T], bool]


class _Run(Generic[T]):
    """What a thread and its listener share."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ahead: int) -> None:
        self.made: asyncio.Queue[tuple[T] | None] = asyncio.Queue()
        self.room = threading.Semaphore(ahead)
        self._loop = loop
        self._stopped = threading.Event()
        self.is_stopped = self._stopped.is_set

    def take(self, piece: T) -> bool:
        """In the thread: waits for room. Whether more is wanted."""
        self.room.acquire()
        if self._stopped.is_set():
            return False
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self.made.put_nowait, (piece,))
        return True

    def stop(self) -> None:
        self._stopped.set()
        self.room.release()
