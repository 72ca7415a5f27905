"""Sound as Wyoming sends it, of any rate and any number of channels, to sound that ears take."""

from typing import Any

import numpy as np
from wyoming.audio import AudioChunk as Chunk
from wyoming.event import Event

from airos_edge.errors import ProtocolError
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ, AudioChunk
from airos_edge.wyoming.frames import parsed

RATES_HZ = range(4_000, 384_001)
MOST_CHANNELS = 16


class EarSound:
    """One stream. Channels are mixed; each chunk brings its own format."""

    def __init__(self) -> None:
        self._rate_hz = RATE_HZ
        self._resampler: Any = None

    def of(self, event: Event) -> AudioChunk:
        """As `sound_of`, at 16 kHz."""
        sound = sound_of(event)
        if sound.rate_hz != self._rate_hz:
            self._rate_hz, self._resampler = sound.rate_hz, _resampler(sound.rate_hz, RATE_HZ)
        if self._resampler is None:
            return sound
        samples = self._resampler.resample_chunk(np.frombuffer(sound.pcm, "<i2"))
        return AudioChunk(samples.astype("<i2").tobytes())


def sound_of(event: Event) -> AudioChunk:
    """The sound of an `audio-chunk`, its channels mixed.

    Raises ProtocolError for what is no 16-bit PCM, or not whole samples of it.
    """
    chunk = parsed(event, Chunk.from_event)
    _refuse_odd(chunk)
    if chunk.channels == 1:
        return AudioChunk(chunk.audio, chunk.rate)
    frames = np.frombuffer(chunk.audio, "<i2").reshape(-1, chunk.channels)
    return AudioChunk(frames.mean(axis=1).astype("<i2").tobytes(), chunk.rate)


class OneRate:
    """Speech in the rate of its first piece, whatever rate the pieces after it have."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz

    def of(self, chunk: AudioChunk) -> AudioChunk:
        if chunk.rate_hz == self.rate_hz:
            return chunk
        import soxr

        samples = np.frombuffer(chunk.pcm, "<i2")
        pcm = soxr.resample(samples, chunk.rate_hz, self.rate_hz).astype("<i2").tobytes()
        return AudioChunk(pcm, self.rate_hz)


def _refuse_odd(chunk: Chunk) -> None:
    if chunk.width != BYTES_PER_SAMPLE:
        raise ProtocolError(f"audio-chunk: width is {chunk.width!r}, wants 2 (16-bit PCM)")
    if type(chunk.rate) is not int or chunk.rate not in RATES_HZ:
        raise ProtocolError(f"audio-chunk: {chunk.rate!r} is no rate")
    if type(chunk.channels) is not int or not 1 <= chunk.channels <= MOST_CHANNELS:
        raise ProtocolError(f"audio-chunk: {chunk.channels!r} is no number of channels")
    if len(chunk.audio) % (BYTES_PER_SAMPLE * chunk.channels):
        raise ProtocolError("audio-chunk: the payload ends within a sample")


def _resampler(rate_hz: int, to_hz: int) -> Any:
    """QQ lags by 0.1 ms where the better settings lag by 7 to 31; speech below 8 kHz survives it."""
    if rate_hz == to_hz:
        return None
    import soxr

    return soxr.ResampleStream(rate_hz, to_hz, 1, dtype="int16", quality="QQ")
