"""What `airos talk` sends: texts, recordings at the pace of speech, and what a microphone hears."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable
from typing import Any

import numpy as np

from airos_edge.cli.talking.dialogue import Dialogue, Event
from airos_edge.cli.talking.player import Player
from airos_edge.http.encoding import RATE_HZ
from airos_edge.realtime.client import Connection
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.audio import RATE_HZ as HEARD_HZ

PIECE_MS = 20
PIECE_BYTES = samples_of(PIECE_MS) * BYTES_PER_SAMPLE
HEARD_S = 3.0
"""How long after a recording speech may be noticed in it."""
THINKING_S = 30.0
"""How long a server may take to begin an answer to what it has heard."""


class Sending:
    """`is_open`: whether what the microphone hears is sent."""

    def __init__(self, connection: Connection, dialogue: Dialogue) -> None:
        self.is_open = False
        self._connection = connection
        self._dialogue = dialogue
        self._resampler: Any = None

    async def send(self, events: Iterable[Event]) -> None:
        for event in events:
            await self._connection.send(**event)

    async def text(self, text: str) -> None:
        """A typed question."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self._connection.send("conversation.item.create", item=item)
        self._dialogue.asked()
        await self._connection.send("response.create")

    async def recording(self, pcm: bytes, is_push: bool) -> bool:
        """16 kHz sound at the pace at which it was said; then the question ends, by a commit or by silence.

        False: the server has heard nothing in it.
        """
        dialogue, loop = self._dialogue, asyncio.get_running_loop()
        before = dialogue.ended + len(dialogue.running)
        due = loop.time()
        silence, quiet_s, was_heard = bytes(PIECE_BYTES), 0.0, False
        pieces = [piece.pcm for piece in AudioChunk(pcm).pieces(samples_of(PIECE_MS))]
        while pieces or (not is_push and quiet_s < (THINKING_S if was_heard else HEARD_S)):
            was_heard = was_heard or dialogue.is_spoken_to
            if not pieces:
                quiet_s += PIECE_MS / 1000
                if dialogue.ended + len(dialogue.running) > before:
                    return True
            await self._append(pieces.pop(0) if pieces else silence)
            due += PIECE_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))
        if is_push:
            await self._commit()
        return is_push

    async def push(self) -> None:
        """The microphone is opened, or closed, which ends the question."""
        self.is_open = not self.is_open
        if self.is_open:
            await self._connection.send("input_audio_buffer.clear")
        else:
            await self._commit()

    async def listen(
        self, heard: AsyncIterator[AudioChunk], player: Player, is_echo_free: bool
    ) -> None:
        """Sends what the microphone hears. Where it hears the loudspeaker, too, silence stands for what it
        hears meanwhile: the server would take the answer for speech."""
        async for chunk in heard:
            if self.is_open:
                is_echo = player.is_playing and not is_echo_free
                await self._append(bytes(len(chunk.pcm)) if is_echo else chunk.pcm)

    async def _commit(self) -> None:
        await self._connection.send("input_audio_buffer.commit")
        self._dialogue.asked()
        await self._connection.send("response.create")

    async def _append(self, pcm: bytes) -> None:
        """16 kHz sound, sent as the 24 kHz that every Realtime server takes."""
        import soxr

        if self._resampler is None:
            self._resampler = soxr.ResampleStream(HEARD_HZ, RATE_HZ, 1, dtype="int16", quality="MQ")
        self._dialogue.sent_ms += len(pcm) / BYTES_PER_SAMPLE * 1000 / HEARD_HZ
        samples = self._resampler.resample_chunk(np.frombuffer(pcm, "<i2")).astype("<i2")
        if len(samples):
            audio = base64.b64encode(samples.tobytes()).decode()
            await self._connection.send("input_audio_buffer.append", audio=audio)
