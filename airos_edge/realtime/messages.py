"""Items, responses and errors as the Realtime API writes them, and back."""

from collections.abc import Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.voice.events import Outcome
from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id

TEXT_PARTS = {"input_text", "output_text", "text"}


def error(
    message: str, code: str | None, param: str | None, event_id: str | None
) -> dict[str, Any]:
    return {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "code": code,
            "message": message,
            "param": param,
            "event_id": event_id,
        },
    }


# ---- items --------------------------------------------------------------------------------------


def item_out(item: Item, with_content: bool = True) -> dict[str, Any]:
    """An item; without content, as it is announced when it begins."""
    if item.kind == "function_call":
        return {
            "id": item.id,
            "type": item.kind,
            "status": item.status,
            "name": item.name,
            "call_id": item.call_id,
            "arguments": item.arguments if with_content else "",
        }
    if item.kind == "function_call_output":
        return {
            "id": item.id,
            "type": item.kind,
            "call_id": item.call_id,
            "output": item.text or "",
        }
    return {
        "id": item.id,
        "type": "message",
        "status": item.status,
        "role": item.role,
        "content": [_part_of(item)] if with_content else [],
    }


def _part_of(item: Item) -> dict[str, Any]:
    side = "output" if item.role == "assistant" else "input"
    if item.spoken:
        return {"type": f"{side}_audio", "transcript": item.text}
    return {"type": f"{side}_text", "text": item.text or ""}


def part(item: Item, with_content: bool = True) -> dict[str, Any]:
    """A content part of a response: "audio" and "text" here, "output_audio" and "output_text" in items."""
    text = (item.text or "") if with_content else ""
    if item.spoken:
        return {"type": "audio", "transcript": text}
    return {"type": "text", "text": text}


def item_in(given: Any, path: str = "item") -> Item:
    """Raises ProtocolError."""
    if not isinstance(given, dict):
        raise ProtocolError(f"'{path}' must be an object", code="invalid_value", param=path)
    item_id = str(given.get("id") or new_id("item"))
    kind = given.get("type", "message")
    if kind == "function_call_output":
        return Item(
            item_id,
            kind=kind,
            call_id=_text(given, "call_id", path),
            text=_text(given, "output", path),
        )
    if kind == "function_call":
        return Item(
            item_id,
            kind=kind,
            call_id=str(given.get("call_id") or new_id("call")),
            name=_text(given, "name", path),
            arguments=_text(given, "arguments", path),
        )
    if kind != "message":
        raise ProtocolError(
            f"Items of type '{kind}' are not supported.", code="invalid_value", param=f"{path}.type"
        )
    role = given.get("role")
    if role not in ("user", "assistant", "system"):
        raise ProtocolError(
            "The role must be user, assistant or system.",
            code="invalid_value",
            param=f"{path}.role",
        )
    content = given.get("content")
    if not isinstance(content, list):
        raise ProtocolError(
            "The content must be a list.", code="invalid_value", param=f"{path}.content"
        )
    texts = [
        _text_of_part(piece, f"{path}.content[{place}]") for place, piece in enumerate(content)
    ]
    return Item(item_id, role=role, text="".join(texts))


def _text_of_part(piece: Any, path: str) -> str:
    kind = piece.get("type") if isinstance(piece, dict) else None
    if kind not in TEXT_PARTS:
        message = f"Content of type '{kind}' is not supported here; audio comes by input_audio_buffer.append."
        raise ProtocolError(message, code="unsupported_content_type", param=f"{path}.type")
    return _text(piece, "text", path)


def _text(given: Mapping[str, Any], key: str, path: str) -> str:
    value = given.get(key)
    if not isinstance(value, str):
        code = "missing_required_parameter" if value is None else "invalid_value"
        raise ProtocolError(f"'{path}.{key}' must be text.", code=code, param=f"{path}.{key}")
    return value


# ---- responses ----------------------------------------------------------------------------------


def response(
    response_id: str,
    configuration: Mapping[str, Any],
    spoken: bool,
    outcome: Outcome | None,
    conversation_id: str | None,
    metadata: Mapping[str, str] | None,
) -> dict[str, Any]:
    """A response as it is when it is created (no outcome yet) or done."""
    output = configuration["audio"].get("output")
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": outcome.status if outcome else "in_progress",
        "status_details": _details(outcome) if outcome else None,
        "output": [item_out(item) for item in outcome.items] if outcome else [],
        "conversation_id": conversation_id,
        "output_modalities": ["audio"] if spoken else ["text"],
        "max_output_tokens": configuration.get("max_output_tokens", "inf"),
        "audio": {"output": {"format": output["format"], "voice": output["voice"]}}
        if output
        else None,
        "usage": _usage(outcome) if outcome else None,
        "metadata": dict(metadata) if metadata else None,
    }


def _details(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.status == "completed":
        return None
    details: dict[str, Any] = {"type": outcome.status}
    if outcome.status == "failed":
        details["error"] = {
            "type": "server_error",
            "code": "engine_failed",
            "message": outcome.error,
        }
    else:
        details["reason"] = outcome.reason
    return details


def _usage(outcome: Outcome) -> dict[str, Any]:
    none = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    return {
        "total_tokens": outcome.input_tokens + outcome.output_tokens,
        "input_tokens": outcome.input_tokens,
        "output_tokens": outcome.output_tokens,
        "input_token_details": {
            **none,
            "text_tokens": outcome.input_tokens,
            "cached_tokens": 0,
            "cached_tokens_details": none,
        },
        "output_token_details": {"text_tokens": outcome.output_tokens, "audio_tokens": 0},
    }
