"""The microphone: 16 kHz sound from PortAudio's thread to the loop, and from a device that may go and come."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from airos_edge.health import State
from airos_edge.local.portaudio import AudioError, PortAudio, Stream
from airos_edge.voice.audio import RATE_HZ, AudioChunk

log = logging.getLogger(__name__)

KEPT_BLOCKS = 100
"""Two seconds of sound wait for a loop that is busy; what is older is dropped."""
LOOK_S = 0.25
SILENT_S = 2.0
"""A microphone from which nothing came for so long has stopped delivering."""
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 30.0


class Microphone:
    """`feed` gets its sound on the loop, as 16 kHz chunks of 20 ms; `lost` is called when no more comes.

    Muted, its stream is closed: the sound system shows that nothing is recorded.
    """

    def __init__(
        self,
        audio: PortAudio,
        wish: str,
        feed: Callable[[AudioChunk], None],
        lost: Callable[[], None],
        report: Callable[[State, str], None],
    ) -> None:
        self.dropped = 0
        """Blocks that the loop was too busy to take."""
        self._audio = audio
        self._wish = wish
        self._feed = feed
        self._lost = lost
        self._report = report
        self._is_on = asyncio.Event()
        self._is_on.set()
        self._blocks: deque[bytes] = deque(maxlen=KEPT_BLOCKS)
        self._is_called = False
        self._came_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._resampler: Any = None
        self._channels = 1

    def mute(self, on: bool) -> None:
        """From now on nothing is heard, or everything again."""
        if on:
            self._is_on.clear()
            self._blocks.clear()
            self._lost()
        else:
            self._is_on.set()

    async def keep(self) -> None:
        """Delivers for ever, and opens the device again when it has stopped or gone."""
        backoff_s = BACKOFF_S
        while True:
            await self._is_on.wait()
            try:
                async with self._audio.open(
                    "input", self._wish, RATE_HZ, self._came_in_thread
                ) as stream:
                    self._begin(stream)
                    while await self._is_delivering(stream):
                        backoff_s = BACKOFF_S
            except AudioError as error:
                log.log(
                    logging.WARNING if backoff_s == BACKOFF_S else logging.DEBUG,
                    "The microphone: %s",
                    error,
                )
                self._report("failed", str(error))
                self._lost()
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    def _begin(self, stream: Stream) -> None:
        import soxr

        device = stream.device
        self._channels = device.channels
        self._resampler = None
        if device.rate_hz != RATE_HZ:
            self._resampler = soxr.ResampleStream(device.rate_hz, RATE_HZ, 1, dtype="int16")
        self._came_at = self._loop.time()

    async def _is_delivering(self, stream: Stream) -> bool:
        """Waits a moment. False: it is muted, or has to be opened again. Raises AudioError."""
        asked_at = self._loop.time()
        await asyncio.sleep(LOOK_S)
        if not self._is_on.is_set() or self._audio.is_stale:
            return False
        if not stream.is_active:
            raise AudioError(f"{stream.device.name}: the microphone has gone")
        if self._loop.time() - self._came_at > SILENT_S:
            raise AudioError(f"{stream.device.name}: the microphone delivers nothing any more")
        if self._came_at > asked_at:
            self._report("ok", "")
        return True

    # ---- the sound ----

    def _came_in_thread(self, block: Any, frames: int, times: Any, status: Any) -> None:
        self.dropped += len(self._blocks) == self._blocks.maxlen
        self._blocks.append(bytes(block))
        if not self._is_called:
            self._is_called = True
            self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._is_called = False
        self._came_at = self._loop.time()
        while self._blocks:
            chunk = AudioChunk(self._mono(self._blocks.popleft()))
            if chunk.pcm and self._is_on.is_set():
                self._feed(chunk)

    def _mono(self, block: bytes) -> bytes:
        """As 16 kHz, one channel."""
        if self._channels == 1 and self._resampler is None:
            return block
        samples = np.frombuffer(block, "<i2").reshape(-1, self._channels)
        mono = samples.mean(axis=1).astype("<i2")
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(mono)
        return bytes(mono.astype("<i2"))
