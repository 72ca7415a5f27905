"""Sounds whose words a small model can hear: each of 8 bands of the spectrum is one.

A tone of `hz(3)` is the third token of such a model.
"""

import numpy as np

from airos_edge.voice.audio import RATE_HZ, AudioChunk, samples_of

BINS, BANDS = 80, 8
FIRST_BIN, BINS_OF_BAND = 8, 9
"""The lowest bins are left out: they are narrower than what 25 ms can tell apart."""
BLANK = -6.0
"""A band with a tone has a mean of more than this, of logarithms of power; noise has less."""


def hz(band: int) -> float:
    """The middle of a band (1 to 8) of the mel scale from 20 Hz to 7600 Hz, as kaldi's filters lie."""

    def mel(hertz: float) -> float:
        return 1127 * float(np.log1p(hertz / 700))

    low, high = mel(20), mel(7600)
    middle = low + (high - low) * (FIRST_BIN + (band - 0.5) * BINS_OF_BAND + 0.5) / (BINS + 1)
    return 700 * float(np.expm1(middle / 1127))


def tones(*bands: int, ms: int = 240, quiet_ms: int = 160) -> AudioChunk:
    """Each a tone of its band, with quiet between them; 0 is quiet. Over a floor of noise."""
    made = []
    for band in bands:
        at = np.arange(samples_of(ms)) / RATE_HZ
        made.append(8000 * np.sin(2 * np.pi * hz(band) * at) * (band > 0))
        made.append(np.zeros(samples_of(quiet_ms)))
    samples = np.concatenate(made)
    samples += np.random.default_rng(7).normal(0, 5, len(samples))
    return AudioChunk(samples.astype("<i2").tobytes())


def unclear(first: int, second: int) -> AudioChunk:
    """A sound so short that it is one token, of two bands: the first is a little louder."""
    at = np.arange(samples_of(60)) / RATE_HZ
    sound = np.sin(2 * np.pi * hz(first) * at) + 0.8 * np.sin(2 * np.pi * hz(second) * at)
    samples = np.random.default_rng(7).normal(0, 5, samples_of(600))
    samples[samples_of(100) :][: len(at)] += 4800 * sound * np.hanning(len(at))
    return AudioChunk(samples.astype("<i2").tobytes())


def bands(tokens: int) -> np.ndarray:
    """(80, tokens): the mean of each band is the score of its token."""
    weights = np.zeros((BINS, tokens), np.float32)
    for token in range(1, min(BANDS + 1, tokens)):
        start = FIRST_BIN + (token - 1) * BINS_OF_BAND
        weights[start : start + BINS_OF_BAND, token] = 1 / BINS_OF_BAND
    return weights


def bias(tokens: int, blank: float) -> np.ndarray:
    """What token 0 scores whatever is heard; those that are no band's never win."""
    bias = np.full(tokens, -1000, np.float32)
    bias[: BANDS + 1] = 0
    bias[0] = blank
    return bias
