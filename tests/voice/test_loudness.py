"""Where sound begins and ends around what a VAD calls speech."""

import numpy as np
import pytest

from airos_edge.voice.audio import FULL_SCALE, RATE_HZ, AudioChunk, samples_of
from airos_edge.voice.loudness import CLEAR_DB, Loudness

FRAME_MS = 32
Sound = np.ndarray


def hiss(ms: float, dbfs: float, seed: int = 1) -> Sound:
    level = 10 ** (dbfs / 20)
    return np.random.default_rng(seed).normal(0, level, samples_of(ms)).astype(np.float32)


def hum(ms: float, dbfs: float) -> Sound:
    time = np.arange(samples_of(ms)) / RATE_HZ
    return (np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * 50 * time)).astype(np.float32)


def voice(ms: float, dbfs: float = -20) -> Sound:
    time = np.arange(samples_of(ms)) / RATE_HZ
    tones = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
    return (tones / np.sqrt(np.mean(tones**2)) * 10 ** (dbfs / 20)).astype(np.float32)


def heard(
    sound: Sound,
    speech: tuple[float, float],
    chunk_ms: float = 20,
    loudness: Loudness | None = None,
) -> Loudness:
    """After all of the sound, of which a VAD says that it is speech from here to there."""
    loudness = loudness or Loudness()
    pcm = (np.clip(sound, -1, 1) * (FULL_SCALE - 1)).astype("<i2").tobytes()
    step = samples_of(chunk_ms) * 2
    judged, was_speech = 0.0, False
    for place in range(0, len(pcm), step):
        loudness.feed(AudioChunk(pcm[place : place + step]))
        while (place + step) / 32 >= judged + FRAME_MS:
            is_speech = speech[0] <= judged < speech[1]
            is_first = is_speech and not was_speech
            loudness.judge(judged, judged + FRAME_MS, is_speech, is_first)
            judged, was_speech = judged + FRAME_MS, is_speech
    return loudness


def around(said: Sound, noise_dbfs: float = -65) -> Sound:
    """A second of the room before the speech, a fifth after it."""
    before, after = np.zeros(RATE_HZ, np.float32), np.zeros(samples_of(200), np.float32)
    sound = np.concatenate([before, said, after])
    return sound + hiss(len(sound) / 16, noise_dbfs)


@pytest.mark.parametrize("chunk_ms", [5, 16, 20, 64])
def test_speech_is_where_its_sound_is_not_where_the_vad_says(chunk_ms: float) -> None:
    loudness = heard(around(voice(600)), (1056, 1696), chunk_ms)
    assert loudness.end(1696) == pytest.approx(1600, abs=10)


def test_its_beginning_is_placed_too() -> None:
    loudness = heard(around(voice(600))[: samples_of(1150)], (1056, 1696))
    assert loudness.begin(1056) == pytest.approx(1000, abs=10)


@pytest.mark.parametrize("dbfs", [-12, -20, -36])
def test_the_end_does_not_depend_on_how_loud_one_speaks(dbfs: float) -> None:
    assert heard(around(voice(600, dbfs), dbfs - 35), (1056, 1664)).end(1664) == pytest.approx(
        1600, abs=10
    )


def test_a_last_consonant_that_bursts_from_its_closure_is_speech() -> None:
    light = np.concatenate([voice(600), np.zeros(samples_of(60), np.float32), hiss(30, -35)])
    assert heard(around(light), (1056, 1632)).end(1632) == pytest.approx(1690, abs=10)


def test_an_s_is_heard_over_a_hum() -> None:
    lights = np.concatenate([voice(600), hiss(100, -38)])
    sound = around(lights)
    sound += hum(len(sound) / 16, -35)
    assert heard(sound, (1056, 1632)).end(1632) == pytest.approx(1700, abs=10)


def test_an_echo_in_the_room_is_not_speech() -> None:
    said = voice(800)
    echo = said[samples_of(600) :]
    echo *= np.exp(-np.arange(len(echo)) / samples_of(25))
    assert heard(around(said, -90), (1056, 1728)).end(1728) == pytest.approx(1600, abs=100)


@pytest.mark.parametrize("noise_dbfs", [-30, -40])
def test_in_noise_that_hides_quiet_ends_the_vad_is_kept_to(noise_dbfs: float) -> None:
    assert -20 - noise_dbfs < CLEAR_DB
    loudness = heard(around(voice(600), noise_dbfs), (1056, 1696))
    assert not loudness.is_known
    assert (loudness.begin(1056), loudness.end(1696)) == (1056, 1696)


def test_without_knowledge_of_the_noise_the_vad_is_kept_to() -> None:
    sound = around(voice(600))[samples_of(950) :]
    assert heard(sound, (64, 736)).end(736) == 736


def test_an_end_that_lies_too_far_from_the_vads_is_not_believed() -> None:
    assert heard(around(voice(600)), (1056, 1856)).end(1856) == 1856


def test_a_fan_that_is_switched_on_is_noise_within_half_a_second() -> None:
    fan = np.concatenate([hiss(2000, -65), hiss(500, -48), voice(600), hiss(200, -48)])
    fan[samples_of(2500) : samples_of(3100)] += hiss(600, -48, seed=2)
    assert heard(fan, (2560, 3200)).end(3200) == pytest.approx(3100, abs=10)


def test_speech_does_not_become_the_noise() -> None:
    long = heard(around(voice(5000)), (1056, 6080))
    assert long.end(6080) == pytest.approx(6000, abs=10)


def test_a_sound_is_told_while_it_lasts() -> None:
    said = around(
        np.concatenate([voice(600), np.zeros(samples_of(300), np.float32), hiss(50, -40)])
    )
    loudness = heard(said[: samples_of(1950)], (1056, 1632))
    assert loudness.is_loud(40)
    assert not heard(said[: samples_of(1850)], (1056, 1632)).is_loud(40)
