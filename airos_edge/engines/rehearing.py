"""When a recogniser that hears a recording as a whole is to hear it again, while it grows.

Each time costs as much as the end does, so it is done when there is something new to be heard; and once
more as soon as it falls silent: if the silence turns out to be the end, its words are known already.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic

import numpy as np

from airos_edge.engines.thread import Lane
from airos_edge.voice.audio import BYTES_PER_SAMPLE, FULL_SCALE, AudioChunk, samples_of
from airos_edge.voice.utterance import Utterance

EVERY_MS = 800
"""How much has to be recorded anew while it is spoken."""
SILENT_MS = 200
"""Silence so long may be the end: longer than a stop consonant, shorter than what is waited for."""
SLOW_S = 1.0
"""A model that takes longer is not asked while somebody speaks: at their end, it would still be at it."""
FRAME_SAMPLES = samples_of(20)
UNDER_LOUDEST, OVER_QUIETEST = 10**-2.5, 4.0
"""A sound has more than so many parts of the loudest frame's power, and so many times the quietest's: a
steady noise stays within half of that."""
LEAST_POWER = 1e-9
"""What lies under -90 dBFS counts as that: digital silence would make a sound of anything."""
HANGOVER_MS = 120
"""A VAD tells the end of speech so late: Silero by 75 to 105 ms."""


class Rehearing:
    """Feed it what is recorded, in order; tell it how far was heard."""

    def __init__(self) -> None:
        self.heard_ms = 0
        """How far it was heard the last time."""
        self._rest = b""
        self._frames = 0
        self._last_sound = 0
        self._loudest, self._quietest = 0.0, np.inf

    @property
    def ms(self) -> int:
        return self._frames * 20

    @property
    def last_sound_ms(self) -> int:
        """Where the last sound ended."""
        return self._last_sound * 20

    def feed(self, chunk: AudioChunk) -> None:
        pcm = self._rest + chunk.pcm
        size = FRAME_SAMPLES * BYTES_PER_SAMPLE
        whole = len(pcm) - len(pcm) % size
        self._rest = pcm[whole:]
        if not whole:
            return
        frames = np.frombuffer(pcm[:whole], "<i2").reshape(-1, FRAME_SAMPLES) / FULL_SCALE
        for power in np.maximum(LEAST_POWER, (frames * frames).mean(axis=1)):
            self._frames += 1
            self._loudest = max(self._loudest, power)
            self._quietest = min(self._quietest, power)
            if power > max(self._loudest * UNDER_LOUDEST, self._quietest * OVER_QUIETEST):
                self._last_sound = self._frames

    @property
    def is_due(self) -> bool:
        """Whether there is enough that was not heard, or it has fallen silent after a sound that was not."""
        is_new = self.last_sound_ms > self.heard_ms
        return is_new and (self.is_silent or self.ms - self.heard_ms >= EVERY_MS)

    @property
    def is_silent(self) -> bool:
        """Whether it has fallen silent: if that is the end, it is better heard now than later."""
        return self.ms - self.last_sound_ms >= SILENT_MS

    def was_heard_to(self, speech_end_ms: float) -> bool:
        """Whether nothing was recorded since it was last heard but the silence after this end of speech."""
        return self.heard_ms >= speech_end_ms + HANGOVER_MS


class Rehearer:
    """One model, in its lane."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._took_s = 0.0
        """How long it took for what it has heard last, without waiting."""

    async def hear(
        self, heard: Utterance, hear: Callable[[], Awaitable[None]]
    ) -> AsyncGenerator[None, None]:
        """Calls `hear` each time that what was recorded until then is to be heard, the last time after its end,
        and yields after each but that. While it is spoken, that is when the model has nothing else to do.

        Nothing is heard of what is no question. Raises what `hear` raises.
        """
        again, seen = Rehearing(), 0
        async for chunk in heard:
            again.feed(chunk)
            seen += chunk.samples
            is_newest = seen == heard.samples and heard.outcome is None
            is_worth_it = again.is_silent or self._took_s <= SLOW_S
            if is_newest and again.is_due and is_worth_it and self._lane.is_free:
                again.heard_ms = again.ms
                await self._timed(hear)
                yield
        ended = await heard.ended()
        if ended.is_question and not again.was_heard_to(ended.speech_end_ms - heard.start_ms):
            await self._timed(hear)

    async def _timed(self, hear: Callable[[], Awaitable[None]]) -> None:
        is_free, begin = self._lane.is_free, monotonic()
        await hear()
        if is_free:
            self._took_s = monotonic() - begin
