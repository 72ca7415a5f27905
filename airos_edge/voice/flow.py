"""How work is joined, slowed and stopped: `Scope` owns tasks, `chain` joins stages of a stream.

A stage is a function from an async iterator to an async generator. `chain` gives each stage a task
of its own and puts a bounded joint after it, so that stages overlap, a slow one holds back the ones
before it, and leaving the block ends them all. Errors travel to the consumer through the joints;
cancelling travels from the consumer through the scope.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from airos_edge.errors import AirosError, EngineError

T = TypeVar("T")
log = logging.getLogger(__name__)

GRACE_S = 1.0
"""How long a cancelled task may take to end before it is abandoned."""

abandoned: set[asyncio.Task[Any]] = set()
"""Tasks that swallowed their cancelling and still run. What they say is discarded."""


class Scope:
    """Owns tasks: leaving the block cancels those that still run and waits for them, but not for ever.

    A task that has not ended `grace_s` after its cancelling goes to `abandoned`. An error that a task
    raises is the task's own: who wants it awaits the task; nobody else is disturbed by it. What
    is no AirosError is a mistake of ours, and logged.
    """

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, AirosError):
            log.error("%s failed", task.get_name(), exc_info=error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        told: set[asyncio.Task[Any]] = set()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._grace_s
        cancelled: asyncio.CancelledError | None = None
        while (running := set(self._tasks)) and (left_s := deadline - loop.time()) > 0:
            for task in running - told:  # a task that ends may start another
                task.cancel()
            told |= running
            first = asyncio.FIRST_COMPLETED
            try:
                await asyncio.wait(running, timeout=left_s, return_when=first)
            except asyncio.CancelledError as meanwhile:
                cancelled = meanwhile  # raised below: the tasks keep their grace
        for task in running:
            if not task.done():
                task.cancel()
                _abandon(task)
        if cancelled is not None:
            raise cancelled


def _abandon(task: asyncio.Task[Any]) -> None:
    log.warning("%s did not end when it was cancelled; going on without it", task.get_name())
    abandoned.add(task)
    task.add_done_callback(abandoned.discard)


class Joint(Generic[T]):
    """A bounded queue between one producer and one consumer, who iterates over it once.

    The producer may put while what is queued weighs less than `ahead`. A consumer's wait may be
    cancelled and taken up again without losing an item.
    """

    def __init__(self, ahead: float = 8, weigh: Callable[[T], float] = lambda _: 1) -> None:
        self._items: deque[T] = deque()
        self._ahead = ahead
        self._weigh = weigh
        self._weight = 0.0
        self._changed = asyncio.Event()
        self._closed = False
        self._error: Exception | None = None

    async def put(self, item: T) -> bool:
        """Waits for room. False: the joint is closed and the item was discarded."""
        while self._items and self._weight >= self._ahead and not self._closed:
            await self._change()
        if self._closed:
            return False
        self._items.append(item)
        self._weight += self._weigh(item)
        self._changed.set()
        return True

    def close(self, error: Exception | None = None) -> None:
        """No more items; the consumer still gets those that are queued, then the error."""
        if not self._closed:
            self._closed, self._error = True, error
            self._changed.set()

    def __aiter__(self) -> "Joint[T]":
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._closed:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            await self._change()
        item = self._items.popleft()
        self._weight -= self._weigh(item)
        self._changed.set()
        return item

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, and how much of what it makes may lie ready after it, by `weigh`."""

    run: Callable[[Any], AsyncIterable[Any]]
    ahead: float = 8
    weigh: Callable[[Any], float] = lambda _: 1


@asynccontextmanager
async def chain(
    source: AsyncIterable[Any],
    *stages: Stage,
    name: str = "chain",
    ahead: float = 8,
    weigh: Callable[[Any], float] = lambda _: 1,
) -> AsyncIterator[Joint[Any]]:
    """Runs the source, of which so much may lie ready as a stage's `ahead` says, through the stages; the
    block gets what the last one makes.

    A stage's error reaches the block where it reads, as an AirosError; so does a CancelledError that
    came from within a stage: an engine's inner mishap is never taken for the end of its stream.
    Leaving the block ends and closes every stage, even one that had not begun.
    """
    opened: list[tuple[AsyncIterable[Any], asyncio.Task[None]]] = []
    joints: list[Joint[Any]] = []
    scope = Scope()
    try:
        async with scope:
            made: AsyncIterable[Any] = source
            for stage in (Stage(lambda _: source, ahead, weigh), *stages):
                made = stage.run(made)
                joint: Joint[Any] = Joint(stage.ahead, stage.weigh)
                joints.append(joint)
                pump = scope.start(_pump(made, joint, name), f"{name}, stage {len(joints)}")
                opened.append((made, pump))
                made = joint
            try:
                yield joints[-1]
            finally:
                for joint in joints:
                    joint.close()
    finally:
        for iterable, pump in opened:
            if isinstance(iterable, AsyncGenerator) and pump.done():
                await iterable.aclose()


async def only(item: T) -> AsyncGenerator[T, None]:
    """A stream of one."""
    yield item


async def _pump(items: AsyncIterable[Any], joint: Joint[Any], name: str) -> None:
    error: Exception | None = None
    try:
        if isinstance(items, AsyncGenerator):
            async with aclosing(items):
                await _fill(joint, items)
        else:
            await _fill(joint, items)
    except asyncio.CancelledError as cancelled:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        error = EngineError(name, "was cancelled from within")
        error.__cause__ = cancelled
    except AirosError as failure:
        error = failure
    except Exception as failure:  # boundary: whatever an engine raises is raised where it is read
        log.exception("%s failed", name)
        error = EngineError(name, str(failure) or type(failure).__name__)
        error.__cause__ = failure
    finally:
        joint.close(error)


async def _fill(joint: Joint[Any], items: AsyncIterable[Any]) -> None:
    async for item in items:
        if not await joint.put(item):
            return


async def patiently(
    items: Joint[T], limit_s: float, who: str, since: Callable[[], float | None] = lambda: 0.0
) -> AsyncGenerator[T, None]:
    """The items, as long as none lets itself be waited for longer than `limit_s`.

    Waiting counts from the loop time that `since` gives, and while that is None not at all.
    Raises EngineError, naming `who`, of one that does not come.
    """
    loop = asyncio.get_running_loop()
    asked, wait_s = loop.time(), limit_s
    while True:
        try:
            async with asyncio.timeout(wait_s):
                item = await anext(items)
        except StopAsyncIteration:
            return
        except TimeoutError:
            counted = since()
            wait_s = limit_s if counted is None else max(counted, asked) + limit_s - loop.time()
            if wait_s <= 0:
                raise EngineError(who, f"said nothing for {limit_s:g} s") from None
            continue
        yield item
        asked, wait_s = loop.time(), limit_s
