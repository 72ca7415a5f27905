"""Who may speak: one floor per loudspeaker, taken by rank. A Realtime session has its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

from airos_edge.voice.ports import Mouth, OpenMouth, Says, Speech

OUTRANKED_DB = 20.0
"""How much quieter the rest of what is playing becomes under something more important."""


class Rank(IntEnum):
    MEDIA = 0
    ANSWER = 1
    ANNOUNCE = 2
    RING = 3


class Floor:
    """Several may have taken the floor; the highest rank speaks, among equals the first.

    Who is outranked is held where it is, made quiet while its last milliseconds play, and goes on
    when the floor is its own again.
    """

    def __init__(self, open_mouth: OpenMouth) -> None:
        self._open_mouth = open_mouth
        self._turns: list[FloorMouth] = []
        self._ducked_db = 0.0

    @asynccontextmanager
    async def take(self, rank: Rank, says: Says) -> AsyncIterator["FloorMouth"]:
        """A mouth on this floor. Leaving the block gives the floor back; left by an error or a
        cancel, the mouth is hushed first."""
        mouth = FloorMouth(rank, self._open_mouth(says), self)
        self._turns.append(mouth)
        self.arrange()
        try:
            yield mouth
        except BaseException:
            mouth.hush()
            raise
        finally:
            self._turns.remove(mouth)
            self.arrange()

    def duck(self, db: float) -> None:
        """All that is said here is quieter by `db`, until it is 0 again: someone may be talking."""
        self._ducked_db = db
        self.arrange()

    def hush(self, least: Rank = Rank.MEDIA) -> bool:
        """Silences all who took the floor at this rank or above it. False: nobody had."""
        found = [one for one in self._turns if one.rank >= least and not one.is_hushed]
        for mouth in found:
            mouth.hush()
        return bool(found)

    def arrange(self) -> None:
        """Gives the floor to who is to speak now, and everyone the loudness that is theirs."""
        alive = [mouth for mouth in self._turns if not mouth.is_hushed]
        speaker = max(alive, key=lambda mouth: mouth.rank, default=None)
        for mouth in alive:
            mouth.hold(mouth is not speaker, self._ducked_db)


class FloorMouth:
    """A face's mouth, held while another has the floor and dead once hushed."""

    def __init__(self, rank: Rank, mouth: Mouth, floor: Floor) -> None:
        self.rank = rank
        self.is_hushed = False
        self._mouth = mouth
        self._floor = floor
        self._has_floor = asyncio.Event()
        self._quieter_db = 0.0
        self._heard_ms = 0

    async def play(self, speech: Speech) -> None:
        while not self._has_floor.is_set():  # it may be lost again before this task has run
            await self._has_floor.wait()
        if not self.is_hushed:
            await self._mouth.play(speech)

    async def drain(self) -> int:
        return self._heard_ms if self.is_hushed else await self._mouth.drain()

    def hush(self) -> int:
        if not self.is_hushed:
            self._heard_ms = self._mouth.hush()
            self.is_hushed = True
            self._has_floor.set()
            self._floor.arrange()
        return self._heard_ms

    def hold(self, held: bool, ducked_db: float) -> None:
        if held:
            self._has_floor.clear()
        else:
            self._has_floor.set()
        quieter_db = max(ducked_db, OUTRANKED_DB if held else 0.0)
        if quieter_db != self._quieter_db:
            self._quieter_db = quieter_db
            self._mouth.duck(quieter_db)
