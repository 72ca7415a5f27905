"""Where sound begins and ends, to 10 ms, around what a VAD calls speech: it tells late, and for too long.

Of each block two levels are kept: of the sound as it is, in which a voice shows over hiss, and of its
first difference, in which an "s" or a "t" shows over the hum of a fridge.
"""

from collections import deque
from itertools import islice

import numpy as np
import numpy.typing as npt

from airos_edge.voice.audio import BYTES_PER_SAMPLE, QUIETEST_DBFS, RATE_HZ, AudioChunk

BLOCK_MS = 10
BLOCK_BYTES = RATE_HZ * BLOCK_MS // 1000 * BYTES_PER_SAMPLE
KEPT_MS = 400
"""How far back an edge can be looked for."""
KNOWN_BLOCKS, FEWEST_BLOCKS = 100, 10
"""The noise is what was heard without speech: its last second. Nothing is said from less than a tenth."""
UNSURE_MS = 150
"""A VAD may be so late: what was heard that long before or after speech is not taken for noise."""
OVER_NOISE_DB = 3.0
"""Over what 95 of 100 blocks of the noise do not exceed."""
UNDER_SPEECH_DB = 34.0
"""What is so much quieter than the speech is its echo in the room, not its end."""
CLEAR_DB = 23.0
"""Speech that is less than this over the noise hides its quiet ends there: a VAD knows better."""
HANGOVER_MS, TAIL_MS = 130, 90
"""An end is looked for so long before the one a VAD gives and after it, where a last consonant
bursts from its closure."""
LEAD_MS, LEAD_GAP_MS = 120, 30
"""A beginning is looked for so long before a VAD's, as far as the sound has no gap longer than this."""

Levels = npt.NDArray[np.float32]
"""Shape (2,): dBFS of a block, and of its first difference."""


class Loudness:
    """Feed it the stream of audio that the VAD gets, and what the VAD says of its frames, in order.

    Places are milliseconds from the stream's start. While it is not sure, it keeps to the VAD's.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._last_sample = 0.0
        self._blocks: deque[Levels] = deque(maxlen=KEPT_MS // BLOCK_MS)
        self._end = 0
        """How many blocks were ever taken in; the newest is the last of `_blocks`."""
        self._noise: deque[Levels] = deque(maxlen=KNOWN_BLOCKS)
        self._speech: deque[Levels] = deque(maxlen=KNOWN_BLOCKS)
        self._learned = 0
        """The blocks before this one are known as noise, or will not be."""
        self._bar: Levels | None = None
        """What is louder is sound; None: it cannot be told."""

    def feed(self, chunk: AudioChunk) -> None:
        pcm = self._rest + chunk.pcm
        size = len(pcm) // BLOCK_BYTES * BLOCK_BYTES
        self._rest = pcm[size:]
        if not size:
            return
        samples = AudioChunk(pcm[:size]).as_floats()
        changes = np.diff(samples, prepend=np.float32(self._last_sample))
        self._last_sample = float(samples[-1])
        blocks = np.stack([samples, changes]).reshape(2, size // BLOCK_BYTES, -1)
        power = np.square(blocks).mean(axis=2).T
        levels = 10 * np.log10(np.maximum(power, 10 ** (QUIETEST_DBFS / 10)))
        self._blocks.extend(levels)
        self._end += len(levels)

    def judge(self, begin_ms: float, end_ms: float, is_speech: bool, is_onset: bool) -> None:
        """A VAD's word on a frame: from it is learned how loud noise and speech are."""
        if is_speech:
            if is_onset:
                self._speech.clear()
            self._speech.extend(self._between(begin_ms, end_ms))
            self._learned = int(end_ms + UNSURE_MS) // BLOCK_MS
            self._bar = self._sound_bar()
        else:
            known = int(end_ms - UNSURE_MS) // BLOCK_MS
            if known > self._learned:
                self._noise.extend(self._between(self._learned * BLOCK_MS, known * BLOCK_MS))
                self._learned = known

    def begin(self, vad_ms: float) -> float:
        """Where the sound began that a VAD hears from `vad_ms` on."""
        if self._bar is None:
            return vad_ms
        first, gap_ms = vad_ms, 0
        for place in range(int(vad_ms) // BLOCK_MS, int(vad_ms - LEAD_MS) // BLOCK_MS, -1):
            if self._is_loud(place):
                first, gap_ms = min(vad_ms, place * BLOCK_MS), 0
            elif (gap_ms := gap_ms + BLOCK_MS) > LEAD_GAP_MS:
                break
        return first

    def end(self, vad_ms: float) -> float:
        """Where the sound ended that a VAD hears until `vad_ms`."""
        if self._bar is None:
            return vad_ms
        for place in range(
            int(vad_ms + TAIL_MS) // BLOCK_MS, int(vad_ms - HANGOVER_MS) // BLOCK_MS, -1
        ):
            if self._is_loud(place):
                return float((place + 1) * BLOCK_MS)
        return vad_ms

    @property
    def is_known(self) -> bool:
        """Whether sound can be told from noise."""
        return self._bar is not None

    def is_loud(self, ms: int) -> bool:
        """Whether there was a sound within the last milliseconds, as far as that can be told."""
        return any(self._is_loud(self._end - 1 - ago) for ago in range(ms // BLOCK_MS))

    def _is_loud(self, place: int) -> bool:
        oldest = self._end - len(self._blocks)
        if self._bar is None or not oldest <= place < self._end:
            return False
        return bool((self._blocks[place - oldest] > self._bar).any())

    def _between(self, begin_ms: float, end_ms: float) -> list[Levels]:
        oldest = self._end - len(self._blocks)
        first, last = (max(0, int(ms) // BLOCK_MS - oldest) for ms in (begin_ms, end_ms))
        return list(islice(self._blocks, first, last))

    def _sound_bar(self) -> Levels | None:
        if len(self._noise) < FEWEST_BLOCKS or not self._speech:
            return None
        noise, speech = (
            np.sort(np.array(known), axis=0)[int(len(known) * share)]
            for known, share in ((self._noise, 0.95), (self._speech, 0.9))
        )
        bar: Levels = np.maximum(noise + OVER_NOISE_DB, speech - UNDER_SPEECH_DB)
        return bar if (speech - bar >= CLEAR_DB).any() else None
