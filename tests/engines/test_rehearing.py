"""When a growing recording is worth hearing again."""

import pytest

from airos_edge.engines.rehearing import EVERY_MS, HANGOVER_MS, SILENT_MS, Rehearing
from airos_edge.voice.audio import AudioChunk
from tests.speech import pieces, spoken
from tests.whisper_model import hum, quiet


def fed(*sounds: AudioChunk) -> Rehearing:
    again = Rehearing()
    for sound in sounds:
        for piece in pieces(sound):
            again.feed(piece)
    return again


def test_a_quiet_room_is_never_worth_it() -> None:
    assert not fed(quiet(5)).is_due
    assert not fed(AudioChunk(bytes(160_000))).is_due


def test_sound_is_worth_it_when_there_is_enough_of_it() -> None:
    assert not fed(quiet(0.3), hum(EVERY_MS / 1000 - 0.4)).is_due
    assert fed(quiet(0.3), hum(EVERY_MS / 1000)).is_due


def test_it_is_worth_it_at_once_when_it_falls_silent() -> None:
    assert not fed(quiet(0.3), hum(0.2), quiet(SILENT_MS / 1000 - 0.05)).is_due
    again = fed(quiet(0.3), hum(0.2), quiet(SILENT_MS / 1000 + 0.02))
    assert again.is_due
    assert again.last_sound_ms == pytest.approx(500, abs=20)


def test_what_was_heard_is_not_worth_it_again_until_there_is_sound_after_it() -> None:
    again = fed(quiet(0.3), hum(0.2), quiet(0.3))
    again.heard_ms = again.ms
    for piece in pieces(quiet(3)):
        again.feed(piece)
    assert not again.is_due
    for piece in pieces(hum(0.1)) + pieces(quiet(0.3)):
        again.feed(piece)
    assert again.is_due


def test_speech_ends_where_it_is_heard_to_end() -> None:
    sound = spoken("turn on the kitchen light", before_ms=300, after_ms=600)
    again = fed(sound)
    assert 0 <= again.ms - again.last_sound_ms - 600 < 250
    assert again.is_silent


def test_pieces_of_any_length_are_the_same() -> None:
    sound = spoken("stop", before_ms=300, after_ms=300)
    odd = Rehearing()
    for piece in sound.pieces(333):
        odd.feed(piece)
    assert (odd.ms, odd.last_sound_ms) == (fed(sound).ms, fed(sound).last_sound_ms)


def test_the_end_was_heard_if_what_was_heard_goes_past_what_a_vad_is_late() -> None:
    again = Rehearing()
    again.heard_ms = 2000
    assert again.was_heard_to(2000 - HANGOVER_MS)
    assert not again.was_heard_to(2000 - HANGOVER_MS + 1)
