"""When someone began to speak and when they had finished."""

from dataclasses import replace

import pytest

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.endpoint import Edge, Endpoint, TurnRules
from airos_edge.voice.utterance import Judgement

FRAME_MS = 32
UNHEARD = AudioChunk(bytes(samples_of(FRAME_MS) * BYTES_PER_SAMPLE))
"""A frame in which nothing can be told but by the VAD."""
RULES = TurnRules()


def edges(
    endpoint: Endpoint, ms: int, probability: float, judgement: Judgement | None = None
) -> list[tuple[Edge, int]]:
    """Feeds so many milliseconds; each edge with the milliseconds after which it came."""
    found = []
    for at_ms in range(FRAME_MS, ms + 1, FRAME_MS):
        told = endpoint.feed(UNHEARD, [probability], FRAME_MS, judgement)
        found += [(edge, at_ms) for edge in told]
    return found


def opened(rules: TurnRules = RULES, speech_ms: int = 320) -> Endpoint:
    endpoint = Endpoint(rules)
    edges(endpoint, speech_ms, 1.0)
    return endpoint


def test_speech_opens_once_it_is_long_enough_and_is_confirmed_later() -> None:
    assert edges(Endpoint(RULES), 600, 1.0) == [(Edge.OPENED, 96), (Edge.CONFIRMED, 256)]


def test_a_click_opens_nothing() -> None:
    endpoint = Endpoint(RULES)
    for _ in range(10):
        assert edges(endpoint, 64, 1.0) == []
        assert edges(endpoint, 32, 0.0) == []


def test_silence_pauses_and_then_closes() -> None:
    assert edges(opened(), 704, 0.0) == [(Edge.PAUSED, 416), (Edge.CLOSED, 704)]


def test_speech_after_a_pause_resumes_and_the_silence_counts_anew() -> None:
    endpoint = opened()
    edges(endpoint, 640, 0.0)
    assert edges(endpoint, 32, 1.0) == [(Edge.RESUMED, 32)]
    assert edges(endpoint, 704, 0.0) == [(Edge.PAUSED, 416), (Edge.CLOSED, 704)]


@pytest.mark.parametrize(
    ("judgement", "closes_ms"),
    [
        (Judgement.COMPLETE, 128),
        (Judgement.PREFIX, 1824),
        (Judgement.OPEN, 416),
        (Judgement.REJECT, 704),
        (None, 704),
    ],
)
def test_the_words_say_how_long_to_wait(judgement: Judgement | None, closes_ms: int) -> None:
    found = edges(opened(), 3200, 0.0, judgement)
    assert next(ms for edge, ms in found if edge is Edge.CLOSED) == closes_ms


def test_a_client_that_counts_silence_itself_is_obeyed_to_the_letter() -> None:
    rules = replace(RULES, judged=False, user_silence_threshold_ms=500, question_end_silence_ms=0)
    assert edges(opened(rules), 512, 0.0, Judgement.COMPLETE)[-1] == (Edge.CLOSED, 512)


def test_a_judgement_that_comes_late_ends_the_silence_at_once() -> None:
    endpoint = opened()
    assert edges(endpoint, 320, 0.0) == []
    assert edges(endpoint, 32, 0.0, Judgement.COMPLETE) == [(Edge.CLOSED, 32)]


def test_known_words_confirm_before_the_time_is_up() -> None:
    endpoint = opened(speech_ms=96)
    assert edges(endpoint, 32, 1.0, Judgement.PREFIX) == [(Edge.CONFIRMED, 32)]


def test_words_that_are_not_for_us_do_not_confirm_early() -> None:
    assert edges(opened(speech_ms=96), 32, 1.0, Judgement.REJECT) == []


def test_speech_in_pieces_is_confirmed_by_its_sum() -> None:
    endpoint = opened(speech_ms=160)
    edges(endpoint, 320, 0.0)
    assert (Edge.CONFIRMED, 96) in edges(endpoint, 96, 1.0)


def test_a_voice_that_wavers_within_the_hysteresis_goes_on() -> None:
    endpoint = opened()
    assert edges(endpoint, 1600, RULES.threshold - 0.1) == []
    assert edges(Endpoint(RULES), 1600, RULES.threshold - 0.1) == []


def test_who_was_told_to_speak_and_does_not_is_given_up() -> None:
    endpoint = Endpoint(RULES)
    endpoint.open(patience_ms=2000)
    assert edges(endpoint, 2016, 0.0) == [(Edge.NO_SPEECH, 2016)]


def test_a_cough_does_not_use_up_the_patience() -> None:
    endpoint = Endpoint(RULES)
    endpoint.open(patience_ms=2000)
    assert edges(endpoint, 64, 1.0) == []
    assert edges(endpoint, 1984, 0.0) == []


def test_who_was_told_to_speak_and_does_is_heard_out() -> None:
    endpoint = Endpoint(RULES)
    endpoint.open(patience_ms=2000)
    assert edges(endpoint, 1600, 0.0) == []
    assert edges(endpoint, 320, 1.0) == [(Edge.CONFIRMED, 256)]
    assert edges(endpoint, 704, 0.0)[-1] == (Edge.CLOSED, 704)


def test_closed_it_waits_for_speech_again() -> None:
    endpoint = opened()
    endpoint.close()
    assert edges(endpoint, 3200, 0.0) == []
    assert edges(endpoint, 96, 1.0) == [(Edge.OPENED, 96)]


def test_what_happens_in_one_frame_is_told_in_its_order() -> None:
    at_once = replace(RULES, active_frame_threshold_ms=96, confirm_ms=64)
    assert edges(Endpoint(at_once), 96, 1.0) == [(Edge.OPENED, 96), (Edge.CONFIRMED, 96)]
    endpoint = opened(replace(RULES, confirm_ms=128), speech_ms=96)
    edges(endpoint, 416, 0.0)
    assert edges(endpoint, 32, 1.0) == [(Edge.RESUMED, 32), (Edge.CONFIRMED, 32)]


def test_words_that_become_known_in_the_silence_confirm_it() -> None:
    endpoint = opened(speech_ms=96)
    assert edges(endpoint, 32, 0.0, Judgement.PREFIX) == [(Edge.CONFIRMED, 32)]
