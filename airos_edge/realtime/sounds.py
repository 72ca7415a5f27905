"""Sound that was kept, as a client that retrieves it gets it."""

import base64
from collections.abc import Iterable

import numpy as np

from airos_edge.realtime.formats import PCM
from airos_edge.voice.audio import AudioChunk


def shown(sound: Iterable[AudioChunk]) -> str:
    """As 24 kHz PCM in base64; "" of nothing. All of it has one rate."""
    import soxr

    chunks = list(sound)
    if not chunks:
        return ""
    samples = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2")
    resampled = soxr.resample(samples, chunks[0].rate_hz, PCM.rate_hz, quality="HQ")
    return base64.b64encode(resampled.astype("<i2").tobytes()).decode()
