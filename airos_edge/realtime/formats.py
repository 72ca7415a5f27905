"""The client's audio to what the ear hears: the format on the wire is one thing, 16 kHz PCM the other."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from airos_edge.realtime.configuration import RATE_HZ
from airos_edge.voice.audio import RATE_HZ as EAR_RATE_HZ
from airos_edge.voice.audio import AudioChunk

AT_ONCE_BYTES = 2 * RATE_HZ
"""A second of audio; to hear it takes some milliseconds, in which nobody else is served."""


class InputAudio:
    """One stream: what is left over at the end of one append is the beginning of the next."""

    def __init__(self) -> None:
        self._resampler = _ear_resampler()
        self._left = b""

    def decoded(self, data: bytes, at_least_bytes: int = 0) -> Iterator[AudioChunk]:
        """What is in it for the ear, a second or less at a time; what is less than `at_least_bytes` is
        left for later, as half a sample is."""
        pcm = self._left + data
        whole = len(pcm) & ~1 if len(pcm) >= at_least_bytes else 0
        self._left = pcm[whole:]
        for start in range(0, whole, AT_ONCE_BYTES):
            piece = np.frombuffer(pcm[start : min(start + AT_ONCE_BYTES, whole)], "<i2")
            # A column: of a row soxr makes one first, and a row of it again, for a fifth of its time.
            samples = self._resampler.resample_chunk(piece.reshape(-1, 1))
            yield AudioChunk(samples.astype("<i2", copy=False).tobytes())

    def clear(self) -> None:
        """What comes next is no continuation."""
        self._left = b""


def _ear_resampler() -> Any:
    """QQ lags by 0.1 ms where the better settings lag by 7 to 31; speech below 8 kHz survives it."""
    import soxr

    return soxr.ResampleStream(RATE_HZ, EAR_RATE_HZ, 1, dtype="int16", quality="QQ")
