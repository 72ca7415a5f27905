"""Where someone speaks: how loud, in what noise, in how hard a room. Sounds at 16 kHz, full scale 1.0."""

from collections.abc import Callable, Mapping

import numpy as np
import soxr

from airos_edge.voice.audio import RATE_HZ
from bench.corpus.voices import Samples, speech

FLOOR_LSB = 10.0
"""The noise that every microphone has."""
FRAME = RATE_HZ // 50
REVERB_S = 0.25
"""How long the small room takes to fall by 60 dB."""
DIRECT_TO_REVERB_DB = 6.0
BABBLE = (
    ("we were talking about the weather and about the garden the whole afternoon", "en-us+f1"),
    ("there was nothing in the shops so they went home again before it got dark", "en-gb+m4"),
    ("could somebody tell me where the station is and when the next train leaves", "en-us+m2"),
    ("i have never been there but my sister says that it is very beautiful", "en-gb+f3"),
    ("the second half was better than the first one although nobody scored", "en-us+m6"),
    ("you have to stir it until it is thick and then leave it to cool down", "en-gb-scotland"),
)


def loudness(samples: Samples) -> float:
    """The root mean square of what is spoken: of the 20 ms frames within 30 dB of the loudest."""
    whole = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(whole * whole, axis=1)
    return float(np.sqrt(np.mean(power[power >= power.max() / 1000])))


def at_level(samples: Samples, dbfs: float) -> Samples:
    return samples * np.float32(10 ** (dbfs / 20) / loudness(samples))


def white(length: int, chance: np.random.Generator) -> Samples:
    return chance.normal(0, 1, length).astype(np.float32)


def hum(length: int, chance: np.random.Generator) -> Samples:
    """A machine on the mains: 50 Hz and its harmonics, over some breath."""
    time = np.arange(length) / RATE_HZ
    tones = sum(
        np.sin(2 * np.pi * 50 * k * time + chance.uniform(0, 2 * np.pi)) / k for k in range(1, 13)
    )
    return np.asarray(tones + chance.normal(0, 0.15, length), np.float32)


def babble(length: int, chance: np.random.Generator) -> Samples:
    """Six people at once, each from another place of what they say."""
    together = np.zeros(length, np.float32)
    for text, voice in BABBLE:
        said = at_level(speech(text, voice), -20)
        together += np.take(said, np.arange(length) + chance.integers(len(said)), mode="wrap")
    return together


NOISES: Mapping[str, Callable[[int, np.random.Generator], Samples]] = {
    "white": white,
    "babble": babble,
    "hum": hum,
}


def with_noise(samples: Samples, kind: str, dbfs: float, chance: np.random.Generator) -> Samples:
    noise = NOISES[kind](len(samples), chance)
    return samples + noise * np.float32(10 ** (dbfs / 20) / np.sqrt(np.mean(noise * noise)))


def with_floor(samples: Samples, chance: np.random.Generator) -> Samples:
    return samples + white(len(samples), chance) * np.float32(FLOOR_LSB / 32768)


def in_small_room(samples: Samples, chance: np.random.Generator) -> Samples:
    """Reflections as noise that dies away, behind the direct sound; as long as what came in."""
    length = round(REVERB_S * RATE_HZ)
    tail = white(length, chance) * 10 ** (-3 * np.arange(length) / length)
    tail[: RATE_HZ // 250] = 0  # the first wall is more than a metre away
    tail *= 10 ** (-DIRECT_TO_REVERB_DB / 20) / np.sqrt(np.sum(tail * tail))
    tail[0] = 1
    size = 1 << (len(samples) + length).bit_length()
    heard = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return np.asarray(heard[: len(samples)], np.float32)


# ---- what is no speech --------------------------------------------------------------------------


def knocks(length: int, chance: np.random.Generator) -> Samples:
    sound = np.zeros(length, np.float32)
    for place in chance.integers(0, max(1, length - 3200), size=4):
        decay = np.exp(-np.arange(3200) / 400)
        sound[place : place + 3200] += (white(3200, chance) * decay)[: length - place]
    return sound


def gust(length: int, chance: np.random.Generator) -> Samples:
    """Noise that swells and dies: a tap, a passing car, a cough's breath."""
    swell = np.sin(np.pi * np.arange(length) / length) ** 2
    low = soxr.resample(white(length // 4 + 8, chance), RATE_HZ // 4, RATE_HZ, "QQ")[:length]
    return np.asarray(low * swell, np.float32)


def melody(length: int, chance: np.random.Generator) -> Samples:
    """Notes with harmonics, four a second."""
    time = np.arange(length) / RATE_HZ
    notes = 220 * 2 ** (chance.integers(0, 24, size=length // 4000 + 1) / 12)
    pitch = np.repeat(notes, 4000)[:length]
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    return np.asarray(
        sum(np.sin(k * phase) / k for k in range(1, 6)) * (0.5 + 0.5 * np.cos(8 * np.pi * time)),
        np.float32,
    )


def beeps(length: int, chance: np.random.Generator) -> Samples:
    time = np.arange(length) / RATE_HZ
    on = (time * 2 % 1) < 0.4
    return np.asarray(np.sin(2 * np.pi * chance.uniform(700, 2500) * time) * on, np.float32)


SOUNDS = {"knocks": knocks, "gust": gust, "melody": melody, "beeps": beeps}
