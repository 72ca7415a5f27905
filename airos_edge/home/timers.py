"""Timers: set, asked for, cancelled; they ring when their time has come."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from airos_edge.errors import EngineError
from airos_edge.voice.flow import Scope

MOST = 50


@dataclass(frozen=True, slots=True, eq=False)
class Timer:
    """`due` is the event loop's time. Two that were set alike are two."""

    seconds: int
    due: float

    @property
    def seconds_left(self) -> int:
        return max(0, round(self.due - asyncio.get_running_loop().time()))


class Timers:
    """Use it as a context manager: leaving it forgets the timers that still run.

    `most` 0: none can be kept, since nothing would be there to ring.
    """

    def __init__(self, ring: Callable[[Timer], Awaitable[None]], most: int = MOST) -> None:
        self.most = most
        self._ring = ring
        self._scope = Scope()
        self._running: dict[Timer, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._scope.__aexit__(kind, error, trace)

    @property
    def running(self) -> list[Timer]:
        """Those that have not rung, the next to ring first."""
        return sorted(self._running, key=lambda timer: timer.due)

    def start(self, seconds: int) -> Timer:
        """Raises EngineError when there are too many."""
        if len(self._running) >= self.most:
            raise EngineError("timers", f"there are {self.most} timers already")
        timer = Timer(seconds, asyncio.get_running_loop().time() + seconds)
        self._running[timer] = self._scope.start(self._wait(timer), f"timer of {seconds} s")
        return timer

    def lasting(self, seconds: int | None) -> list[Timer]:
        """Those that were set for so long; of None, all. The next to ring first."""
        return [timer for timer in self.running if seconds in (None, timer.seconds)]

    def cancel(self, seconds: int | None = None) -> Timer:
        """The only one, or the only one that was set for so long.

        Raises EngineError if there is none, or more than one: which was meant is not for us to guess.
        """
        found = self.lasting(seconds)
        if len(found) != 1:
            raise EngineError("timers", f"{len(found) or 'no'} timers are meant by that")
        self._running.pop(found[0]).cancel()
        return found[0]

    def cancel_all(self) -> int:
        """How many there were."""
        count = len(self._running)
        while self._running:
            self._running.popitem()[1].cancel()
        return count

    async def _wait(self, timer: Timer) -> None:
        await asyncio.sleep(timer.seconds)
        del self._running[timer]
        await self._ring(timer)
