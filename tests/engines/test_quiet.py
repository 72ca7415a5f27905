"""A room is quiet when nothing is louder than its own noise."""

import numpy as np
import pytest

from airos_edge.engines.quiet import Quiet
from airos_edge.voice.audio import AudioChunk, samples_of
from tests.speech import noise, spoken

KNOWN_MS = 8080
"""When a steady noise is known for what it is."""
HOLD_MS = 1600


def after(*sounds: AudioChunk) -> Quiet:
    quiet = Quiet()
    for sound in sounds:
        quiet.feed(sound.pcm)
    return quiet


def test_at_first_nothing_is_known_and_it_is_not_quiet() -> None:
    assert not after().is_quiet
    assert not after(noise(KNOWN_MS - 160)).is_quiet


@pytest.mark.parametrize("lsb", [0, 3, 30, 1000])
def test_a_steady_noise_is_quiet_however_loud(lsb: float) -> None:
    quiet = after(noise(KNOWN_MS, lsb=lsb))
    assert quiet.is_quiet
    for _ in range(60):
        quiet.feed(noise(1000, lsb=lsb).pcm)
        assert quiet.is_quiet


def test_a_constant_that_a_microphone_adds_is_no_sound() -> None:
    shifted = np.frombuffer(noise(KNOWN_MS, lsb=3).pcm, "<i2") + 2000
    quiet = after(AudioChunk(shifted.astype("<i2").tobytes()))
    assert quiet.is_quiet
    louder = np.frombuffer(noise(80, lsb=12).pcm, "<i2") + 2000
    quiet.feed(louder.astype("<i2").tobytes())
    assert not quiet.is_quiet


def test_speech_ends_the_quiet_in_its_first_80_ms_and_for_a_while_after_it() -> None:
    quiet = after(noise(KNOWN_MS))
    said = spoken("hello", noise_lsb=30)
    quiet.feed(said.pcm[: 2 * samples_of(160)])
    assert not quiet.is_quiet
    quiet.feed(said.pcm[2 * samples_of(160) :])
    quiet.feed(noise(HOLD_MS - 400).pcm)
    assert not quiet.is_quiet
    quiet.feed(noise(800).pcm)
    assert quiet.is_quiet


def test_it_is_judged_by_blocks_of_80_ms_however_it_comes() -> None:
    whole, pieces = Quiet(), Quiet()
    sound = noise(KNOWN_MS)
    whole.feed(sound.pcm)
    for at in range(0, len(sound.pcm), 322):
        pieces.feed(sound.pcm[at : at + 322])
    assert (whole.is_quiet, whole.samples) == (pieces.is_quiet, pieces.samples)
    assert whole.samples == samples_of(KNOWN_MS)
