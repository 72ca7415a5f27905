"""An engine that is opened in a thread of its own, while the box and all its other engines go on."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from airos_edge.engines.choosing import Choice, is_uri, named
from airos_edge.engines.lease import close
from airos_edge.errors import EngineError, PromptError
from airos_edge.voice.ports import Place

log = logging.getLogger(__name__)

E = TypeVar("E")
T = TypeVar("T")

REST_S = 5.0
"""How long an engine elsewhere that failed is asked last only; twice as long after each further failure …"""
LONGEST_REST_S = 300.0
"""… up to this."""
IN_A_ROW = 2
"""One of this box that fails may do so with that recording or sentence only: so often, it is the engine."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading an engine took."""

    load_s: float
    memory_bytes: int
    """By how much the process grew meanwhile: about what the engine holds."""


Trial = Callable[[Choice, Any, Loaded], Awaitable[str]]
"""Times an engine that was loaded; gives what makes it too slow for this box, "" if nothing does."""


class Watcher(Protocol):
    def changed(self) -> None: ...


async def untried(choice: Choice, engine: object, loaded: Loaded) -> str:
    return ""


class Loading(Generic[E]):
    """One engine, from the choice to its end. It serves while `engine` is there; `why` says what went wrong when
    it was loaded or timed, `failing` what it failed with at work and has not made good yet."""

    def __init__(
        self, choice: Choice, open_engine: Callable[[], E], trial: Trial = untried
    ) -> None:
        self.choice = choice
        self.engine: E | None = None
        self.why = self.failing = ""
        self.is_too_slow = False
        self.is_closed = False
        self.loaded: Loaded | None = None
        self.watchers: WeakSet[Watcher] = WeakSet()
        """Who is told that it begins or ends to serve."""
        self._opened: E | None = None
        self._open = open_engine
        self._trial = trial
        self._one_at_a_time = asyncio.Lock()
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self._failures = 0
        self._rests_until = 0.0

    @property
    def name(self) -> str:
        return self.choice.engine or self.choice.port

    @property
    def place(self) -> Place:
        return self.choice.place

    @property
    def runs_on(self) -> str:
        """Where and how precisely it computes ("cpu, int8"), of an engine that tells it."""
        return str(getattr(self._opened, "runs_on", ""))

    @property
    def fault(self) -> str:
        """What is wrong with it; that it is slow is no fault."""
        return self.failing or ("" if self.is_too_slow else self.why)

    @property
    def has_failed(self) -> bool:
        """Whether it could not be loaded. That it is too slow will not change."""
        return bool(self.why) and self._opened is None and not self.is_too_slow

    async def load(self) -> bool:
        """Opens it, unless that has been done; whether it is there to serve. Raises nothing: see `why`.

        One that is closed meanwhile is closed as soon as it is there. Cancelled, the thread runs on and
        what it opens is forgotten.
        """
        async with self._one_at_a_time:
            if self._opened is None and not self.is_closed:
                self.why, self.failing, self.is_too_slow = "", "", False
                await self._load()
        return self._opened is not None

    async def _load(self) -> None:
        began_s, before_bytes = time.perf_counter(), resident_bytes()
        try:
            opened = await in_own_thread(f"loading {self.name}", self._open)
        except EngineError as error:
            self.why = str(error)
        except Exception as error:  # boundary: whatever a model's library raises, the others go on
            log.exception("%s could not be loaded", named(self.choice))
            self.why = f"{self.name}: {str(error) or type(error).__name__}"
        else:
            if self.is_closed:
                await close(opened, self.name)
                return
            grown_bytes = max(resident_bytes() - before_bytes, 0)
            self.loaded = Loaded(time.perf_counter() - began_s, grown_bytes)
            self._opened = opened

    def serve(self) -> None:
        """From now on it may be asked."""
        if self.engine is not self._opened:
            self.engine = self._opened
            self._tell()

    def _tell(self) -> None:
        for watcher in tuple(self.watchers):
            watcher.changed()

    async def try_out(self) -> bool:
        """Times it; whether it is quick enough. Raises nothing: see `why`. Cancelled, nothing is known."""
        if self._opened is None or self.loaded is None:
            return True
        try:
            self.why = await self._trial(self.choice, self._opened, self.loaded)
            self.is_too_slow = bool(self.why)
        except EngineError as error:
            self.why = str(error)
        return not self.why

    @contextmanager
    def used(self) -> Iterator[E]:
        """The engine stays open in the block, even if it is dropped meanwhile."""
        engine = self.engine
        assert engine is not None
        self._users += 1
        self._unused.clear()
        try:
            yield engine
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def drop(self) -> None:
        """It is not asked any more, and closed when nobody works with it. It can be loaded again."""
        opened, self._opened, self.engine = self._opened, None, None
        if opened is not None:
            self._tell()
            await self._unused.wait()
            await close(opened, self.name)

    async def aclose(self) -> None:
        """For who knows that nobody works with it. What is still being loaded is closed when it is there."""
        self.is_closed = True
        opened, self._opened, self.engine = self._opened, None, None
        if opened is not None:
            await close(opened, self.name)

    # ---- an engine that fails ----

    @property
    def rests(self) -> bool:
        """Whether it failed so shortly ago that others are asked first."""
        return asyncio.get_running_loop().time() < self._rests_until

    def failed(self, error: EngineError) -> None:
        """One elsewhere is likely gone: it rests. One of this box is asked first again. Who was asked for what
        it does not have, has not failed."""
        if isinstance(error, PromptError):
            return
        self._failures += 1
        if is_uri(self.name) or self._failures >= IN_A_ROW:
            self.failing = str(error)
        if not is_uri(self.name):
            return
        rest_s = error.retry_after_s or REST_S * 2 ** (self._failures - 1)
        self._rests_until = asyncio.get_running_loop().time() + min(rest_s, LONGEST_REST_S)

    def worked(self) -> None:
        self._failures, self._rests_until, self.failing = 0, 0.0, ""
        if not self.is_too_slow:
            self.why = ""


async def in_own_thread(name: str, work: Callable[[], T]) -> T:
    """What `work` gives or raises. The thread is no one else's, and nobody waits for it when the box ends."""
    return await asyncio.get_running_loop().run_in_executor(_OwnThread(name), work)


class _OwnThread(Executor):
    def __init__(self, name: str) -> None:
        self._name = name

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                made = work(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(made)

        threading.Thread(target=run, name=self._name, daemon=True).start()
        return future


def resident_bytes() -> int:
    """How much memory the process holds now; 0 where /proc, see proc(5), does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    import resource

    return pages * resource.getpagesize()
