"""The service `wake`: sound in, the wake words that are heard in it out."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from wyoming.event import Event
from wyoming.wake import Detect, Detection, NotDetected

from airos_edge.errors import ProtocolError
from airos_edge.voice.audio import AudioChunk, ms_of, samples_of
from airos_edge.voice.waking import Waking
from airos_edge.wyoming.connection import Connection
from airos_edge.wyoming.frames import parsed
from airos_edge.wyoming.sound import EarSound

AT_ONCE = samples_of(1000)


class Wake:
    """`stack` is left with the connection."""

    types = ("detect",)

    def __init__(
        self, connection: Connection, waking: Callable[[], Waking], stack: AsyncExitStack
    ) -> None:
        self._connection = connection
        self._open = waking
        self._stack = stack
        self._names: frozenset[str] | None = None
        """None: any."""
        self._stream: Waking | None = None
        self._sound = EarSound()
        self._samples = 0
        self._is_detected = False

    async def take(self, event: Event) -> None:
        match event.type:
            case "detect":
                self._names = _names(event)
            case "audio-start":
                await self._stack.aclose()
                self._stream = waking = self._open()
                self._stack.push_async_callback(waking.aclose)
                self._stack.callback(self._forget)
                self._sound, self._samples, self._is_detected = EarSound(), 0, False
            case "audio-chunk" if self._stream is not None:
                at_ms = event.data.get("timestamp")
                for piece in self._sound.of(event).pieces(AT_ONCE):
                    self._hear(self._stream, piece, at_ms if type(at_ms) is int else None)
                    await asyncio.sleep(0)
            case "audio-stop" if self._stream is not None:
                self._stream = None
                if not self._is_detected:
                    self._connection.post(NotDetected())

    def _forget(self) -> None:
        """Another service of the connection listens now; a stream that is closed hears nothing more."""
        self._stream = None

    def _hear(self, stream: Waking, chunk: AudioChunk, at_ms: int | None) -> None:
        """A detection bears the timestamp of its chunk, or where chunks have none, its own place."""
        self._samples += chunk.samples
        for hit in stream.feed(chunk):
            if self._names is None or hit.word in self._names:
                self._is_detected = True
                timestamp = ms_of(hit.sample) if at_ms is None else at_ms
                self._connection.post(Detection(hit.word, timestamp))


def _names(event: Event) -> frozenset[str] | None:
    names = parsed(event, Detect.from_event).names
    if not names:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ProtocolError("detect: names is no list of texts")
    return frozenset(names)
