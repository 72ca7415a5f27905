"""A file or upload to the audio that is listened to, and back."""

import io

import numpy as np

from airos_edge.errors import RecordingError
from airos_edge.voice.audio import FULL_SCALE, RATE_HZ

LONGEST_S = 60


def decode(data: bytes) -> bytes:
    """16 kHz mono 16-bit PCM of a WAV, FLAC or Ogg file of 8–48 kHz, mono or stereo, any width.

    Raises RecordingError, which says what the file is instead.
    """
    import soundfile
    import soxr

    if not data:
        raise RecordingError("the file is empty")
    try:
        samples, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        raise RecordingError("this is not audio that can be read; a WAV file is wanted") from error
    if not len(samples):
        raise RecordingError("the file holds no sound")
    if not 8_000 <= rate_hz <= 48_000:
        raise RecordingError(f"the rate is {rate_hz} Hz; 8000 to 48000 Hz can be read")
    if len(samples) > LONGEST_S * rate_hz:
        raise RecordingError(
            f"{len(samples) / rate_hz:.0f} s long; at most {LONGEST_S} s can be asked"
        )
    mono = np.nan_to_num(samples.mean(axis=1), posinf=1.0, neginf=-1.0)
    resampled = soxr.resample(mono, rate_hz, RATE_HZ, "HQ") if rate_hz != RATE_HZ else mono
    return bytes(
        (np.clip(resampled, -1.0, 1 - 1 / FULL_SCALE) * FULL_SCALE).astype("<i2").tobytes()
    )


def encode_wav(pcm: bytes, rate_hz: int) -> bytes:
    """A WAV file of 16-bit mono PCM."""
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm)
    return file.getvalue()
