"""The session object: what an update changes, and what it must not."""

from typing import Any

import pytest

from airos_edge.errors import ProtocolError
from airos_edge.realtime.configuration import new_configuration, updated


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
        (
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}},
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        ({"type": "translation"}, "invalid_value", "session.type"),
        ({"tracing": "always"}, "invalid_value", "session.tracing"),
        ({"truncation": "never"}, "invalid_value", "session.truncation"),
        (
            {"truncation": {"type": "retention_ratio"}},
            "missing_required_parameter",
            "session.truncation.retention_ratio",
        ),
        ({"reasoning": {"effort": "huge"}}, "invalid_value", "session.reasoning.effort"),
        ({"include": ["everything"]}, "invalid_value", "session.include[0]"),
        (
            {"audio": {"input": {"noise_reduction": {"type": "loud"}}}},
            "invalid_value",
            "session.audio.input.noise_reduction.type",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 1}}}},
            "unknown_parameter",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {"audio": {"output": {"voice": {"name": "x"}}}},
            "missing_required_parameter",
            "session.audio.output.voice.id",
        ),
    ],
)
def test_an_update_that_is_wrong_is_refused_with_its_place(
    update: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(ProtocolError) as refused:
        session(**update)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_semantic_vad_is_echoed_as_it_was_sent() -> None:
    echoed = detection(type="semantic_vad", eagerness="high", interrupt_response=False)
    assert echoed["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "high",
        "create_response": True,
        "interrupt_response": False,
    }


REALTIME = {
    *("type", "object", "id", "model", "output_modalities", "instructions", "tools", "tool_choice"),
    *("max_output_tokens", "tracing", "truncation", "prompt", "expires_at", "audio", "include"),
}
"""The keys of the sessions that OpenAI's own server showed in September 2026."""


def test_a_session_has_the_keys_of_openais() -> None:
    shown = session()
    assert set(shown) == REALTIME
    assert set(shown["audio"]["input"]) == {
        *("format", "transcription", "noise_reduction", "turn_detection"),
    }
    assert set(shown["audio"]["output"]) == {"format", "voice", "speed"}
    assert set(shown["audio"]["input"]["turn_detection"]) == {
        *("type", "threshold", "prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms"),
        *("create_response", "interrupt_response"),
    }
    hears = new_configuration("sess_1", "whisper-1", "transcription", 1)
    assert set(hears) == {"type", "object", "id", "expires_at", "audio", "include"}
    assert hears["object"] == "realtime.transcription_session"
    assert hears["audio"]["input"]["transcription"] == {
        "model": "whisper-1",
        "language": None,
        "prompt": None,
    }


ECHOED = {
    "tracing": {"workflow_name": "w", "group_id": "g", "metadata": {"a": 1}},
    "prompt": {"id": "pmpt_1", "version": "2", "variables": {"city": "Rome"}},
    "reasoning": {"effort": "low"},
    "include": ["item.input_audio_transcription.logprobs"],
    "parallel_tool_calls": False,
    "truncation": {
        "type": "retention_ratio",
        "retention_ratio": 0.8,
        "token_limits": {"post_instructions": 5000},
    },
    "tool_choice": {"type": "function", "name": "f"},
    "max_output_tokens": 100,
    "audio": {
        "input": {
            "noise_reduction": {"type": "far_field", "strength": 0.5},
            "transcription": {
                "model": "gpt-4o-transcribe",
                "language": "en",
                "prompt": "expect lamps",
                "keywords": ["lamp"],
                "languages": ["en", "de"],
                "delay": "low",
            },
            "turn_detection": {
                "type": "semantic_vad",
                "eagerness": "auto",
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"voice": {"id": "voice_1"}},
    },
}


def test_what_a_box_has_no_use_for_is_echoed_as_it_was_sent() -> None:
    shown = session(**ECHOED)
    for key, value in ECHOED.items():
        if key != "audio":
            assert shown[key] == value, key
    for side, values in ECHOED["audio"].items():  # type: ignore[attr-defined]
        for key, value in values.items():
            assert shown["audio"][side][key] == value, key


def test_nothing_clears_a_field() -> None:
    full = session(instructions="x", tools=[{"type": "function", "name": "f"}], **ECHOED)
    full = {**full, "tracing": None}
    nothing = {key: None for key in ECHOED if key != "audio"}
    heard = {"noise_reduction": None, "transcription": None, "turn_detection": None}
    spoken = {"voice": None, "format": None, "speed": None}
    cleared = updated(
        full,
        {**nothing, "instructions": "", "tools": [], "audio": {"input": heard, "output": spoken}},
    )
    usual = session(audio={"input": {"turn_detection": None}})
    assert cleared == usual


def test_a_part_of_an_object_changes_that_part() -> None:
    first = detection(type="server_vad", threshold=0.7, idle_timeout_ms=6000)
    second = updated(first, {"audio": {"input": {"turn_detection": {"create_response": False}}}})
    kept = second["audio"]["input"]["turn_detection"]
    assert (kept["threshold"], kept["idle_timeout_ms"], kept["create_response"]) == (
        0.7,
        6000,
        False,
    )
    other = updated(second, {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}})
    assert other["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }


def test_tracing_is_set_once() -> None:
    traced = session(tracing="auto")
    assert updated(traced, {"tracing": "auto", "instructions": "x"})["tracing"] == "auto"
    with pytest.raises(ProtocolError) as refused:
        updated(traced, {"tracing": None})
    assert refused.value.param == "session.tracing"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"type": "audio/pcm"}, {"type": "audio/pcm", "rate": 24000}),
        ({"type": "audio/pcm", "rate": 16000}, {"type": "audio/pcm", "rate": 16000}),
        ({"type": "audio/pcmu"}, {"type": "audio/pcmu"}),
        ({"type": "audio/pcma"}, {"type": "audio/pcma"}),
    ],
)
def test_each_way_has_its_own_format(given: dict[str, Any], shown: dict[str, Any]) -> None:
    heard = session(audio={"input": {"format": given}})["audio"]
    assert (heard["input"]["format"], heard["output"]["format"]["rate"]) == (shown, 24000)
    spoken = session(audio={"output": {"format": given}})["audio"]
    assert (spoken["output"]["format"], spoken["input"]["format"]["rate"]) == (shown, 24000)


def test_a_realtime_session_becomes_one_that_transcribes_with_what_it_heard_by() -> None:
    before = session(
        audio={"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}},
        include=["item.input_audio_transcription.logprobs"],
    )
    after = updated(before, {"type": "transcription"})
    assert after["object"] == "realtime.transcription_session"
    assert after["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert after["audio"]["input"]["turn_detection"] is None
    assert after["audio"]["input"]["transcription"]["model"] == "airos"
    assert after["include"] == before["include"]
    with pytest.raises(ProtocolError, match="Passing a realtime session update event to a "):
        updated(after, {"type": "realtime"})
    with pytest.raises(ProtocolError) as refused:
        updated(after, {"instructions": "x"})
    assert refused.value.code == "unknown_parameter"


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-mini-transcribe", "gpt-realtime-whisper"])
def test_a_model_that_only_transcribes_answers_nothing_unasked(model: str) -> None:
    opened = new_configuration("sess_1", model, "realtime", 1)
    assert opened["audio"]["input"]["transcription"]["model"] == model
    assert opened["audio"]["input"]["turn_detection"]["create_response"] is False
    told = updated(opened, {"audio": {"input": {"turn_detection": {"create_response": True}}}})
    assert told["audio"]["input"]["turn_detection"]["create_response"] is True
