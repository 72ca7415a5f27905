"""Speech to a Realtime client, in step with what it is assumed to have played."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from airos_edge.realtime.formats import PCM, OutputAudio, Wire
from airos_edge.voice.ports import Says, Speech

LEAD_S = 1.0
"""How far the client is ahead at most: enough for a stall of the network, and little enough that
nearly all of a long answer can still be called back when someone talks over it."""


class RealtimeMouth:
    """The client is taken to play in real time what it has, from the moment it has it.

    `drain` waits for the end of that, so that the reply is still there to be interrupted while its
    last words are heard.
    """

    def __init__(
        self,
        says: Says,
        send: Callable[[Says, bytes], None],
        room: Callable[[], Awaitable[None]],
        wire: Wire = PCM,
    ) -> None:
        self._says = says
        self._send = send
        self._room = room
        self._audio = OutputAudio(wire)
        self._bytes_per_s = wire.rate_hz * wire.sample_bytes
        self._taken_s = 0.0
        """How much speech came: the resampler holds back the last milliseconds of what was sent."""
        self._sent_s = 0.0
        self._silent_at = 0.0
        """The loop time at which all that was sent has been played."""
        self._hushed = asyncio.Event()
        self._heard_ms = 0

    async def play(self, speech: Speech) -> None:
        if self._hushed.is_set():
            return
        self._taken_s += speech.chunk.ms / 1000
        self._put(self._audio.encoded(speech.chunk))
        await self._room()
        await self._wait_until(self._silent_at - LEAD_S)

    async def drain(self) -> int:
        if not self._hushed.is_set():
            self._put(self._audio.end())
        await self._wait_until(self._silent_at)
        return self._heard_ms if self._hushed.is_set() else round(self._sent_s * 1000)

    def hush(self) -> int:
        if not self._hushed.is_set():
            unheard_s = max(0.0, self._silent_at - asyncio.get_running_loop().time())
            heard_s = self._sent_s - unheard_s if unheard_s else self._taken_s
            self._heard_ms = round(heard_s * 1000)
            self._hushed.set()
        return self._heard_ms

    def duck(self, db: float) -> None:
        """A client sets its own volume."""

    def _put(self, data: bytes) -> None:
        if not data:
            return
        seconds = len(data) / self._bytes_per_s
        self._sent_s += seconds
        now = asyncio.get_running_loop().time()
        self._silent_at = max(now, self._silent_at) + seconds
        self._send(self._says, data)

    async def _wait_until(self, at: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(at):
                await self._hushed.wait()
