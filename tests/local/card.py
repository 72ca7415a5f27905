"""A sound card that a test moves: it takes what is played as time goes by, and gives what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from airos_edge.local.portaudio import AudioError, Device, Kind, Stream

BLOCK_S = 0.01


@dataclass
class FakeAudio:
    """`PortAudio`. `error`: why nothing can be opened now."""

    rate_hz: int = 48_000
    channels: int = 1
    error: str = ""
    is_stale: bool = False
    opened: int = 0
    is_open: dict[Kind, bool] = field(default_factory=dict)
    played: bytearray = field(default_factory=bytearray)
    """16-bit mono, from the first moment of the loudspeaker on."""
    is_active: bool = True
    stands_still: bool = False
    """It is open, and takes nothing."""
    _hear: Callable[..., None] = lambda *_: None

    def is_alive(self) -> bool:
        return True

    async def find(self, kind: Kind, wish: str, rate_hz: int) -> Device:
        if self.error:
            raise AudioError(self.error)
        return Device(0, "card", self.rate_hz, self.channels)

    @asynccontextmanager
    async def open(
        self, kind: Kind, wish: str, rate_hz: int, handle: Callable[..., None]
    ) -> AsyncIterator[Stream]:
        device = await self.find(kind, wish, rate_hz)
        self.opened += 1
        self.is_open[kind] = self.is_active = True
        task = None
        if kind == "input":
            self._hear = handle
        else:
            task = asyncio.get_running_loop().create_task(self._play(handle))
        try:
            yield Stream(device, _Active(self))
        finally:
            self.is_open[kind] = False
            if task is not None:
                task.cancel()

    def hear(self, block: bytes) -> None:
        """A block from the microphone, as PortAudio's thread brings it."""
        assert self.is_open.get("input"), "a microphone that is closed brings nothing"
        self._hear(block, len(block) // 2 // self.channels, None, None)

    async def _play(self, fill: Callable[..., None]) -> None:
        frames = round(self.rate_hz * BLOCK_S)
        times = SimpleNamespace(outputBufferDacTime=1.05, currentTime=1.0)
        while self.is_active:
            if self.stands_still:
                await asyncio.sleep(BLOCK_S)
                continue
            block = bytearray(2 * frames)
            fill(memoryview(block), frames, times, SimpleNamespace(output_underflow=False))
            self.played += block
            await asyncio.sleep(BLOCK_S)

    @property
    def sound(self) -> "np.ndarray[Any, np.dtype[np.int16]]":
        return np.frombuffer(bytes(self.played), "<i2")


class _Active:
    """What `sounddevice` knows of a stream."""

    def __init__(self, audio: FakeAudio) -> None:
        self._audio = audio

    @property
    def active(self) -> bool:
        return self._audio.is_active
