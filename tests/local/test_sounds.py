"""The box's own sounds: short, soft at their ends, and no speech to its own ears."""

import numpy as np
import pytest
import soxr

from airos_edge.engines.choosing import Choice
from airos_edge.engines.opening import open_vad
from airos_edge.engines.wanted import WantedVad
from airos_edge.local.sounds import RATE_HZ, bell, chime
from airos_edge.voice.audio import RATE_HZ as HEARD_HZ
from airos_edge.voice.audio import AudioChunk
from tests.speech import noise, pieces


def heard(sound: AudioChunk, gain: float) -> AudioChunk:
    """By a microphone, in a room with a floor of noise."""
    samples = np.frombuffer(sound.pcm, "<i2").astype(np.float32) * gain
    low = soxr.resample(samples, RATE_HZ, HEARD_HZ)
    floor = np.frombuffer(noise(2000 + round(sound.ms)).pcm, "<i2").astype(np.float32)
    floor[HEARD_HZ : HEARD_HZ + len(low)] += low
    return AudioChunk(np.clip(floor, -32768, 32767).astype("<i2").tobytes())


def test_the_chime_is_short() -> None:
    assert 80 <= chime().ms <= 120


@pytest.mark.parametrize("gain", [0.1, 0.3, 1.0, 3.0])
def test_a_chime_is_no_speech(gain: float) -> None:
    vad = open_vad(Choice("vad", "silero_onnx", ""), WantedVad())()
    scores = [score for piece in pieces(heard(chime(), gain)) for score in vad.feed(piece)]
    assert max(scores) < 0.35


@pytest.mark.parametrize("sound", [chime, bell])
def test_they_begin_and_end_softly(sound: "type[AudioChunk]") -> None:
    samples = np.frombuffer(sound().pcm, "<i2")
    assert np.abs(samples[[0, -1]]).max() < 100
    assert 1000 < samples.max() < 16_000
