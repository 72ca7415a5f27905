"""Recordings of speech, made by espeak-ng with a floor of noise: digital silence is heard nowhere."""

from functools import cache

import numpy as np
import soxr

from airos_edge.engines.espeak import load
from airos_edge.voice.audio import RATE_HZ, AudioChunk, samples_of

SEED = 7


@cache
def spoken(
    text: str,
    voice: str = "en-us",
    rate_wpm: int = 150,
    noise_lsb: float = 30,
    before_ms: int = 0,
    after_ms: int = 0,
    rate_hz: int = RATE_HZ,
) -> AudioChunk:
    """The sentence with quiet around it."""
    speech = _say(text, voice, rate_wpm, rate_hz)
    quiet = [np.zeros(samples_of(ms, rate_hz), np.float32) for ms in (before_ms, after_ms)]
    samples = np.concatenate([quiet[0], speech, quiet[1]])
    samples += np.random.default_rng(SEED).normal(0, noise_lsb, len(samples))
    return _chunk(samples, rate_hz)


def spoken_on(first: str, pause_ms: int, second: str) -> AudioChunk:
    """Two phrases with this much silence from the last sound of one to the first of the other."""
    phrases = []
    for text in (first, second):
        speech = _say(text, "en-us", 150, RATE_HZ)
        audible = np.flatnonzero(np.abs(speech) > np.abs(speech).max() / 100)
        phrases.append(speech[audible[0] : audible[-1] + 1])
    quiet = [np.zeros(samples_of(ms), np.float32) for ms in (500, pause_ms, 1500)]
    samples = np.concatenate([quiet[0], phrases[0], quiet[1], phrases[1], quiet[2]])
    samples += np.random.default_rng(SEED).normal(0, 30, len(samples))
    return _chunk(samples, RATE_HZ)


def _say(text: str, voice: str, rate_wpm: int, rate_hz: int) -> np.ndarray:
    recording = load().say(text, voice, rate_wpm)
    speech = np.frombuffer(bytes(recording.pcm), "<i2").astype(np.float32)
    return np.asarray(soxr.resample(speech, recording.rate_hz, rate_hz, "HQ"))


def noise(ms: int, lsb: float = 30, rate_hz: int = RATE_HZ) -> AudioChunk:
    samples = np.random.default_rng(SEED).normal(0, lsb, samples_of(ms, rate_hz))
    return _chunk(samples, rate_hz)


def pieces(sound: AudioChunk, ms: int = 20) -> list[AudioChunk]:
    return list(sound.pieces(samples_of(ms, sound.rate_hz)))


def _chunk(samples: np.ndarray, rate_hz: int) -> AudioChunk:
    return AudioChunk(np.clip(samples, -32768, 32767).astype("<i2").tobytes(), rate_hz)
