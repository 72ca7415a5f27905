"""The session object: its defaults, what an update changes, and what that means for ear and replies."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Prompt, Speaking

RATE_HZ = 24_000
PCM = {"type": "audio/pcm", "rate": RATE_HZ}
SERVER_VAD: Mapping[str, Any] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
SEMANTIC_VAD: Mapping[str, Any] = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
PATIENCE = {"low": 2.0, "medium": 1.0, "auto": 1.0, "high": 0.5}
"""How much longer or shorter than the box's own ears `semantic_vad` waits, by eagerness."""
PUSH_LONGEST_S = 600
"""How much a client may append before it commits."""


def new_configuration(session_id: str, model: str, kind: str, expires_at: int) -> dict[str, Any]:
    """`kind` is "realtime" or "transcription"."""
    audio_input = {
        "format": dict(PCM),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": dict(SERVER_VAD),
    }
    if kind == "transcription":
        return {
            "type": kind,
            "object": "realtime.transcription_session",
            "id": session_id,
            "expires_at": expires_at,
            "audio": {"input": {**audio_input, "transcription": {"model": model}}},
            "include": None,
        }
    return {
        "type": kind,
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "reasoning": None,
        "expires_at": expires_at,
        "audio": {
            "input": audio_input,
            "output": {"format": dict(PCM), "voice": "airos", "speed": 1.0},
        },
        "include": None,
    }


def updated(configuration: Mapping[str, Any], update: Any, path: str = "session") -> dict[str, Any]:
    """The configuration with what the update names; the whole update is refused if a part of it is wrong.

    Raises ProtocolError, which names the parameter, by its path from `path`.
    """
    update = checks.mapping(path, update)
    kind = update.get("type", configuration["type"])
    if kind != configuration["type"]:
        if kind != "transcription":
            message = f"Passing a {kind} session update event to a {configuration['type']} session is not allowed."
            raise ProtocolError(message, code="invalid_value", param="session.type")
        configuration = new_configuration(
            configuration["id"], "airos", kind, configuration["expires_at"]
        )
    changed = copy.deepcopy(dict(configuration))
    for key, value in update.items():
        if key == "audio":
            _update_audio(changed["audio"], value)
        elif key not in FIXED:
            changed[key] = _checked(f"{path}.{key}", key, value, changed)
    return changed


def _update_audio(audio: dict[str, Any], update: Any) -> None:
    for side, values in checks.mapping("session.audio", update).items():
        path = f"session.audio.{side}"
        if side not in audio:
            raise checks.unknown(path)
        for key, value in checks.mapping(path, values).items():
            audio[side][key] = _checked(f"{path}.{key}", key, value, audio[side])


def _checked(path: str, key: str, value: Any, known: Mapping[str, Any]) -> Any:
    if key not in known:
        raise checks.unknown(path)
    return CHECKS[key](path, value)


def _format(path: str, value: Any) -> dict[str, Any]:
    given = checks.mapping(path, value)
    if given.get("type") != "audio/pcm" or given.get("rate", RATE_HZ) != RATE_HZ:
        raise checks.invalid(path, "{'type': 'audio/pcm', 'rate': 24000}")
    return dict(PCM)


def _modalities(path: str, value: Any) -> list[str]:
    if value == ["text"]:
        return ["text"]
    if value in (["audio"], ["text", "audio"], ["audio", "text"]):
        return ["audio"]
    raise checks.invalid(path, "['audio'] or ['text']")


def _turn_detection(path: str, value: Any) -> dict[str, Any]:
    given = checks.mapping(path, value)
    kind = checks.one_of(*DETECTIONS)(f"{path}.type", given.get("type", "server_vad"))
    for key, part in given.items():
        if key not in DETECTIONS[kind]:
            raise checks.unknown(f"{path}.{key}")
        DETECTION_CHECKS[key](f"{path}.{key}", part)
    return {**DETECTIONS[kind], **given, "type": kind}


def _transcription(path: str, value: Any) -> dict[str, Any]:
    given = checks.mapping(path, value)
    for key in ("model", "language", "prompt"):
        checks.nullable(checks.text)(f"{path}.{key}", given.get(key))
    return {"language": None, "prompt": None, **given}


