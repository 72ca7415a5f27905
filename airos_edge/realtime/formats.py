"""Sound as it is on the wire: what a client sends to what the ear hears, and speech to what it plays."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk
from airos_edge.voice.audio import RATE_HZ as EAR_RATE_HZ

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Wire:
    """16-bit little-endian mono PCM; or with a `law`, G.711: a byte for each sample."""

    rate_hz: int = 24_000
    law: Literal["ULAW", "ALAW"] | None = None

    @property
    def sample_bytes(self) -> int:
        return 1 if self.law else BYTES_PER_SAMPLE

    def decode(self, data: bytes) -> Samples:
        """Takes whole samples."""
        if self.law is None:
            return np.frombuffer(data, "<i2")
        return _heard_by(self.law)[np.frombuffer(data, np.uint8)]

    def encode(self, samples: Samples) -> bytes:
        if self.law is None:
            return samples.astype("<i2", copy=False).tobytes()
        return _written_by(self.law)[samples.view(np.uint16)].tobytes()


PCM = Wire()
PCM_RATES_HZ = (24_000, 16_000)
"""OpenAI's, and that of small devices' microphones, which is the ear's own."""
G711 = {"audio/pcmu": Wire(8000, "ULAW"), "audio/pcma": Wire(8000, "ALAW")}


def wire_of(format: Mapping[str, Any]) -> Wire:
    """Of a format as a configuration holds it."""
    return G711.get(format["type"]) or Wire(format["rate"])


# ---- in -----------------------------------------------------------------------------------------


class InputAudio:
    """One stream: half a sample at the end of one append is the beginning of the next."""

    def __init__(self, wire: Wire = PCM) -> None:
        self.wire = wire
        self._resampler = None if wire.rate_hz == EAR_RATE_HZ else _ear_resampler(wire.rate_hz)
        self._odd = b""

    def decoded(self, data: bytes) -> Iterator[AudioChunk]:
        """What is in it for the ear, a second or less at a time: to hear a second takes some
        milliseconds, in which nobody else is served."""
        data = self._odd + data
        whole = len(data) - len(data) % self.wire.sample_bytes
        self._odd = data[whole:]
        at_once = self.wire.rate_hz * self.wire.sample_bytes
        for start in range(0, whole, at_once):
            samples = self.wire.decode(data[start : min(start + at_once, whole)])
            if self._resampler is not None:
                # A column: of a row soxr makes one first, and a row of it again, for a fifth of its time.
                samples = self._resampler.resample_chunk(samples.reshape(-1, 1))
            yield AudioChunk(samples.astype("<i2", copy=False).tobytes())

    def end(self) -> AudioChunk:
        """What the resampler still holds. What comes next is no continuation."""
        self._odd = b""
        if self._resampler is None:
            return AudioChunk(b"")
        samples = self._resampler.resample_chunk(np.zeros(0, np.int16), last=True)
        self._resampler.clear()
        return AudioChunk(samples.astype("<i2", copy=False).tobytes())


def _ear_resampler(rate_hz: int) -> Any:
    """QQ lags by 0.1 ms where the better settings lag by 7 to 31; speech below 8 kHz survives it.

    Of a telephone's it leaves the mirror image above 4 kHz in, and that is well: of 40 commands by
    espeak-ng's voices the recogniser, which knows no sound without that half, understood 22 so and 13
    without the image (33 at 24 kHz).
    """
    import soxr

    return soxr.ResampleStream(rate_hz, EAR_RATE_HZ, 1, dtype="int16", quality="QQ")


# ---- out ----------------------------------------------------------------------------------------


class OutputAudio:
    """One stream of speech, at the rate of its first piece, for the wire."""

    def __init__(self, wire: Wire = PCM) -> None:
        self._wire = wire
        self._resampler: Any = None

    def encoded(self, chunk: AudioChunk) -> bytes:
        """What can be sent by now."""
        import soxr

        if self._resampler is None:
            self._resampler = soxr.ResampleStream(
                chunk.rate_hz, self._wire.rate_hz, 1, dtype="int16", quality="HQ"
            )
        samples = self._resampler.resample_chunk(np.frombuffer(chunk.pcm, "<i2"))
        return self._wire.encode(samples)

    def end(self) -> bytes:
        """The rest."""
        if self._resampler is None:
            return b""
        return self._wire.encode(self._resampler.resample_chunk(np.zeros(0, np.int16), last=True))


# ---- G.711 --------------------------------------------------------------------------------------


@cache
def _heard_by(law: str) -> Samples:
    """The sample of each byte, by libsndfile."""
    import soundfile

    codes = io.BytesIO(bytes(range(256)))
    options = {"format": "RAW", "subtype": law, "samplerate": 8000, "channels": 1}
    samples: Samples = soundfile.read(codes, dtype="int16", **options)[0]
    return samples


@cache
def _written_by(law: str) -> npt.NDArray[np.uint8]:
    """The byte of each sample, which is taken without its sign, by libsndfile."""
    import soundfile

    file = io.BytesIO()
    every = np.arange(1 << 16, dtype=np.uint16).view(np.int16)
    soundfile.write(file, every, 8000, format="RAW", subtype=law)
    return np.frombuffer(file.getvalue(), np.uint8)
