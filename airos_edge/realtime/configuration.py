"""The session object: its defaults, what an update changes, and what that means for ear and replies."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from airos_edge.errors import ProtocolError
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


def updated(configuration: Mapping[str, Any], update: Any) -> dict[str, Any]:
    """The configuration with what the update names; the whole update is refused if a part of it is wrong.

    Raises ProtocolError, which names the parameter.
    """
    if not isinstance(update, dict):
        raise ProtocolError("session must be an object", code="invalid_value", param="session")
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
        if key in ("type", "id", "object", "expires_at", "model"):
            continue
        if key == "audio":
            _update_audio(changed["audio"], value)
        else:
            changed[key] = _checked(f"session.{key}", key, value, changed)
    return changed


def _update_audio(audio: dict[str, Any], update: Any) -> None:
    for side, values in _object("session.audio", update).items():
        if side not in audio:
            raise _unknown(f"session.audio.{side}")
        for key, value in _object(f"session.audio.{side}", values).items():
            path = f"session.audio.{side}.{key}"
            audio[side][key] = _checked(path, key, value, audio[side])


def _checked(path: str, key: str, value: Any, known: Mapping[str, Any]) -> Any:
    if key not in known:
        raise _unknown(path)
    check = CHECKS.get(key)
    return check(path, value) if check else value


def _object(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(path, "an object")
    return value


def _format(path: str, value: Any) -> dict[str, Any]:
    given = _object(path, value)
    if given.get("type") != "audio/pcm" or given.get("rate", RATE_HZ) != RATE_HZ:
        raise _invalid(path, "{'type': 'audio/pcm', 'rate': 24000}")
    return dict(PCM)


def _modalities(path: str, value: Any) -> list[str]:
    if value == ["text"]:
        return ["text"]
    if value in (["audio"], ["text", "audio"], ["audio", "text"]):
        return ["audio"]
    raise _invalid(path, "['audio'] or ['text']")


def _turn_detection(path: str, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    given = _object(path, value)
    kind = given.get("type", "server_vad")
    defaults = {"server_vad": SERVER_VAD, "semantic_vad": SEMANTIC_VAD}.get(kind)
    if defaults is None:
        raise _invalid(f"{path}.type", "'server_vad' or 'semantic_vad'")
    for key, part in given.items():
        if key not in defaults:
            raise _unknown(f"{path}.{key}")
        limits = VAD_LIMITS.get(key)
        if limits is not None and not (part is None and key == "idle_timeout_ms"):
            _number(*limits)(f"{path}.{key}", part)
        if key == "eagerness" and part not in PATIENCE:
            raise _invalid(f"{path}.{key}", "low, medium, high or auto")
        if key.endswith("_response") and not isinstance(part, bool):
            raise _invalid(f"{path}.{key}", "true or false")
    return {**defaults, **given, "type": kind}


def _number(low: float, high: float) -> Callable[[str, Any], Any]:
    def check(path: str, value: Any) -> Any:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise _invalid(path, f"a number from {low:g} to {high:g}")
        return value

    return check


def _text(path: str, value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise _invalid(path, "text")
    return value or ""


def _tools(path: str, value: Any) -> list[dict[str, Any]]:
    tools = value or []
    if not isinstance(tools, list):
        raise _invalid(path, "a list")
    for place, tool in enumerate(tools):
        if not isinstance(tool, dict) or tool.get("type") != "function" or not tool.get("name"):
            raise _invalid(f"{path}[{place}]", "a function tool with a name")
    return tools


def _max_tokens(path: str, value: Any) -> Any:
    return value if value in (None, "inf") else _number(1, 4096)(path, value)


CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "format": _format,
    "output_modalities": _modalities,
    "turn_detection": _turn_detection,
    "instructions": _text,
    "tools": _tools,
    "max_output_tokens": _max_tokens,
    "speed": _number(0.25, 1.5),
}
VAD_LIMITS = {
    "threshold": (0.0, 1.0),
    "prefix_padding_ms": (0, 5000),
    "silence_duration_ms": (0, 10_000),
    "idle_timeout_ms": (1000, 600_000),
}


def _invalid(path: str, wanted: str) -> ProtocolError:
    return ProtocolError(
        f"Invalid value for '{path}': wants {wanted}.", code="invalid_value", param=path
    )


def _unknown(path: str) -> ProtocolError:
    return ProtocolError(f"Unknown parameter: '{path}'.", code="unknown_parameter", param=path)


# ---- what it means ------------------------------------------------------------------------------


def rules_of(configuration: Mapping[str, Any], box: TurnRules) -> TurnRules:
    """`server_vad` obeys its own milliseconds to the letter; `semantic_vad` uses the box's ears."""
    detection = configuration["audio"]["input"]["turn_detection"]
    answers = configuration["type"] == "realtime"
    if detection is None:
        return replace(
            box, detection="push", answer=False, interrupt="never", longest_s=PUSH_LONGEST_S
        )
    common = replace(
        box,
        detection="speech",
        interrupt="stop" if detection["interrupt_response"] else "never",
        answer=answers and detection["create_response"],
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
    )


def manner_of(configuration: Mapping[str, Any], before: Prompt) -> Prompt:
    """How replies are made. OpenAI's voices are accepted; what speaks is the box's own."""
    if configuration["type"] == "transcription":
        return before
    limit = configuration["max_output_tokens"]
    spoken = configuration["output_modalities"] == ["audio"]
    language = before.speaking.language if before.speaking else "en"
    speed = configuration["audio"]["output"]["speed"]
    return replace(
        before,
        instructions=configuration["instructions"] or None,
        tools=tuple(configuration["tools"]),
        tool_choice=configuration["tool_choice"],
        speaking=Speaking(language=language, speed=speed) if spoken else None,
        max_tokens=None if limit in (None, "inf") else limit,
    )
