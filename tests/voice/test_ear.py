"""A session's ear: chunks and commands in, cues out."""

from dataclasses import replace

import numpy as np
import pytest

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ear import PIECE_SAMPLES, WAKE_LOOK_BACK_MS, Closed, Cue, Ear, Opened, Woke
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.utterance import EndReason, Judgement, Utterance
from airos_edge.voice.waking import Waking, WordSettings
from tests.fakes import FakeVad, FakeWake, fake_waking
from tests.room import silence, speech, wake_word

SPEECH = TurnRules()
WAKE = TurnRules(detection="wake")
PUSH = TurnRules(detection="push")


def ear(rules: TurnRules) -> Ear:
    return Ear(rules, FakeVad(), fake_waking())


def hear(listening: Ear, *sounds: list[AudioChunk]) -> list[Cue]:
    return [cue for sound in sounds for chunk in sound for cue in listening.feed(chunk)]


def names(cues: list[Cue]) -> list[str]:
    return [type(cue).__name__ for cue in cues]


def opened(cues: list[Cue]) -> Utterance:
    (utterance,) = [cue.utterance for cue in cues if isinstance(cue, Opened)]
    return utterance


def closed(cues: list[Cue]) -> Closed:
    (cue,) = [cue for cue in cues if isinstance(cue, Closed)]
    return cue


# ---- speech -------------------------------------------------------------------------------------


def test_a_sentence_gives_its_cues_in_order() -> None:
    cues = hear(ear(SPEECH), silence(1000), speech(600), silence(1000))
    assert names(cues) == ["Opened", "Confirmed", "Paused", "Closed"]


def test_a_pause_in_a_sentence() -> None:
    cues = hear(ear(SPEECH), speech(600), silence(500), speech(300), silence(1000))
    assert names(cues) == ["Opened", "Confirmed", "Paused", "Resumed", "Paused", "Closed"]


def test_the_recording_begins_before_the_speech_and_knows_where() -> None:
    cues = hear(ear(SPEECH), silence(2000), speech(600), silence(1000))
    utterance = opened(cues)
    first_loud = np.flatnonzero(np.frombuffer(utterance.pcm, "<i2"))[0] / 16
    assert utterance.start_ms + first_loud == 2000
    assert first_loud == SPEECH.padding_ms
    assert closed(cues).ended.speech_end_ms == pytest.approx(2600, abs=10)


def test_nothing_is_lost_or_repeated_between_two_recordings() -> None:
    rules = replace(SPEECH, padding_ms=5000)
    cues = hear(ear(rules), speech(600), silence(1000), speech(600), silence(1000))
    first, second = [cue.utterance for cue in cues if isinstance(cue, Opened)]
    assert first.start_ms == 0
    assert second.start_ms == first.ms


def test_a_long_chunk_is_as_good_as_short_ones() -> None:
    sound = speech(600) + silence(1000)
    joined = AudioChunk(b"".join(chunk.pcm for chunk in sound))
    cues = ear(SPEECH).feed(joined)
    assert names(cues) == ["Opened", "Confirmed", "Paused", "Closed"]
    assert closed(cues).utterance.samples <= joined.samples
    assert joined.samples > PIECE_SAMPLES


def test_an_empty_chunk_changes_nothing() -> None:
    assert ear(SPEECH).feed(AudioChunk(b"")) == []


def test_a_judgement_of_the_words_ends_it_sooner() -> None:
    listening = ear(SPEECH)
    opened(hear(listening, speech(600))).judge(Judgement.COMPLETE)
    assert closed(hear(listening, silence(120))).ended.reason is EndReason.SILENCE


def test_a_reader_that_has_enough_ends_it() -> None:
    listening = ear(SPEECH)
    opened(hear(listening, speech(600))).enough()
    assert closed(hear(listening, speech(20))).ended.reason is EndReason.ENOUGH


def test_who_never_stops_is_stopped() -> None:
    cues = hear(ear(replace(SPEECH, longest_s=2)), speech(2100))
    assert closed(cues).ended.reason is EndReason.TOO_LONG
    assert 2000 <= closed(cues).utterance.ms <= 2020


# ---- wake ---------------------------------------------------------------------------------------


def test_nobody_is_listened_to_before_the_wake_word() -> None:
    assert hear(ear(WAKE), speech(5000), silence(5000)) == []


def test_the_wake_word_opens_a_recording_that_begins_before_it_is_recognised() -> None:
    cues = hear(ear(WAKE), silence(2000), wake_word(), speech(600), silence(1000))
    assert names(cues) == ["Woke", "Opened", "Confirmed", "Paused", "Closed"]
    woke = cues[0]
    assert isinstance(woke, Woke)
    assert woke.word == "hey_jarvis"
    assert woke.loudness_dbfs == pytest.approx(-12, abs=3)
    assert opened(cues).start_ms == 2420 - WAKE_LOOK_BACK_MS
    assert opened(cues).wake_word == "hey_jarvis"


