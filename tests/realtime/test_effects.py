"""What a session object means for the ear, the recogniser and the replies."""

from dataclasses import replace
from typing import Any

import pytest

from airos_edge.errors import ProtocolError
from airos_edge.realtime.configuration import new_configuration, updated
from airos_edge.realtime.effects import LONGEST_MS, hints_of, manner_of, rules_of, voice_of
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Hints, Prompt
from airos_edge.voice.utterance import Judgement

BOX = TurnRules()
EAGERNESS = ("low", "auto", "medium", "high")


def session(**update: Any) -> dict[str, Any]:
    return updated(new_configuration("sess_1", "airos", "realtime", 1), update)


def detection(**fields: Any) -> dict[str, Any]:
    return session(audio={"input": {"turn_detection": fields}})


def test_server_vad_obeys_its_own_milliseconds_to_the_letter() -> None:
    rules = rules_of(
        detection(type="server_vad", silence_duration_ms=200, prefix_padding_ms=100, threshold=0.7),
        BOX,
    )
    assert (rules.padding_ms, rules.threshold) == (100, 0.7)
    assert {rules.silence_ms(judgement) for judgement in (None, *Judgement)} == {200}


def test_semantic_vad_waits_by_the_words_and_by_its_eagerness() -> None:
    hold = {
        eagerness: rules_of(detection(type="semantic_vad", eagerness=eagerness), BOX)
        for eagerness in ("low", "auto", "medium", "high")
    }
    waits = [rules.silence_ms(None) for rules in hold.values()]
    assert waits == [1400, 700, 700, 350]
    opens = [rules.silence_ms(Judgement.OPEN) for rules in hold.values()]
    assert opens == [800, 400, 400, 200]
    assert {rules.silence_ms(Judgement.COMPLETE) for rules in hold.values()} == {100}


@pytest.mark.parametrize(
    ("fields", "interrupt", "answer"),
    [
        ({}, "stop", "always"),
        ({"interrupt_response": False}, "never", "always"),
        ({"create_response": False}, "stop", "never"),
        ({"create_response": False, "interrupt_response": False}, "never", "never"),
    ],
)
def test_a_client_says_whether_speech_interrupts_and_is_answered(
    fields: dict[str, Any], interrupt: str, answer: str
) -> None:
    rules = rules_of(detection(type="server_vad", **fields), BOX)
    assert (rules.interrupt, rules.answer) == (interrupt, answer)


def test_without_turn_detection_the_client_says_where_a_question_ends() -> None:
    rules = rules_of(session(audio={"input": {"turn_detection": None}}), BOX)
    assert (rules.detection, rules.answer) == ("push", "never")
    assert rules.longest_s >= 600


def test_a_transcription_session_never_answers() -> None:
    configuration = new_configuration("sess_1", "whisper-1", "transcription", 1)
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    configuration = updated(configuration, {"audio": {"input": {"turn_detection": detection}}})
    rules = rules_of(configuration, BOX)
    assert (rules.answer, rules.idle_timeout_ms) == ("never", None)


def test_text_is_not_spoken_and_speech_comes_back_in_the_boxs_language() -> None:
    before = Prompt()
    written = manner_of(session(output_modalities=["text"]), before, "de")
    assert written.speaking is None
    spoken = manner_of(session(audio={"output": {"speed": 0.5}}), written, "de")
    assert spoken.speaking is not None
    assert (spoken.speaking.language, spoken.speaking.speed) == ("de", 0.5)


def test_the_manner_is_what_the_session_says() -> None:
    tool = {"type": "function", "name": "f"}
    configuration = session(instructions="be brief", tools=[tool], max_output_tokens=9)
    manner = manner_of(configuration, Prompt(), "en")
    assert (manner.instructions, manner.tools, manner.max_tokens) == ("be brief", (tool,), 9)
    assert manner_of(session(max_output_tokens="inf"), manner, "en").max_tokens is None


@pytest.mark.parametrize("eagerness", EAGERNESS)
def test_semantic_vad_never_waits_longer_than_openais(eagerness: str) -> None:
    patient = replace(
        BOX,
        user_silence_threshold_ms=5000,
        question_end_silence_ms=5000,
        open_silence_ms=5000,
        prefix_silence_ms=10_000,
    )
    rules = rules_of(detection(type="semantic_vad", eagerness=eagerness), patient)
    waits = [rules.silence_ms(judgement) for judgement in (None, *Judgement)]
    assert max(waits) == LONGEST_MS[eagerness]


def test_the_idle_timeout_is_server_vads() -> None:
    assert rules_of(detection(type="server_vad", idle_timeout_ms=6000), BOX).idle_timeout_ms == 6000
    assert rules_of(detection(type="semantic_vad"), BOX).idle_timeout_ms is None


@pytest.mark.parametrize(
    ("transcription", "language"),
    [
        (None, "en"),
        ({"model": "whisper-1"}, "en"),
        ({"language": "de"}, "de"),
        ({"languages": ["de", "en"]}, "en"),
        ({"languages": ["de", "fr"]}, "de"),
        ({"languages": []}, "en"),
        ({"language": ""}, "en"),
    ],
)
def test_the_recogniser_is_told_the_language_that_the_client_expects(
    transcription: Any, language: str
) -> None:
    configuration = session(audio={"input": {"transcription": transcription}})
    told = hints_of(configuration, Hints("fr"), Hints("en"))
    assert told.language == language


@pytest.mark.parametrize(
    ("transcription", "languages"),
    [
        ({}, ("en", "zh")),
        ({"language": "de"}, ()),
        ({"languages": ["de", "en"]}, ("en", "de")),
        ({"languages": ["fr", "de"]}, ("fr", "de")),
        ({"languages": ["de"]}, ()),
    ],
)
def test_the_recogniser_is_told_the_languages_to_choose_from(
    transcription: Any, languages: tuple[str, ...]
) -> None:
    configuration = session(audio={"input": {"transcription": transcription}})
    usual = Hints("en", languages=("en", "zh"))
    assert hints_of(configuration, Hints("fr"), usual).languages == languages


VOICES = {"en-us": "en-us", "de": "de"}


@pytest.mark.parametrize(
    ("wanted", "voices", "voice"),
    [
        ("marin", VOICES, None),
        ("marin", None, None),
        ("airos", VOICES, None),
        ("de", VOICES, "de"),
        ("en-us+f3", VOICES, "en-us+f3"),
        ({"id": "de"}, VOICES, "de"),
        ({"id": "voice_1"}, VOICES, None),
        ({"id": "voice_1"}, None, None),
        ("en_GB-alan-low", None, "en_GB-alan-low"),
    ],
)
def test_the_boxs_own_voice_stands_in_for_openais(
    wanted: Any, voices: Any, voice: str | None
) -> None:
    assert voice_of(wanted, voices) == voice


def test_a_voice_that_nobody_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(ProtocolError, match=r"'marin'.*'en-us'") as refused:
        voice_of("mairn", VOICES)
    assert (refused.value.code, refused.value.param) == (
        "invalid_value",
        "session.audio.output.voice",
    )
