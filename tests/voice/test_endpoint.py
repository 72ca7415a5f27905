"""When someone began to speak and when they had finished."""

from dataclasses import replace

import numpy as np
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


# ---- where sound truly ends ---------------------------------------------------------------------


def chunks(*pieces: tuple[float, int], ms: int = 20) -> list[AudioChunk]:
    """A room in which somebody may speak: each piece so loud (dBFS), so many milliseconds."""
    chance = np.random.default_rng(3)
    sound = np.concatenate(
        [chance.normal(0, 10 ** (dbfs / 20), samples_of(length)) for dbfs, length in pieces]
    )
    pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    step = samples_of(ms) * BYTES_PER_SAMPLE
    return [AudioChunk(pcm[at : at + step]) for at in range(0, len(pcm), step)]


def followed(
    sound: list[AudioChunk],
    speech: list[tuple[int, int]],
    judgement: Judgement | None = None,
    rules: TurnRules = RULES,
    judged_ms: int = 0,
) -> list[tuple[Edge, float]]:
    """The edges until it is closed, with a VAD that hears speech in these milliseconds, and a
    recogniser that thinks so from `judged_ms` on, and that more must come until then."""
    endpoint, at_ms, found = Endpoint(rules), 0.0, []
    for chunk in sound:
        at_ms += chunk.ms
        ends = range(int(at_ms - chunk.ms) // FRAME_MS + 1, int(at_ms) // FRAME_MS + 1)
        frames = [
            float(any(begin < end * FRAME_MS <= until for begin, until in speech)) for end in ends
        ]
        now = judgement if at_ms >= judged_ms else Judgement.PREFIX
        found += [(edge, at_ms) for edge in endpoint.feed(chunk, frames, FRAME_MS, now)]
        if found and found[-1][0] is Edge.CLOSED:
            break
    return found


ROOM_DB, VOICE_DB, QUIET_VOICE_DB = -65, -20, -45


@pytest.mark.parametrize("hangover_ms", [0, 32, 64])
def test_silence_is_counted_from_the_last_sound_not_from_the_vads_end(hangover_ms: int) -> None:
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 640), (ROOM_DB, 1000))
    found = followed(said, [(1024, 1664 + hangover_ms)], Judgement.COMPLETE)
    assert 100 <= found[-1][1] - 1664 <= 120
    assert found[-1][0] is Edge.CLOSED


def test_a_client_that_counts_silence_itself_has_it_counted_from_the_last_sound() -> None:
    rules = replace(RULES, judged=False, user_silence_threshold_ms=200, question_end_silence_ms=0)
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 640), (ROOM_DB, 1000), ms=10)
    found = followed(said, [(1024, 1696)], Judgement.COMPLETE, rules)
    assert 200 <= found[-1][1] - 1664 <= 210


@pytest.mark.parametrize(
    ("judged_ms", "closes_ms"), [(-100, 100), (60, 100), (90, 700), (400, 700), (900, 900)]
)
def test_a_word_that_is_found_in_the_silence_must_outlast_it(
    judged_ms: int, closes_ms: int
) -> None:
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 640), (ROOM_DB, 2000), ms=10)
    found = followed(said, [(1024, 1728)], Judgement.COMPLETE, judged_ms=1664 + judged_ms)
    assert 0 <= found[-1][1] - 1664 - closes_ms <= 20


def test_a_word_that_is_found_in_a_pause_is_not_believed_because_speech_goes_on() -> None:
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 640), (ROOM_DB, 250), (VOICE_DB, 300), (ROOM_DB, 400))
    speech = [(1024, 1664), (1952, 2240)]
    found = followed(said, speech, Judgement.COMPLETE, judged_ms=1664 + 200)
    assert found[-1][0] is Edge.CLOSED
    assert found[-1][1] >= 2214 + 100


def test_a_closure_within_a_word_ends_nothing() -> None:
    """Longer than the silence waited for only by what the VAD has not yet heard of the next sound."""
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 640), (ROOM_DB, 95), (VOICE_DB, 300), (ROOM_DB, 800))
    found = followed(said, [(1024, 1664), (1792, 2080)], Judgement.COMPLETE)
    assert [edge for edge, _ in found] == [Edge.OPENED, Edge.CONFIRMED, Edge.CLOSED]
    assert 100 <= found[-1][1] - 2059 <= 120


def test_a_noise_in_the_silence_holds_its_end_up_for_a_moment_only() -> None:
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 640), (ROOM_DB, 95), (QUIET_VOICE_DB, 2000))
    found = followed(said, [(1024, 1664)], Judgement.COMPLETE)
    assert found[-1][0] is Edge.CLOSED
    assert found[-1][1] - 1664 <= 100 + 90 + 64 + 2 * 20


def test_speech_is_as_long_as_its_sound() -> None:
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 640))
    assert followed(said, [(1024, 1664)])[0] == (Edge.OPENED, 1120)
    assert followed(said, [(1056, 1664)])[0] == (Edge.OPENED, 1120)
    assert followed(said, [(1088, 1664)])[0] == (Edge.OPENED, 1160), "one frame could be a knock"


def test_a_short_sound_is_too_short_however_it_began() -> None:
    said = chunks((ROOM_DB, 1024), (VOICE_DB, 60), (ROOM_DB, 500))
    assert followed(said, [(1024, 1088)]) == []
