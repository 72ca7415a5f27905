"""A file or upload to the audio that is listened to, and back."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from airos_edge.errors import RecordingError
from airos_edge.voice.audio import FULL_SCALE, RATE_HZ

LONGEST_S = 60
BLOCK_S = 10
SLOWEST_HZ, FASTEST_HZ = 8_000, 48_000


def decode(data: bytes, longest_s: int = LONGEST_S) -> bytes:
    """16 kHz mono 16-bit PCM of a WAV, FLAC, Ogg or MP3 file of 8–48 kHz, mono or stereo, any width.

    What is no number in a file of floats is silence. Raises RecordingError, which says what the
    file is instead. Blocks, for a fifth of a second for each minute at most.
    """
    import soundfile

    if not data:
        raise RecordingError("the file is empty")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _refuse_unusual(file.samplerate, file.channels)
            heard = b"".join(_blocks(file, longest_s))
    except (RuntimeError, TypeError) as error:  # LibsndfileError is a RuntimeError
        raise RecordingError(f"this is {_kind(data)}; WAV, FLAC, Ogg and MP3 are") from error
    if not heard:
        raise RecordingError("the file holds no sound")
    return heard


def _blocks(file: Any, longest_s: int) -> Iterator[bytes]:
    """Never as many frames as the header claims: that may be more than there is memory."""
    import soxr

    rate_hz, frames, is_over = file.samplerate, 0, False
    resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32", quality="HQ")
    while not is_over:
        samples = file.read(BLOCK_S * rate_hz, dtype="float32", always_2d=True)
        frames, is_over = frames + len(samples), len(samples) < BLOCK_S * rate_hz
        if frames > longest_s * rate_hz:
            raise RecordingError(
                f"the recording is longer than {longest_s} s, the most that is heard"
            )
        mono = np.clip(np.nan_to_num(samples), -1.0, 1.0).mean(axis=1)
        if rate_hz != RATE_HZ:
            mono = resampler.resample_chunk(mono, last=is_over)
        loud = np.clip(mono, -1.0, 1 - 1 / FULL_SCALE) * FULL_SCALE
        yield bytes(loud.astype("<i2").tobytes())


def _kind(data: bytes) -> str:
    if data.startswith(b"\x1a\x45\xdf\xa3"):  # EBML, see RFC 8794
        return "a WebM or Matroska file, which cannot be read here"
    if data[4:8] == b"ftyp":  # ISO/IEC 14496-12
        return "an MP4 or M4A file, which cannot be read here"
    return "not audio that can be read"


def _refuse_unusual(rate_hz: int, channels: int) -> None:
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        raise RecordingError(
            f"the rate is {rate_hz} Hz; {SLOWEST_HZ} to {FASTEST_HZ} Hz can be read"
        )
    if channels > 2:
        raise RecordingError(f"it has {channels} channels; mono and stereo can be read")
