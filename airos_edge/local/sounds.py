"""The sounds that the box makes itself: a chime when it has heard its wake word, a bell when a timer rings."""

from functools import cache

import numpy as np

from airos_edge.voice.audio import AudioChunk, samples_of

RATE_HZ = 48_000
LOUDNESS = 0.04
"""Of the chime, 1.0 being full scale. Where a microphone hears it as loud as the loudspeaker plays it, two of
four commands said in one breath with the wake word were lost at 0.1, and one of eight at this."""


@cache
def chime() -> AudioChunk:
    """Two soft notes going up, 110 ms: short enough not to be in the way of who goes on speaking."""
    return _chunk(np.concatenate([_note(880, 45, LOUDNESS), _note(1318.5, 65, LOUDNESS)]))


@cache
def bell() -> AudioChunk:
    """Three strokes, 780 ms."""
    stroke = np.concatenate([_note(1046.5, 160, 0.25), np.zeros(samples_of(60, RATE_HZ))])
    return _chunk(np.concatenate([stroke, stroke, stroke, np.zeros(samples_of(120, RATE_HZ))]))


def _note(frequency_hz: float, ms: int, loudness: float) -> "np.typing.NDArray[np.float64]":
    """A sine that begins and ends softly."""
    seconds = np.arange(samples_of(ms, RATE_HZ)) / RATE_HZ
    edge = np.clip(np.minimum(seconds, seconds[::-1]) / 0.006, 0, 1)
    return (
        loudness
        * np.sin(2 * np.pi * frequency_hz * seconds)
        * edge
        * np.exp(-seconds / (ms / 1000))
    )


def _chunk(samples: "np.typing.NDArray[np.float64]") -> AudioChunk:
    return AudioChunk((samples * 32767).astype("<i2").tobytes(), RATE_HZ)
