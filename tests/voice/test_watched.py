"""Engines that are watched: they give what they gave, and it is published while somebody watches."""

from dataclasses import replace

import pytest

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.events import Event, SpeechProbable, WakeScored
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import WakeScore
from airos_edge.voice.waking import WordSettings
from airos_edge.voice.watched import WatchedVad, WatchedWake
from tests.fakes import FakeVad, FakeWake
from tests.room import LOUD, silence, speech, wake_word

WORDS = {"hey_jarvis": WordSettings()}
SCORES = ((160, 0.9), (320, 0.7))


def stamped(event: Event) -> Event:
    return replace(event, session_id="sess_1", at_ms=7)


def unasked(event: Event) -> Event:
    raise AssertionError("nobody watches")


def test_every_probability_is_published_with_the_level_of_its_sound() -> None:
    hub = Hub()
    vad = WatchedVad(FakeVad(), hub, stamped)
    with hub.watch() as watch:
        given = [p for chunk in silence(320) + speech(320) for p in vad.feed(chunk)]
        told = watch.take()
    assert given == [0.0] * 10 + [1.0] * 10
    assert [event.probability for event in told if isinstance(event, SpeechProbable)] == given
    assert {(event.session_id, event.at_ms) for event in told} == {("sess_1", 7)}
    last = told[-1]
    assert isinstance(last, SpeechProbable)
    assert last.level_dbfs == pytest.approx(-12.2, abs=0.1), f"{LOUD} of 32768"


def test_the_best_score_of_a_piece_is_published_with_the_threshold_it_needs() -> None:
    class TwoScores:
        def feed(self, chunk: AudioChunk) -> list[WakeScore]:
            return [WakeScore("hey_jarvis", sample, score) for sample, score in SCORES]

    hub = Hub()
    wake = WatchedWake(TwoScores(), hub, stamped, {"hey_jarvis": WordSettings(threshold=0.6)})
    with hub.watch() as watch:
        given = wake.feed(AudioChunk(bytes(640)))
        told = watch.take()
    assert given == [WakeScore("hey_jarvis", 160, 0.9), WakeScore("hey_jarvis", 320, 0.7)]
    assert told == [
        WakeScored(session_id="sess_1", at_ms=7, word="hey_jarvis", score=0.9, threshold=0.6)
    ]


def test_while_nobody_watches_nothing_is_made() -> None:
    hub = Hub()
    vad, wake = WatchedVad(FakeVad(), hub, unasked), WatchedWake(FakeWake(), hub, unasked, WORDS)
    for chunk in wake_word():
        vad.feed(chunk)
        wake.feed(chunk)


def test_a_frame_is_as_long_as_the_engine_has_it() -> None:
    vad = FakeVad()
    vad.frame_ms = 10
    watched = WatchedVad(vad, Hub(), unasked)
    assert watched.frame_ms == 10
    assert watched.feed(AudioChunk(bytes(2 * 320))) == [0.0, 0.0]
