"""Engines on loan: a swap changes what the next turn works with, and never the running one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from airos_edge.errors import ReachError
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Asr, Engines, Place, Responder, Tts

log = logging.getLogger(__name__)

T = TypeVar("T")

GRACE_S = 2.0
"""How long closing may take before the box stops without it."""


@dataclass(eq=False, slots=True)
class Loan:
    engines: Engines
    holders: int = 1
    """Its borrowers, and the lease itself while this is the newest."""


class Lease:
    """Lends the newest engines. An engine that has an `aclose` is closed when no loan holds it any more."""

    def __init__(self, engines: Engines) -> None:
        self._newest = Loan(engines)
        self._loans = [self._newest]
        self._scope = Scope()
        self._closing: set[asyncio.Task[None]] = set()
        self._borrowers = 0
        self._borrowed, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def borrow(self, reach: Place) -> AsyncIterator[Engines]:
        """The engines that are newest now; they stay the same, and open, until the block is left.

        Raises ReachError if one of them runs further away than `reach`. Safe to cancel.
        """
        loan = self._newest
        for engine in _parts(loan.engines, whole=True):
            refuse_beyond(engine.name, engine.place, reach)
        loan.holders += 1
        self._count(+1)
        try:
            yield loan.engines
        finally:
            self._count(-1)
            self._release(loan)

    def _count(self, more: int) -> None:
        self._borrowers += more
        came, went = (
            (self._borrowed, self._idle) if self._borrowers else (self._idle, self._borrowed)
        )
        came.set()
        went.clear()

    async def undisturbing(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` gives or raises. It is begun while nobody borrows; it is broken off when somebody
        does, and begun anew later. Cancelling ends it."""
        while True:
            await self._idle.wait()
            async with Scope() as scope:
                working = scope.start(work(), "work while nobody is answered")
                borrowed = scope.start(self._borrowed.wait(), "waiting for somebody")
                await asyncio.wait({working, borrowed}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return working.result()

    def swap(self, engines: Engines) -> None:
        """Lends these from the next borrow on. What they share with the ones before stays open."""
        before, self._newest = self._newest, Loan(engines)
        self._loans.append(self._newest)
        self._release(before)

    async def aclose(self) -> None:
        """Closes what is not borrowed, for `GRACE_S` at most. Nobody may borrow any more."""
        self._release(self._newest)
        if self._closing:
            await asyncio.wait(self._closing, timeout=GRACE_S)
        await self._scope.__aexit__(None, None, None)

    def _release(self, loan: Loan) -> None:
        """Closing is a task of its own, since who releases may be a turn that is being cancelled."""
        loan.holders -= 1
        if loan.holders:
            return
        self._loans.remove(loan)
        held = {id(engine) for other in self._loans for engine in _parts(other.engines)}
        for engine in _parts(loan.engines):
            if id(engine) not in held:
                task = self._scope.start(close(engine, engine.name), f"closing {engine.name}")
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)


def refuse_beyond(engine: str, place: Place, reach: Place) -> None:
    """Raises ReachError if it runs further away than `reach`."""
    if place > reach:
        where, limit = place.name.lower(), reach.name.lower()
        raise ReachError(engine, f"its place is {where}, but `reach` is {limit}")


def _parts(engines: Engines, whole: bool = False) -> list[Asr | Responder | Tts]:
    """What is open. `whole`: one that is made of others stands for them."""
    found: list[Asr | Responder | Tts] = []
    for engine in (engines.asr, engines.responder, engines.tts):
        if engine is not None:
            found += [engine, *(() if whole else getattr(engine, "parts", ()))]
    return found


async def close(engine: object, name: str) -> None:
    """Of one that has nothing to let go of, nothing. Raises nothing but cancelling."""
    let_go = getattr(engine, "aclose", None)
    if let_go is None:
        return
    try:
        await let_go()
    except Exception:  # boundary: an engine that cannot be closed is lost, the others are not
        log.exception("%s could not be closed", name)
