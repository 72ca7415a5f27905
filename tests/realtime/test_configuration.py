"""The session object: what an update changes, and what it means for ear and replies."""

from typing import Any

import pytest

from airos_edge.errors import ProtocolError
from airos_edge.realtime.configuration import new_configuration, updated
from airos_edge.realtime.effects import manner_of, rules_of
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Prompt
from airos_edge.voice.utterance import Judgement

BOX = TurnRules()


def session(**update: Any) -> dict[str, Any]:
    return updated(new_configuration("sess_1", "airos", "realtime", 1), update)


def detection(**fields: Any) -> dict[str, Any]:
    return session(audio={"input": {"turn_detection": fields}})


def test_an_update_changes_what_it_names_and_leaves_the_rest() -> None:
    first = session(instructions="be brief", audio={"output": {"voice": "marin"}})
    second = updated(first, {"audio": {"output": {"speed": 1.2}}})
    assert second["instructions"] == "be brief"
    assert second["audio"]["output"]["voice"] == "marin"
    assert second["audio"]["output"]["speed"] == 1.2
    assert first["audio"]["output"]["speed"] == 1.0


def test_what_a_session_is_cannot_be_changed() -> None:
    changed = session(id="sess_2", model="gpt-realtime", object="x", expires_at=2)
    assert (changed["id"], changed["model"], changed["expires_at"]) == ("sess_1", "airos", 1)


@pytest.mark.parametrize(
    ("update", "code", "param"),
    [
        ({"instruction": "x"}, "unknown_parameter", "session.instruction"),
        ({"audio": {"in": {}}}, "unknown_parameter", "session.audio.in"),
        ({"audio": {"input": {"vad": 1}}}, "unknown_parameter", "session.audio.input.vad"),
        ({"audio": {"output": {"speed": 9}}}, "invalid_value", "session.audio.output.speed"),
        ({"output_modalities": ["video"]}, "invalid_value", "session.output_modalities"),
        ({"max_output_tokens": 0}, "invalid_value", "session.max_output_tokens"),
        ({"tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
        ({"tool_choice": "sometimes"}, "invalid_value", "session.tool_choice"),
        (
            {"audio": {"input": {"format": {"type": "audio/opus"}}}},
            "invalid_value",
            "session.audio.input.format.type",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}},
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
        ),
        ({"type": "translation"}, "invalid_value", "session.type"),
    ],
)
def test_an_update_that_is_wrong_is_refused_with_its_place(
    update: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(ProtocolError) as refused:
        session(**update)
    assert (refused.value.code, refused.value.param) == (code, param)


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


def test_semantic_vad_is_echoed_as_it_was_sent() -> None:
    echoed = detection(type="semantic_vad", eagerness="high", interrupt_response=False)
    assert echoed["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "high",
        "create_response": True,
        "interrupt_response": False,
    }


@pytest.mark.parametrize(
    ("fields", "interrupt", "answer"),
    [
        ({}, "stop", "always"),
        ({"interrupt_response": False}, "never", "always"),
        ({"create_response": False}, "stop", "never"),
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
    assert rules_of(configuration, BOX).answer == "never"


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
