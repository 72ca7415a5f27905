"""The service `tts`: text in, whole or as it is written, speech out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing

from wyoming.audio import AudioChunk as Chunk
from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event
from wyoming.tts import (
    Synthesize,
    SynthesizeStart,
    SynthesizeStopped,
    SynthesizeVoice,
)

from airos_edge.errors import ProtocolError
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ, AudioChunk, ms_of
from airos_edge.voice.ports import Speaking, Speech
from airos_edge.wyoming.connection import Connection
from airos_edge.wyoming.frames import a_text, parsed, text_of
from airos_edge.wyoming.sound import OneRate

LONGEST_TEXT = 10_000
"""Characters that wait to be said. To say them takes ten minutes."""
PIECE_SAMPLES = 8192
"""The most in one event."""

Speak = Callable[[AsyncIterable[str], Speaking], AsyncGenerator[Speech, None]]


class Tts:
    types = ("synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop")

    def __init__(
        self, connection: Connection, speak: Speak, language: str, usual_voice: str
    ) -> None:
        self._connection = connection
        self._speak = speak
        self._language = language
        self._usual_voice = usual_voice
        self._speaking = asyncio.Lock()
        self._written: Written | None = None
        """The text that is being streamed."""

    async def take(self, event: Event) -> None:
        match event.type:
            case "synthesize" if self._written is None:  # within a stream it is a copy of its text
                asked = parsed(event, Synthesize.from_event)
                written = Written()
                written.put(text_of(event))
                written.close()
                self._connection.work(self._say(written, self._how(event, asked)))
            case "synthesize-start":
                if self._written is not None:
                    raise ProtocolError("synthesize-start within a stream")
                how = self._how(event, parsed(event, SynthesizeStart.from_event))
                self._written = Written()
                self._connection.work(self._say(self._written, how, is_stream=True))
            case "synthesize-chunk" if self._written is not None:
                self._written.put(text_of(event))
            case "synthesize-stop" if self._written is not None:
                self._written.close()
                self._written = None

    def _how(self, event: Event, asked: Synthesize | SynthesizeStart) -> Speaking:
        if asked.text_format not in (None, "text"):
            raise ProtocolError(f"{event.type}: the text format {asked.text_format!r} is not known")
        voice = asked.voice or SynthesizeVoice()
        for key in ("name", "language"):
            a_text(event, f"voice.{key}", getattr(voice, key) or "")
        name = None if voice.name in ("", self._usual_voice) else voice.name
        return Speaking(name, voice.language or self._language)

    async def _say(self, written: "Written", how: Speaking, is_stream: bool = False) -> None:
        """One answer after the other, each of one format throughout: clients look at its first only."""
        send = self._connection.send
        async with self._speaking:
            samples, sound = 0, None
            async with aclosing(self._speak(written, how)) as speech:
                async for said in speech:
                    if sound is None:
                        sound = OneRate(said.chunk.rate_hz)
                        await send(AudioStart(sound.rate_hz, BYTES_PER_SAMPLE, 1, timestamp=0))
                    for piece in sound.of(said.chunk).pieces(PIECE_SAMPLES):
                        at_ms = ms_of(samples, piece.rate_hz)
                        samples += piece.samples
                        await send(_chunk(piece, at_ms))
            rate_hz = sound.rate_hz if sound else RATE_HZ
            if sound is None:
                await send(AudioStart(rate_hz, BYTES_PER_SAMPLE, 1, timestamp=0))
            await send(AudioStop(ms_of(samples, rate_hz)))
            if is_stream:
                await send(SynthesizeStopped())


def _chunk(piece: AudioChunk, at_ms: int) -> Chunk:
    return Chunk(piece.rate_hz, BYTES_PER_SAMPLE, 1, piece.pcm, timestamp=at_ms)


class Written:
    """Text as it comes. Who writes is never kept waiting, so what waits to be said has a limit."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._waiting = 0

    def put(self, text: str) -> None:
        """Raises ProtocolError when too much waits."""
        self._waiting += len(text)
        if self._waiting > LONGEST_TEXT:
            raise ProtocolError(f"more than {LONGEST_TEXT} characters wait to be said")
        self._pieces.put_nowait(text)

    def close(self) -> None:
        self._pieces.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (text := await self._pieces.get()) is not None:
            self._waiting -= len(text)
            yield text
