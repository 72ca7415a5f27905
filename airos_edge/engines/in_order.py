"""Several engines as one: the first that is there and works serves.

While the best is loading, the next stands in; what fails makes way for the next. `asr_in_order.py` and
`tts_in_order.py` are the recogniser and the voice that are made so.
"""

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Collection,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from typing import Generic, TypeVar

from airos_edge.engines.choosing import is_uri, named
from airos_edge.engines.loading import Loading
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.health import State
from airos_edge.voice.flow import Scope, chain, patiently

log = logging.getLogger(__name__)

ANSWERS_S = 4.0
"""Who stands in is asked when an engine elsewhere has had so long for nothing: people wait no longer."""

E = TypeVar("E")
T = TypeVar("T")
Report = Callable[[State, str], None]


class InOrder(Generic[E]):
    """Engines of one port, the wanted one first."""

    def __init__(self, parts: Sequence[Loading[E]], report: Report) -> None:
        self.name = parts[0].name
        self.place = max(part.place for part in parts)
        """That of the furthest: anything may go so far."""
        self.parts = tuple(parts)
        self.is_loading = False
        self.answers_s = ANSWERS_S
        self._report = report
        self._settling: Loading[E] | None = None
        self._changed = asyncio.Event()
        for part in parts:
            part.watchers.add(self)

    @property
    def wanted(self) -> Loading[E]:
        """The first that has not failed for good: it serves, or will."""
        left = (part for part in self.parts if not part.why or part.engine is not None)
        return next(left, self.parts[0])

    @property
    def serving(self) -> Loading[E] | None:
        """Who would be asked now."""
        return next(iter(self._ready(())), None)

    @property
    def is_lost(self) -> bool:
        """Whether none of them works, or will."""
        return not self.is_loading and all(part.engine is None for part in self.parts)

    def _ready(self, asked: Collection[Loading[E]]) -> list[Loading[E]]:
        ready = [part for part in self.parts if part.engine is not None and part not in asked]
        return sorted(ready, key=self._comes_last)

    def _comes_last(self, part: Loading[E]) -> bool:
        return part.rests or (part.is_too_slow and part.choice.is_tried)

    async def next(self, asked: Collection[Loading[E]]) -> Loading[E] | None:
        """Who is to be asked after these; waits for what is loading where nobody stands in. None: nobody."""
        while True:
            if ready := self._ready(asked):
                return ready[0]
            if not self.is_loading:
                return None
            await self._changed.wait()

    async def settled(self) -> None:
        """Waits until nothing is being loaded any more."""
        while self.is_loading:
            await self._changed.wait()

    def changed(self) -> None:
        """Tells those who wait, and reports."""
        self._changed.set()
        self._changed.clear()
        self.tell()

    # ---- loading ----

    async def open_quick(self, parts: Sequence[Loading[E]]) -> None:
        """Opens those of its parts that are there at once, all together."""
        async with Scope() as scope:
            for task in [scope.start(part.load(), f"opening {part.name}") for part in parts]:
                await task
        for part in parts:
            part.serve()
            if part.why and part.engine is None:
                log.warning("%s: %s", part.choice.port, part.why)

    def begin(self, scope: Scope) -> None:
        """Loads those that are not there yet: the best, and the next ones only if it cannot be used."""
        candidates = [] if self.is_loading else self._wanting()
        if candidates:
            self.is_loading, self._settling = True, candidates[0]
            work = self._load(candidates)
            scope.start(work, f"loading {self.parts[0].choice.port}")
        self.tell()

    def _wanting(self) -> list[Loading[E]]:
        """What is not there before the first of this box that is."""
        wanting = []
        for part in self.parts:
            if part.engine is None and not part.why:
                wanting.append(part)
            elif part.engine is not None and not is_uri(part.name):
                break
        return wanting

    async def _load(self, candidates: Sequence[Loading[E]]) -> None:
        try:
            for part in candidates:
                if await self._settled(part):
                    break
        finally:
            self.is_loading, self._settling = False, None
            self.changed()
        await self._clear_up(candidates)

    async def _settled(self, part: Loading[E]) -> bool:
        """Whether no other has to be loaded: it serves, or nobody wants any of these any more.

        What `auto` took is timed before it serves, if there is who stands in.
        """
        self._settling = part
        self.tell()
        is_loaded = await part.load()
        if part.is_closed:
            return True
        if is_loaded:
            self._log_loaded(part)
            if not part.choice.is_tried or self.serving is None:
                part.serve()
            if not part.choice.is_tried or await part.try_out():
                part.serve()
                return True
            if part.is_closed:
                return True
            if part is not self.serving:
                await part.drop()
        log.warning("%s: %s; %s", part.choice.port, part.why, self._goes_on(part))
        self.changed()
        return False

    def _log_loaded(self, part: Loading[E]) -> None:
        assert part.loaded is not None
        runs_on = f", {part.runs_on}" if part.runs_on else ""
        name, took_s = named(part.choice), part.loaded.load_s
        log.info("%s: %s loaded in %.1f s%s", part.choice.port, name, took_s, runs_on)

    def _goes_on(self, part: Loading[E]) -> str:
        left = (other for other in self.parts[self.parts.index(part) + 1 :] if not other.why)
        other = next(left, None)
        if other is None and part is self.serving:
            return "using it all the same"
        return f"using {named(other.choice)}" if other else "nothing else is there"

    async def _clear_up(self, candidates: Sequence[Loading[E]]) -> None:
        """The models that served before the best did are given up, and it is timed, if it was not."""
        best = self.serving
        if best is None or best not in candidates:
            return
        for part in self.parts:
            if part is not best and part.choice.model is not None:
                await part.drop()
        if not best.choice.is_tried and not await best.try_out():
            log.warning("%s: %s; it is used as it is configured", best.choice.port, best.why)

    # ---- health ----

    def tell(self) -> None:
        """Reports how it is: who serves, for whom it stands in, and why."""
        self._report(*self._state())

    def _state(self) -> tuple[State, str]:
        serving = self.serving
        before = self.parts if serving is None else self.parts[: self.parts.index(serving)]
        broken = [part.fault for part in before if part.fault]
        loading = self._settling
        if loading is not None and loading.engine is None:
            name = loading.choice.model.name if loading.choice.model else loading.name
            meanwhile = f"; {serving.name} stands in" if serving else ""
            return "starting", "; ".join([f"loading {name}{meanwhile}", *broken])
        if serving is None:
            return "failed", "; ".join(broken)
        if serving.fault:  # it is asked first all the same
            broken.append(serving.fault)
            after = (part for part in self._ready([serving]) if not part.fault)
            if (other := next(after, None)) is None:
                return "failed", "; ".join(broken)
            serving = other
        if broken:
            return "degraded", f"{'; '.join(broken)}; {serving.name} stands in"
        return "ok", ""

    # ---- asking ----

    @asynccontextmanager
    async def asked(
        self, part: Loading[E], made: AsyncGenerator[T, None], since: Callable[[], float | None]
    ) -> AsyncIterator[AsyncIterable[T]]:
        """What the part makes. Whatever it fails with reaches the block as an AirosError.

        One elsewhere, beside which there are others, fails too when it makes nothing for `answers_s`, which
        count from the loop time that `since` gives, or not at all while that is None. Leaving ends it.
        """
        async with chain(made, name=part.name, ahead=1) as coming:
            if not is_uri(part.name) or len(self.parts) == 1:
                yield coming
                return
            async with aclosing(patiently(coming, self.answers_s, part.name, since)) as in_time:
                yield in_time

    def note_failed(self, part: Loading[E], error: EngineError) -> None:
        part.failed(error)
        self.tell()

    def note_worked(self, part: Loading[E]) -> None:
        part.worked()
        self.tell()

    def unavailable(self) -> EngineError:
        """What is said where there was nobody to ask."""
        first, *others = [part for part in self.parts if part.why] or self.parts
        whys = [first.why.removeprefix(f"{first.name}: "), *(other.why for other in others)]
        return EngineUnavailable(first.name, "; ".join(filter(None, whys)) or "is not there")
