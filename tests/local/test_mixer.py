"""What the loudspeaker plays is the sum of its tracks, and nothing in it clicks."""

import numpy as np
import pytest

from airos_edge.local.mixer import FADE_MS, FULL_SCALE, RAMP_MS, Mixer

RATE_HZ = 48_000
MS = RATE_HZ // 1000
BLOCK = 10 * MS


@pytest.fixture
def mixer() -> Mixer:
    return Mixer(RATE_HZ, moved=lambda: None)


def level(value: float, ms: int) -> np.ndarray:
    return np.full(ms * MS, value, np.float32)


def pulled(mixer: Mixer, ms: int) -> np.ndarray:
    """As floats from -1 to 1."""
    blocks = [mixer.pull(BLOCK) for _ in range(ms // 10)]
    return np.frombuffer(b"".join(blocks), "<i2").astype(float) / FULL_SCALE


def biggest_step(sound: np.ndarray) -> float:
    return float(np.abs(np.diff(sound)).max())


def test_silence_where_there_is_nothing_to_play(mixer: Mixer) -> None:
    assert not pulled(mixer, 20).any()
    assert not mixer.is_playing


def test_a_track_is_played_as_it_is_whatever_its_pieces(mixer: Mixer) -> None:
    samples = np.linspace(-1, 1, 30 * MS, dtype=np.float32)
    track = mixer.open()
    for piece in np.array_split(samples, 7):
        track.add(piece)
    assert track.queued == 30 * MS
    assert pulled(mixer, 30) == pytest.approx(samples, abs=2 / FULL_SCALE)
    assert (track.queued, track.played) == (0, 30 * MS)


def test_tracks_are_heard_together_and_never_louder_than_full_scale(mixer: Mixer) -> None:
    for value in (0.3, 0.4, 0.5):
        mixer.open().add(level(value, 10))
    assert pulled(mixer, 10) == pytest.approx(level(1.0, 10), abs=1e-3)
    mixer.open().add(level(0.3, 10))
    mixer.open().add(level(0.4, 10))
    assert pulled(mixer, 10) == pytest.approx(level(0.7, 10), abs=1e-3)


def test_what_is_cut_fades_out_and_the_rest_is_lost(mixer: Mixer) -> None:
    track = mixer.open()
    track.add(level(0.5, 500))
    before = pulled(mixer, 20)
    track.cut()
    after = pulled(mixer, 50)
    assert not after[FADE_MS * MS :].any()
    assert biggest_step(np.concatenate([before, after])) < 0.01
    assert track.played == (20 + FADE_MS) * MS
    assert not mixer.is_playing


def test_who_is_ducked_becomes_quieter_without_a_step(mixer: Mixer) -> None:
    track = mixer.open()
    track.add(level(0.5, 500))
    before = pulled(mixer, 20)
    track.gain.target = 0.1
    after = pulled(mixer, 50)
    assert after[RAMP_MS * MS :] == pytest.approx(0.05, abs=1e-3)
    assert biggest_step(np.concatenate([before, after])) < 0.01
    track.gain.target = 1.0
    assert pulled(mixer, 50)[-1] == pytest.approx(0.5, abs=1e-3)


def test_the_volume_is_that_of_all_tracks(mixer: Mixer) -> None:
    mixer.volume.target = 0.5
    mixer.pull(BLOCK)
    mixer.open().add(level(0.8, 20))
    assert pulled(mixer, 20) == pytest.approx(level(0.4, 20), abs=1e-3)


def test_what_waits_for_a_loudspeaker_that_has_gone_is_not_played_later(mixer: Mixer) -> None:
    track = mixer.open()
    track.add(level(0.5, 100))
    mixer.drop()
    assert not pulled(mixer, 20).any()
    track.add(level(0.3, 10))
    assert pulled(mixer, 10) == pytest.approx(level(0.3, 10), abs=1e-3)


def test_a_track_that_has_ended_is_forgotten_when_it_was_heard(mixer: Mixer) -> None:
    track = mixer.open()
    track.add(level(0.5, 10))
    track.is_ended = True
    pulled(mixer, 20)
    track.add(level(0.5, 10))
    assert not pulled(mixer, 10).any()
