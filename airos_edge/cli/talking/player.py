"""What `airos talk` plays of an answer, how much of it was heard, and what is saved of it."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from airos_edge.http.encoding import RATE_HZ
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, encode_wav
from airos_edge.voice.ports import Mouth, Says

BYTES_PER_S = RATE_HZ * BYTES_PER_SAMPLE

OpenMouth = Callable[[Says], "LocalMouth"]


class LocalMouth(Mouth, Protocol):
    """One that takes sound without waiting, too."""

    def put(self, sound: AudioChunk) -> None: ...
    def end(self) -> None: ...


class Player:
    """Takes sound faster than it is heard. Without a loudspeaker it is taken to be heard all the same."""

    def __init__(
        self, open_mouth: OpenMouth | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_mouth = open_mouth
        self._clock = clock
        self._mouth: LocalMouth | None = None
        self._item_id = ""
        self._item_bytes = 0
        self._silent_at = 0.0
        self._hushed: set[str] = set()
        self._saved = bytearray()

    def use(self, open_mouth: OpenMouth | None) -> None:
        """What is said from now on is heard there."""
        self._open_mouth = open_mouth

    @property
    def is_playing(self) -> bool:
        return self._clock() < self._silent_at

    def put(self, item_id: str, pcm: bytes) -> None:
        """24 kHz sound of an item; of one that was hushed nothing is heard any more."""
        if item_id in self._hushed:
            return
        if item_id != self._item_id:
            self._begin(item_id)
        self._item_bytes += len(pcm)
        self._saved += pcm
        self._silent_at = max(self._silent_at, self._clock()) + len(pcm) / BYTES_PER_S
        if self._mouth is not None:
            self._mouth.put(AudioChunk(pcm, RATE_HZ))

    def end(self) -> None:
        """Nothing more of this item comes."""
        if self._mouth is not None:
            self._mouth.end()

    def hush(self) -> tuple[str, int] | None:
        """Silence at once: the item that was heard, and how many milliseconds of it; None: it was silent."""
        if not self.is_playing:
            return None
        unheard = round((self._silent_at - self._clock()) * RATE_HZ) * BYTES_PER_SAMPLE
        heard = max(0, self._item_bytes - unheard)
        if self._mouth is not None:
            heard = min(self._item_bytes, self._mouth.hush() * BYTES_PER_S // 1000)
        del self._saved[len(self._saved) - (self._item_bytes - heard) // 2 * 2 :]
        self._silent_at = self._clock()
        self._hushed.add(self._item_id)
        return self._item_id, heard * 1000 // BYTES_PER_S

    async def silent(self) -> None:
        """Waits until what has come until now was heard."""
        await asyncio.sleep(max(0.0, self._silent_at - self._clock()))

    def wav(self) -> bytes:
        """All that was heard; b"" if nothing was."""
        return encode_wav(bytes(self._saved), RATE_HZ) if self._saved else b""

    def _begin(self, item_id: str) -> None:
        self.end()
        self._item_id, self._item_bytes = item_id, 0
        if self._open_mouth is not None:
            self._mouth = self._open_mouth(Says(item_id, item_id))
