"""Speech to a file that is sent while it is made."""

import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk

RATE_HZ = 24_000
"""That of OpenAI's speech, which its clients take `pcm` to have."""
UNKNOWN = 0xFFFFFFFF
"""The length of a WAV file that is not over yet."""


@dataclass(frozen=True, slots=True)
class Format:
    content_type: str
    container: str | None = None
    """libsndfile's name; None: we write it ourselves."""
    subtype: str | None = None
    is_sent_whole: bool = False
    """Readers believe the length in its head, which is known at the end only."""


FORMATS = {
    "mp3": Format("audio/mpeg", "MP3", "MPEG_LAYER_III"),
    "wav": Format("audio/wav"),
    "pcm": Format("audio/pcm"),
    "flac": Format("audio/flac", "FLAC", "PCM_16", is_sent_whole=True),
    "opus": Format("audio/ogg", "OGG", "OPUS"),
}
"""What speech can be had as: 24 kHz, mono. libsndfile writes no AAC."""


class Encoder:
    """`feed` and `end` give what the file goes on with; "" where the codec keeps it for the next."""

    def __init__(self, name: str) -> None:
        self._head = _wav_header() if name == "wav" else b""
        self._resampler: Any = None
        self._rate_hz = 0
        self._file: Any = None
        self._tail = Tail()
        self._format = FORMATS[name]
        if self._format.container is not None:
            self._file = _open(self._tail, self._format)

    def feed(self, chunk: AudioChunk) -> bytes:
        """Takes speech of any rate."""
        pcm = b""
        if chunk.rate_hz != self._rate_hz:
            pcm, self._rate_hz = self._flush(), chunk.rate_hz
            self._resampler = _resampler(chunk.rate_hz)
        if self._resampler is None:
            return self._encoded(pcm + chunk.pcm)
        samples = self._resampler.resample_chunk(np.frombuffer(chunk.pcm, "<i2"))
        return self._encoded(pcm + samples.astype("<i2").tobytes())

    def end(self) -> bytes:
        made = self._encoded(self._flush())
        if self._file is not None:
            self._file.close()
        return made + self._tail.take()

    def _flush(self) -> bytes:
        if self._resampler is None:
            return b""
        rest = self._resampler.resample_chunk(np.zeros(0, np.int16), last=True)
        return bytes(rest.astype("<i2").tobytes())

    def _encoded(self, pcm: bytes) -> bytes:
        if self._file is None:
            head, self._head = self._head, b""
            return head + pcm
        self._file.write(np.frombuffer(pcm, "<i2"))
        return b"" if self._format.is_sent_whole else self._tail.take()


class Tail(io.BytesIO):
    """A file of which what has been taken cannot be changed any more."""

    _taken = 0

    def take(self) -> bytes:
        """What has come since the last time."""
        new = self.getbuffer()[self._taken :].tobytes()
        self._taken += len(new)
        return new


def _resampler(rate_hz: int) -> Any:
    if rate_hz == RATE_HZ:
        return None
    import soxr

    return soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="int16", quality="HQ")


def _open(file: io.BytesIO, format: Format) -> Any:
    import soundfile

    # Of an MP3 file whose head came too early to know its length, readers take the size by the rate.
    even = (
        {"bitrate_mode": "CONSTANT", "compression_level": 0.7} if format.container == "MP3" else {}
    )
    return soundfile.SoundFile(
        file, "w", RATE_HZ, 1, format.subtype, format=format.container, **even
    )


def _wav_header() -> bytes:
    size = BYTES_PER_SAMPLE
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * size, size, 8 * size)
    unknown = struct.pack("<I", UNKNOWN)
    return b"RIFF" + unknown + b"WAVEfmt " + form + b"data" + unknown