def test_what_was_in_the_recording_before_is_not_before_a_wake_word() -> None:
    words = {"hey_jarvis": WordSettings(refractory_ms=0)}
    listening = Ear(WAKE, FakeVad(), Waking(FakeWake(), words))
    asked = [wake_word(), speech(600), silence(800)]
    cues = hear(listening, *asked, *asked)
    first, second = [cue.utterance for cue in cues if isinstance(cue, Opened)]
    assert second.start_ms == first.start_ms + first.ms


def test_a_command_that_was_over_when_its_wake_word_was_recognised_is_a_question() -> None:
    listening = ear(WAKE)
    opened(hear(listening, speech(600), wake_word())).judge(Judgement.COMPLETE)
    assert closed(hear(listening, silence(200))).ended.reason is EndReason.SILENCE


def test_a_wake_word_and_then_nothing() -> None:
    cues = hear(ear(WAKE), wake_word(), silence(6000))
    assert closed(cues).ended.reason is EndReason.NO_SPEECH


def test_a_wake_word_within_a_recording_is_a_word() -> None:
    cues = hear(ear(WAKE), wake_word(), speech(300), wake_word(), speech(300), silence(1000))
    assert names(cues).count("Woke") == 1


# ---- commands -----------------------------------------------------------------------------------


def test_a_button_opens_a_recording_from_now_on() -> None:
    listening = ear(WAKE)
    hear(listening, speech(1000))
    assert opened(listening.open("push", 5000)).start_ms == 1000
    assert listening.open("push", 5000) == [], "it is open already"
    assert closed(hear(listening, speech(600), silence(1000))).ended.reason is EndReason.SILENCE


def test_who_presses_the_button_and_says_nothing_is_given_up() -> None:
    listening = ear(WAKE)
    listening.open("push", 2000)
    assert closed(hear(listening, silence(2100))).ended.reason is EndReason.NO_SPEECH


def test_push_to_talk_ends_by_commit_only() -> None:
    listening = ear(PUSH)
    assert names(hear(listening, speech(600), silence(5000), speech(600))) == ["Opened"]
    ended = closed(listening.commit()).ended
    assert (ended.reason, ended.speech_end_ms) == (EndReason.COMMIT, 6200)


def test_commit_and_clear_without_a_recording_do_nothing() -> None:
    listening = ear(SPEECH)
    assert listening.commit() == []
    assert listening.clear() == []


def test_what_is_cleared_is_in_no_later_recording() -> None:
    listening = ear(PUSH)
    hear(listening, speech(600))
    assert closed(listening.clear()).ended.reason is EndReason.DISCARDED
    assert opened(hear(listening, silence(200))).pcm == bytes(6400)


def test_clear_forgets_the_beginning_of_speech_too() -> None:
    listening = ear(SPEECH)
    hear(listening, speech(80))
    listening.clear()
    cues = hear(listening, silence(200), speech(600))
    assert opened(cues).start_ms >= 80


# ---- other rules from now on --------------------------------------------------------------------


def test_new_rules_hold_for_the_recording_that_is_open() -> None:
    listening = ear(SPEECH)
    hear(listening, speech(600))
    listening.obey(replace(SPEECH, user_silence_threshold_ms=100, question_end_silence_ms=0))
    assert closed(hear(listening, silence(140))).ended.reason is EndReason.SILENCE


def test_from_push_to_speech_what_was_not_committed_is_listened_to_again() -> None:
    listening = ear(PUSH)
    pushed = opened(hear(listening, silence(1000), speech(600)))
    dropped, begun, *_ = listening.obey(SPEECH)
    assert isinstance(dropped, Closed)
    assert (dropped.utterance, dropped.ended.reason) == (pushed, EndReason.DISCARDED)
    assert isinstance(begun, Opened)
    cues = hear(listening, speech(600), silence(1000))
    assert closed(cues).utterance is begun.utterance
    assert begun.utterance.start_ms == pytest.approx(1000 - SPEECH.padding_ms, abs=40)
    assert closed(cues).ended.speech_end_ms == pytest.approx(2200, abs=40)


def test_from_speech_to_push_the_open_recording_waits_for_its_commit() -> None:
    listening = ear(SPEECH)
    first = opened(hear(listening, speech(600)))
    listening.obey(PUSH)
    assert hear(listening, silence(2000)) == []
    assert closed(listening.commit()).utterance is first


@pytest.mark.parametrize("began", ["speech", "follow_up"])
def test_a_wake_word_in_what_was_taken_for_speech_begins_a_recording_of_its_own(
    began: str,
) -> None:
    listening = ear(SPEECH)
    cues = listening.open("follow_up") if began == "follow_up" else []
    cues += hear(listening, wake_word(), speech(600), silence(1000))
    first, second = [cue.utterance for cue in cues if isinstance(cue, Opened)]
    assert (first.opened_by, second.opened_by) == (began, "wake")
    assert first.outcome is not None
    assert first.outcome.reason is EndReason.DISCARDED
    assert second.wake_word == "hey_jarvis"
    assert second.start_ms <= 100, "the wake word is in it, too"
    assert second.outcome is not None
    assert second.outcome.reason is EndReason.SILENCE
