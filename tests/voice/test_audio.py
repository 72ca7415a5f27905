"""Sound as a value."""

import numpy as np
import pytest

from airos_edge.voice.audio import QUIETEST_DBFS, AudioChunk, level_dbfs, ms_of, samples_of


def sine(amplitude: float) -> bytes:
    wave = np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000) * amplitude * 32767
    return wave.astype("<i2").tobytes()


def test_a_chunk_knows_its_length() -> None:
    assert AudioChunk(bytes(640)).ms == 20
    assert AudioChunk(bytes(960), 24000).ms == 20
    assert (samples_of(20), samples_of(20, 24000), ms_of(320)) == (320, 480, 20)


def test_samples_as_floats() -> None:
    chunk = AudioChunk(np.array([0, 16384, -32768], "<i2").tobytes())
    assert chunk.as_floats().tolist() == [0.0, 0.5, -1.0]


@pytest.mark.parametrize(("amplitude", "dbfs"), [(1.0, -3.0), (0.1, -23.0), (0.01, -43.0)])
def test_the_level_of_a_tone(amplitude: float, dbfs: float) -> None:
    assert level_dbfs(sine(amplitude)) == pytest.approx(dbfs, abs=0.2)


def test_silence_has_a_level_too() -> None:
    assert level_dbfs(b"") == level_dbfs(bytes(640)) == QUIETEST_DBFS
