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


class MonoSound:
    """One stream. Channels are mixed; each chunk brings its own format. A chunk may end within a sample, and the
    next goes on there: Home Assistant cuts what comes by its /api/stt after every byte that is a line feed."""

    def __init__(self) -> None:
        self._begun = b""
        """The first bytes of a sample whose others have not come yet."""
        self._format = (RATE_HZ, 1)

    def of(self, event: Event) -> AudioChunk:
        """The sound of an `audio-chunk`. Raises ProtocolError for what is no 16-bit PCM."""
        chunk = parsed(event, Chunk.from_event)
        _refuse_odd(chunk)
        if self._format != (chunk.rate, chunk.channels):
            self._format, self._begun = (chunk.rate, chunk.channels), b""
        pcm = self._begun + chunk.audio
        whole = len(pcm) - len(pcm) % (BYTES_PER_SAMPLE * chunk.channels)
        pcm, self._begun = pcm[:whole], pcm[whole:]
        if chunk.channels > 1:
            samples = np.frombuffer(pcm, "<i2").reshape(-1, chunk.channels)
            pcm = samples.mean(axis=1).astype("<i2").tobytes()
        return AudioChunk(pcm, chunk.rate)


class EarSound:
    """One stream, as `MonoSound` is, at 16 kHz."""

    def __init__(self) -> None:
        self._mono = MonoSound()
        self._rate_hz = RATE_HZ
        self._resampler: Any = None

    def of(self, event: Event) -> AudioChunk:
        """Raises ProtocolError for what is no 16-bit PCM."""
        sound = self._mono.of(event)
        if sound.rate_hz != self._rate_hz:
            self._rate_hz, self._resampler = sound.rate_hz, _resampler(sound.rate_hz, RATE_HZ)
        if self._resampler is None:
            return sound
        samples = self._resampler.resample_chunk(np.frombuffer(sound.pcm, "<i2"))
        return AudioChunk(samples.astype("<i2").tobytes())


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


def _resampler(rate_hz: int, to_hz: int) -> Any:
    """QQ lags by 0.1 ms where the better settings lag by 7 to 31; speech below 8 kHz survives it."""
    if rate_hz == to_hz:
        return None
    import soxr

    return soxr.ResampleStream(rate_hz, to_hz, 1, dtype="int16", quality="QQ")
