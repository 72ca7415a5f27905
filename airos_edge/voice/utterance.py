"""A recording in progress: one writer (the ear), any number of readers, each from its first sample."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from airos_edge.voice.audio import AudioChunk, ms_of

OpenedBy = Literal["wake", "speech", "push", "follow_up"]


class Judgement(Enum):
    """What a recogniser thinks of the words so far. It shortens or lengthens the silence waited for."""

    PREFIX = "prefix"
    """They begin something that cannot end here: "turn on the"."""
    OPEN = "open"
    """They could end here, or go on."""
    COMPLETE = "complete"
    """They are whole, and nothing that is known goes on from here."""
    REJECT = "reject"
    """They are not meant for us."""


class EndReason(Enum):
    SILENCE = "silence"
    COMMIT = "commit"
    ENOUGH = "enough"
    NO_SPEECH = "no_speech"
    TOO_LONG = "too_long"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Ended:
    """Why an utterance ended, and where in the stream (milliseconds from its start) speech ended."""

    reason: EndReason
    speech_end_ms: int

    @property
    def is_question(self) -> bool:
        """Whether there is something to answer."""
        return self.reason not in (EndReason.NO_SPEECH, EndReason.DISCARDED)


class Utterance:
    """Chunks of 16 kHz audio, as they come. The ear writes, ends and keeps it bounded."""

    def __init__(
        self, utterance_id: str, opened_by: OpenedBy, start_ms: int, wake_word: str | None = None
    ) -> None:
        self.id = utterance_id
        self.opened_by = opened_by
        self.start_ms = start_ms
        """Where in the ear's stream sample 0 lies."""
        self.wake_word = wake_word
        self.judgement: Judgement | None = None
        self.wanted_end = False
        self.outcome: Ended | None = None
        self.samples = 0
        """How many were recorded until now."""
        self._chunks: list[AudioChunk] = []
        self._changed = asyncio.Event()
        self._ended = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[AudioChunk]:
        """Every chunk from the first, then the end. Cancelling a reader disturbs no other."""
        place = 0
        while True:
            while place < len(self._chunks):
                yield self._chunks[place]
                place += 1
            if self.outcome is not None:
                return
            await self._changed.wait()

    async def ended(self) -> Ended:
        """Waits for the end. Safe to cancel."""
        await self._ended.wait()
        assert self.outcome is not None
        return self.outcome

    def judge(self, how: Judgement) -> None:
        """A reader tells the ear what it thinks of the words so far."""
        self.judgement = how

    def enough(self) -> None:
        """A reader tells the ear to end it now."""
        self.wanted_end = True

    @property
    def pcm(self) -> bytes:
        """All that was recorded until now."""
        return b"".join(chunk.pcm for chunk in self._chunks)

    @property
    def ms(self) -> int:
        return ms_of(self.samples)

    # ---- for the ear ----

    def write(self, chunk: AudioChunk) -> None:
        self._chunks.append(chunk)
        self.samples += chunk.samples
        self._wake_readers()

    def end(self, outcome: Ended) -> None:
        self.outcome = outcome
        self._ended.set()
        self._wake_readers()

    def _wake_readers(self) -> None:
        """Those that wait now: whoever comes later looks at what there is first."""
        self._changed.set()
        self._changed.clear()
