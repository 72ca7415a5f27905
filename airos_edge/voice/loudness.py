"""Where sound begins and ends, to 10 ms, around what a VAD calls speech: it tells late, and for too long.

Of each block two powers are kept: of the sound as it is, in which a voice shows over hiss, and of its
first difference, in which an "s" or a "t" shows over the hum of a fridge.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ, AudioChunk

BLOCK_MS = 10
BLOCK_SAMPLES = RATE_HZ * BLOCK_MS // 1000
BLOCK_BYTES = BLOCK_SAMPLES * BYTES_PER_SAMPLE
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
LEAD_MS, LEAD_GAP_MS, INTO_FRAME_MS = 120, 30, 20
"""A beginning is looked for so long before a VAD's, as far as the sound has no gap longer than this;
or a little after it, since a frame in which speech begins is speech as a whole."""

Powers = tuple[float, float]
"""Mean squares of a block's samples, and of their first difference. What is less than one step of a
sample counts as one."""


class Loudness:
    """Feed it the stream of audio that the VAD gets, and what the VAD says of its frames, in order.

    Places are milliseconds from the stream's start. While it is not sure, it keeps to the VAD's.
    """

    def __init__(self) -> None:
        self._rest = bytes(BYTES_PER_SAMPLE)
        """What is no whole block yet, behind the last sample of the newest."""
        self._blocks: deque[Powers] = deque(maxlen=KEPT_MS // BLOCK_MS)
        self._end = 0
        """How many blocks were ever taken in; the newest is the last of `_blocks`."""
        self._noise: deque[Powers] = deque(maxlen=KNOWN_BLOCKS)
        self._noise_power: Powers | None = None
        self._speech: deque[Powers] = deque(maxlen=KNOWN_BLOCKS)
        self._learned = 0
        """The blocks before this one are known as noise, or will not be."""
        self._bar: Powers | None = None
        """What is louder is sound; None: it cannot be told."""

    def feed(self, chunk: AudioChunk) -> None:
        pcm = self._rest + chunk.pcm
        count = (len(pcm) - BYTES_PER_SAMPLE) // BLOCK_BYTES
        self._rest = pcm[count * BLOCK_BYTES :]
        if not count:
            return
        self._blocks.extend(_powers(np.frombuffer(pcm, "<i2", count * BLOCK_SAMPLES + 1)))
        self._end += count

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
                self._learned, self._noise_power = known, None

    def begin(self, vad_ms: float) -> float:
        """Where the sound began that a VAD hears from `vad_ms` on."""
        if self._bar is None:
            return vad_ms
        first, gap_ms = vad_ms, 0
        newest, oldest = (int(vad_ms + ms) // BLOCK_MS for ms in (INTO_FRAME_MS, -LEAD_MS))
        for place in range(newest, oldest, -1):
            if self._is_loud(place):
                first, gap_ms = place * BLOCK_MS, 0
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
        (power, changes), (bar, changes_bar) = self._blocks[place - oldest], self._bar
        return power > bar or changes > changes_bar

    def _between(self, begin_ms: float, end_ms: float) -> list[Powers]:
        oldest = self._end - len(self._blocks)
        first, last = (max(0, int(ms) // BLOCK_MS - oldest) for ms in (begin_ms, end_ms))
        return list(islice(self._blocks, first, last))

    def _sound_bar(self) -> Powers | None:
        if len(self._noise) < FEWEST_BLOCKS or not self._speech:
            return None
        if self._noise_power is None:
            self._noise_power = _exceeded_by(self._noise, 0.05)
        speech, noise = _exceeded_by(self._speech, 0.1), self._noise_power
        bars = [
            max(quiet * _ratio(OVER_NOISE_DB), loud / _ratio(UNDER_SPEECH_DB))
            for quiet, loud in zip(noise, speech, strict=True)
        ]
        clear = (loud >= bar * _ratio(CLEAR_DB) for loud, bar in zip(speech, bars, strict=True))
        return (bars[0], bars[1]) if any(clear) else None


def _powers(samples: npt.NDArray[np.int16]) -> Iterator[Powers]:
    """Of whole blocks behind the sample before them; in few calls, as each costs more than it does."""
    both = np.empty((2, len(samples) - 1), np.float32)
    both[0] = samples[1:]
    np.subtract(samples[1:], samples[:-1], out=both[1], dtype=np.float32)
    blocks = both.reshape(-1, BLOCK_SAMPLES)
    squares = np.einsum("ij,ij->i", blocks, blocks).tolist()
    powers = [max(square / BLOCK_SAMPLES, 1.0) for square in squares]
    count = len(powers) // 2
    return zip(powers[:count], powers[count:], strict=True)


def _exceeded_by(blocks: Sequence[Powers], share: float) -> Powers:
    """The powers that only this share of the blocks exceeds."""
    place = int(len(blocks) * (1 - share))
    power, changes = (sorted(each)[place] for each in zip(*blocks, strict=True))
    return power, changes


def _ratio(db: float) -> float:
    return float(10 ** (db / 10))
