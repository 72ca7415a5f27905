"""Wake words heard elsewhere: a Wyoming `wake` service on this box, in this LAN or, with `reach`, beyond it.

Listening never waits: the sound is queued for a task that has the connection, and what has come back by
then is what `feed` gives. A detection is late by the way there and back, and its place in the sound is
that of the chunk it came with.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from wyoming.audio import AudioChunk as Chunk
from wyoming.audio import AudioStart
from wyoming.wake import Detect, Detection

from airos_edge.engines.wanted import WantedWake
from airos_edge.errors import EngineError
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ, AudioChunk, ms_of, samples_of
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Wake, WakeScore
from airos_edge.wyoming.client import Wire, connect

log = logging.getLogger(__name__)

FORMAT = (RATE_HZ, BYTES_PER_SAMPLE, 1)
PIECE_SAMPLES = samples_of(100)
"""The most in one event, and so how precisely a detection is placed."""
MOST_WAITING = 50
"""Pieces of sound that wait for the service: five seconds. Of more the oldest is dropped, as what was
said then is no question any more."""
PAUSED_S = 2.0
"""After so long without sound, as of a microphone that was muted, what was heard before is no wake word now."""
AGAIN_S, AGAIN_MOST_S = 1.0, 30.0
"""After a connection that was lost, or did not come to be, and doubled each time that it does not."""


class WyomingWake:
    """One stream. It begins to connect with its first sound; `aclose` ends it."""

    def __init__(self, uri: str, words: frozenset[str]) -> None:
        self.dropped = 0
        """Pieces of sound that the service did not get, as it was gone or too slow."""
        self._uri = uri
        self._words = words
        self._scope = Scope()
        self._is_running = False
        self._samples = 0
        self._fed_at = 0.0
        self._since = 0
        """The sample before which nothing counts any more."""
        self._waiting: deque[tuple[int, bytes]] = deque(maxlen=MOST_WAITING)
        """Where in the stream each piece begins, in milliseconds, and the piece."""
        self._arrived = asyncio.Event()
        self._scores: list[WakeScore] = []

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        if not self._is_running:
            self._is_running = True
            self._scope.start(self._listen(), f"{self._uri}, wake words")
        now = asyncio.get_running_loop().time()
        if now - self._fed_at > PAUSED_S:
            self._since = self._samples
            self._waiting.clear()
            self._scores.clear()
        self._fed_at = now
        for piece in chunk.pieces(PIECE_SAMPLES):
            self.dropped += len(self._waiting) == MOST_WAITING
            self._waiting.append((ms_of(self._samples), piece.pcm))
            self._samples += piece.samples
        self._arrived.set()
        scores, self._scores = self._scores, []
        return scores

    async def aclose(self) -> None:
        """Ends the connection."""
        await self._scope.__aexit__(None, None, None)

    async def _listen(self) -> None:
        loop, again_s = asyncio.get_running_loop(), AGAIN_S
        while True:
            began = loop.time()
            try:
                await self._talk()
            except EngineError as error:
                if loop.time() - began > AGAIN_MOST_S:
                    again_s = AGAIN_S
                log.warning("No wake words: %s; again in %g s", error, again_s)
            await asyncio.sleep(again_s)
            again_s = min(2 * again_s, AGAIN_MOST_S)

    async def _talk(self) -> None:
        """Until the service goes, or takes nothing more. Raises EngineError then."""
        async with connect(self._uri) as wire, Scope() as scope:
            await wire.send(Detect(names=sorted(self._words)))
            await wire.send(AudioStart(*FORMAT))
            sending = scope.start(self._send(wire), "sending sound")
            receiving = scope.start(self._receive(wire), "receiving wake words")
            done, _ = await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task

    async def _send(self, wire: Wire) -> None:
        while True:
            while self._waiting:
                at_ms, pcm = self._waiting.popleft()
                await wire.send(Chunk(*FORMAT, pcm, timestamp=at_ms))
            self._arrived.clear()
            await self._arrived.wait()

    async def _receive(self, wire: Wire) -> None:
        async for event in wire:
            if Detection.is_type(event.type):
                detection = wire.read(event, Detection.from_event)
                word = detection.name if isinstance(detection.name, str) else self._only_word()
                if word in self._words:
                    at_ms = detection.timestamp
                    is_placed = type(at_ms) is int and 0 <= at_ms <= ms_of(self._samples)
                    sample = samples_of(at_ms) if is_placed and at_ms else self._samples
                    if sample >= self._since:
                        self._scores.append(WakeScore(word, sample, 1.0))

    def _only_word(self) -> str:
        return next(iter(self._words)) if len(self._words) == 1 else ""


def open_wake(wanted: WantedWake) -> Callable[[], Wake]:
    """Each call of what it gives is a new stream, with a connection of its own once it is fed."""
    uri, words = wanted.uri, frozenset(wanted.words)
    return lambda: WyomingWake(uri, words)
