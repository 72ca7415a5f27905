"""Engines on loan: a swap changes what the next turn works with, and never the running one."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from airos_edge.errors import ReachError
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Asr, Engines, Place, Responder, Tts

log = logging.getLogger(__name__)

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

    @asynccontextmanager
    async def borrow(self, reach: Place) -> AsyncIterator[Engines]:
        """The engines that are newest now; they stay the same, and open, until the block is left.

        Raises ReachError if one of them runs further away than `reach`. Safe to cancel.
        """
        loan = self._newest
        for engine in _parts(loan.engines, whole=True):
            refuse_beyond(engine.name, engine.place, reach)
        loan.holders += 1
        try:
            yield loan.engines
        finally:
            self._release(loan)

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
                task = self._scope.start(_close(engine), f"closing {engine.name}")
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)


def refuse_beyond(engine: str, place: Place, reach: Place) -> None:
    """Raises ReachError if it runs further away than `reach`."""
    if place > reach:
        where, limit = place.name.lower(), reach.name.lower()
        raise ReachError(engine, f"its place is {where}, but `reach` is {limit}")


def _parts(engines: Engines, whole: bool = False) -> list[Asr | Responder | Tts]:
    """What is open. `whole`: a responder that is made of others stands for them."""
    inner = () if whole else getattr(engines.responder, "parts", ())
    parts = (engines.asr, engines.responder, *inner, engines.tts)
    return [engine for engine in parts if engine is not None]


async def _close(engine: Asr | Responder | Tts) -> None:
    close = getattr(engine, "aclose", None)
    if close is None:
        return
    try:
        await close()
    except Exception:  # boundary: an engine that cannot be closed is lost, the others are not
        log.exception("%s could not be closed", engine.name)
