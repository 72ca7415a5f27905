"""The session object as the client wrote it: its defaults, and what an update changes in it.

`fields.py` checks the single fields, `effects.py` says what they mean for the ear and the replies.
"""

import copy
from collections.abc import Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks
from airos_edge.realtime.fields import CHECKS, OWN_VOICE, PCM, SERVER_VAD, TRANSCRIBED

FIXED = {"type", "id", "object", "expires_at", "model"}
"""What an update may repeat and cannot change."""
SHOWN_ONCE_SET = {"parallel_tool_calls", "reasoning"}
"""What OpenAI's sessions do not show while it is as it always was."""
IN_PARTS = {"turn_detection", "transcription", "noise_reduction"}
"""Objects of which an update may name a part, unless it makes them another kind of thing."""
TRANSCRIBERS = ("whisper", "transcribe")
"""In the name of a model: it only writes down what it hears."""


def new_configuration(session_id: str, model: str, kind: str, expires_at: int) -> dict[str, Any]:
    """`kind` is "realtime" or "transcription".

    OpenAI refuses a realtime session with a model that only transcribes. Its clients want transcripts,
    one way or another: here they get these, and no answer that they have not asked for.
    """
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
            "audio": {"input": {**audio_input, "transcription": {**TRANSCRIBED, "model": model}}},
            "include": None,
        }
    if any(word in model for word in TRANSCRIBERS):
        audio_input["transcription"] = {**TRANSCRIBED, "model": model}
        audio_input["turn_detection"] = {**SERVER_VAD, "create_response": False}
    return {
        "type": kind,
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": audio_input,
            "output": {"format": dict(PCM), "voice": OWN_VOICE, "speed": 1.0},
        },
        "include": None,
    }


def updated(configuration: Mapping[str, Any], update: Any, path: str = "session") -> dict[str, Any]:
    """The configuration with what the update names; the whole update is refused if a part of it is wrong.

    null, "" and [] put a field back to what it was at first. Raises ProtocolError, which names the
    parameter, by its path from `path`.
    """
    update = checks.mapping(path, update)
    kind = checks.nullable(checks.text)(f"{path}.type", update.get("type"))
    changed = copy.deepcopy(dict(_of_kind(kind or configuration["type"], configuration)))
    for key, value in update.items():
        if key == "audio":
            _update_audio(changed["audio"], value, f"{path}.audio")
        elif key in SHOWN_ONCE_SET and changed["type"] == "realtime":
            _show(changed, key, CHECKS[key](f"{path}.{key}", value))
        elif key not in FIXED:
            _update(changed, key, value, f"{path}.{key}")
    before = configuration.get("tracing")
    if before is not None and changed.get("tracing", before) != before:
        message = "Tracing cannot be changed once it is set."
        raise ProtocolError(message, code="invalid_value", param=f"{path}.tracing")
    return changed


def _of_kind(kind: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """A realtime session can become one that transcribes, with what it heard by; not the other way round."""
    if kind == configuration["type"]:
        return configuration
    if kind != "transcription":
        checks.one_of("realtime", "transcription")("session.type", kind)
        raise wrong_kind(kind, configuration["type"])
    model = configuration["model"]
    session = new_configuration(configuration["id"], model, kind, configuration["expires_at"])
    heard = configuration["audio"]["input"]
    transcription = heard["transcription"] or session["audio"]["input"]["transcription"]
    session["audio"]["input"] = {**heard, "transcription": transcription}
    return {**session, "include": configuration["include"]}


def wrong_kind(kind: str, session_kind: str) -> ProtocolError:
    """In OpenAI's words."""
    message = f"Passing a {kind} session update event to a {session_kind} session is not allowed."
    return ProtocolError(message, code="invalid_value", param="session.type")


def _update_audio(audio: dict[str, Any], update: Any, path: str) -> None:
    for side, values in checks.mapping(path, update or {}).items():
        if side not in audio:
            raise checks.unknown(f"{path}.{side}")
        for key, value in checks.mapping(f"{path}.{side}", values or {}).items():
            _update(audio[side], key, value, f"{path}.{side}.{key}")


def _update(known: dict[str, Any], key: str, value: Any, path: str) -> None:
    if key not in known:
        raise checks.unknown(path)
    before = known[key]
    if key in IN_PARTS and isinstance(before, dict) and isinstance(value, dict):
        kind = before.get("type")
        if value.get("type", kind) == kind:
            value = {**before, **value}
    known[key] = CHECKS[key](path, value)


def _show(known: dict[str, Any], key: str, value: Any) -> None:
    known.pop(key, None)
    if value is not None:
        known[key] = value
