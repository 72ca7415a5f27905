"""A file or upload to the audio that is listened to, and back."""

import io

import numpy as np

from airos_edge.errors import RecordingError
from airos_edge.voice.audio import FULL_SCALE, RATE_HZ

LONGEST_S = 60
SLOWEST_HZ, FASTEST_HZ = 8_000, 48_000


def decode(data: bytes) -> bytes:
    """16 kHz mono 16-bit PCM of a WAV, FLAC or Ogg file of 8–48 kHz, mono or stereo, any width.

    What is no number in a file of floats is silence. Raises RecordingError, which says what the
    file is instead. Blocks, for a fifth of a second at most.
    """
    import soundfile
    import soxr

    if not data:
        raise RecordingError("the file is empty")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate_hz = file.samplerate
            _refuse_unusual(rate_hz, file.channels)
            # Never as many frames as the header claims: that may be more than there is memory.
            samples = file.read(LONGEST_S * rate_hz + 1, dtype="float32", always_2d=True)
    except (RuntimeError, TypeError) as error:  # LibsndfileError is a RuntimeError
        raise RecordingError("this is not audio that can be read; a WAV file is wanted") from error
    if len(samples) > LONGEST_S * rate_hz:
        raise RecordingError(f"the recording is longer than {LONGEST_S} s, the most that is heard")
    mono = np.clip(np.nan_to_num(samples), -1.0, 1.0).mean(axis=1)
    resampled = soxr.resample(mono, rate_hz, RATE_HZ, "HQ") if rate_hz != RATE_HZ else mono
    if not len(resampled):
        raise RecordingError("the file holds no sound")
    return bytes(
        (np.clip(resampled, -1.0, 1 - 1 / FULL_SCALE) * FULL_SCALE).astype("<i2").tobytes()
    )


def _refuse_unusual(rate_hz: int, channels: int) -> None:
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        raise RecordingError(
            f"the rate is {rate_hz} Hz; {SLOWEST_HZ} to {FASTEST_HZ} Hz can be read"
        )
    if channels > 2:
        raise RecordingError(f"it has {channels} channels; mono and stereo can be read")


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
