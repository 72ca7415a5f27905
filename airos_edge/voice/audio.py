"""Sound as a value: 16-bit signed little-endian mono PCM, with its rate."""

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
"""The rate of all audio that is listened to."""

BYTES_PER_SAMPLE = 2
FULL_SCALE = 32768.0
QUIETEST_DBFS = -96.0
"""What digital silence is said to have: the least a 16-bit sample can tell."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of sound. `pcm` holds whole samples: 16-bit, mono, little-endian."""

    pcm: bytes
    rate_hz: int = RATE_HZ

    @classmethod
    def silence(cls, ms: float, rate_hz: int = RATE_HZ) -> "AudioChunk":
        return cls(bytes(samples_of(ms, rate_hz) * BYTES_PER_SAMPLE), rate_hz)

    @property
    def samples(self) -> int:
        return len(self.pcm) // BYTES_PER_SAMPLE

    @property
    def ms(self) -> float:
        return self.samples * 1000 / self.rate_hz

    def pieces(self, samples: int) -> Iterator["AudioChunk"]:
        """Itself, or where it is longer than so many samples, in pieces of that length and a rest."""
        step = samples * BYTES_PER_SAMPLE
        if len(self.pcm) <= step:
            yield self
            return
        for start in range(0, len(self.pcm), step):
            yield AudioChunk(self.pcm[start : start + step], self.rate_hz)

    def as_floats(self) -> npt.NDArray[np.float32]:
        """Shape (samples,), from -1.0 to 1.0."""
        return np.frombuffer(self.pcm, "<i2").astype(np.float32) / FULL_SCALE


def level_dbfs(pcm: bytes) -> float:
    """The root mean square in dB under full scale, never below `QUIETEST_DBFS`."""
    if not pcm:
        return QUIETEST_DBFS
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / FULL_SCALE
    power = float(np.mean(samples * samples))
    return max(QUIETEST_DBFS, 10 * float(np.log10(power))) if power > 0 else QUIETEST_DBFS


def encode_wav(pcm: bytes, rate_hz: int) -> bytes:
    """A WAV file of 16-bit mono PCM."""
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(BYTES_PER_SAMPLE)
        out.setframerate(rate_hz)
        out.writeframes(pcm)
    return file.getvalue()


def samples_of(ms: float, rate_hz: int = RATE_HZ) -> int:
    return round(ms * rate_hz / 1000)


def ms_of(samples: int, rate_hz: int = RATE_HZ) -> int:
    return round(samples * 1000 / rate_hz)