def _tools(path: str, value: Any) -> list[dict[str, Any]]:
    tools = checks.sequence(path, [] if value is None else value)
    for place, tool in enumerate(tools):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise checks.invalid(f"{path}[{place}]", "a function tool")
        checks.text(f"{path}[{place}].name", tool.get("name"))
    return tools


def _tool_choice(path: str, value: Any) -> Any:
    if isinstance(value, str):
        return checks.one_of("auto", "none", "required")(path, value)
    given = checks.mapping(path, value)
    kind = checks.one_of("function", "mcp")(f"{path}.type", given.get("type"))
    key = "name" if kind == "function" else "server_label"
    checks.text(f"{path}.{key}", given.get(key))
    return given


def _max_tokens(path: str, value: Any) -> Any:
    return value if value in (None, "inf") else checks.number(1, 4096)(path, value)


FIXED = {"type", "id", "object", "expires_at", "model"}
"""What an update may repeat and cannot change."""
CHECKS: Mapping[str, checks.Check] = {
    "output_modalities": _modalities,
    "instructions": checks.nullable(checks.text),
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": checks.nullable(checks.boolean),
    "max_output_tokens": _max_tokens,
    "tracing": checks.nullable(checks.text_or_mapping),
    "truncation": checks.text_or_mapping,
    "prompt": checks.nullable(checks.mapping),
    "reasoning": checks.nullable(checks.mapping),
    "include": checks.nullable(checks.sequence),
    # of audio.input
    "format": _format,
    "transcription": checks.nullable(_transcription),
    "noise_reduction": checks.nullable(checks.mapping),
    "turn_detection": checks.nullable(_turn_detection),
    # of audio.output
    "voice": checks.text_or_mapping,
    "speed": checks.number(0.25, 1.5),
}
DETECTIONS = {"server_vad": SERVER_VAD, "semantic_vad": SEMANTIC_VAD}
DETECTION_CHECKS: Mapping[str, checks.Check] = {
    "type": checks.text,
    "threshold": checks.number(0, 1),
    "prefix_padding_ms": checks.number(0, 5000),
    "silence_duration_ms": checks.number(0, 10_000),
    "idle_timeout_ms": checks.nullable(checks.number(1000, 600_000)),
    "eagerness": checks.one_of(*PATIENCE),
    "create_response": checks.boolean,
    "interrupt_response": checks.boolean,
}


# ---- what it means ------------------------------------------------------------------------------


def rules_of(configuration: Mapping[str, Any], box: TurnRules) -> TurnRules:
    """`server_vad` obeys its own milliseconds to the letter; `semantic_vad` uses the box's ears."""
    detection = configuration["audio"]["input"]["turn_detection"]
    answers = configuration["type"] == "realtime"
    if detection is None:
        return replace(
            box, detection="push", answer="never", interrupt="never", longest_s=PUSH_LONGEST_S
        )
    common = replace(
        box,
        detection="speech",
        interrupt="stop" if detection["interrupt_response"] else "never",
        answer="always" if answers and detection["create_response"] else "never",
    )
    if detection["type"] == "server_vad":
        return replace(
            common,
            judged=False,
            threshold=detection["threshold"],
            padding_ms=detection["prefix_padding_ms"],
            user_silence_threshold_ms=detection["silence_duration_ms"],
            question_end_silence_ms=0,
        )
    patience = PATIENCE[detection["eagerness"]]
    return replace(
        common,
        user_silence_threshold_ms=round(box.user_silence_threshold_ms * patience),
        question_end_silence_ms=round(box.question_end_silence_ms * patience),
        open_silence_ms=round(box.open_silence_ms * patience),
    )


def manner_of(configuration: Mapping[str, Any], before: Prompt, language: str) -> Prompt:
    """How replies are made. OpenAI's voices are accepted; what speaks is the box's own."""
    if configuration["type"] == "transcription":
        return before
    limit = configuration["max_output_tokens"]
    spoken = configuration["output_modalities"] == ["audio"]
    speed = configuration["audio"]["output"]["speed"]
    return replace(
        before,
        instructions=configuration["instructions"] or None,
        tools=tuple(configuration["tools"]),
        tool_choice=configuration["tool_choice"],
        speaking=Speaking(language=language, speed=speed) if spoken else None,
        max_tokens=None if limit in (None, "inf") else limit,
        responder=configuration["model"],
    )
