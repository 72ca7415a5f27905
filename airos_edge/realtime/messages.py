"""Items, responses and errors as the Realtime API writes them, and back."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks, mcp_items
from airos_edge.realtime.content import MOST_SHOWN, Given, content_out, message_in
from airos_edge.voice.events import Outcome, ReplyEnded, ReplyStarted
from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id

REASONS = ("turn_detected", "client_cancelled", "max_output_tokens", "content_filter")
"""Why a response was cancelled or is incomplete; what else ends one, the API has no word for."""


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


def item_out(item: Item, with_content: bool = True, audio: str | None = None) -> dict[str, Any]:
    """An item; without content, as it is announced when it begins; with `audio`, as it is retrieved."""
    of_mcp = mcp_items.item_out(item, with_content)
    if of_mcp is not None:
        return of_mcp
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
        "content": content_out(item, audio) if with_content else [],
    }


def part(item: Item, with_content: bool = True) -> dict[str, Any]:
    """A content part of a response: "audio" and "text" here, "output_audio" and "output_text" in items."""
    text = (item.text or "") if with_content else ""
    if item.spoken:
        return {"type": "audio", "transcript": text}
    return {"type": "text", "text": text}


def item_in(given: Any, path: str = "item") -> Given:
    """Raises ProtocolError."""
    given = checks.mapping(path, given)
    own_id = checks.nullable(checks.text)(f"{path}.id", given.get("id")) or new_id("item")
    kind = given.get("type", "message")
    if kind == "message":
        brought = message_in(given, path, own_id)
    else:
        checks.one_of("message", *READ)(f"{path}.type", kind)
        brought = Given(READ[kind](given, path, own_id))
    size = len(json.dumps([brought.item.text, brought.item.arguments]))
    if size > MOST_SHOWN:
        message = (
            f"Invalid '{path}': too long. It takes {size} bytes, and {MOST_SHOWN} are the most."
        )
        raise ProtocolError(message, code="string_above_max_length", param=path)
    return brought


def _call_in(given: Mapping[str, Any], path: str, own_id: str) -> Item:
    call_id = checks.nullable(checks.text)(f"{path}.call_id", given.get("call_id") or None)
    return Item(
        own_id,
        kind="function_call",
        name=checks.text(f"{path}.name", given.get("name")),
        arguments=checks.text(f"{path}.arguments", given.get("arguments")),
        call_id=call_id or new_id("call"),
    )


def _result_in(given: Mapping[str, Any], path: str, own_id: str) -> Item:
    call_id = checks.text(f"{path}.call_id", given.get("call_id"))
    output = checks.text(f"{path}.output", given.get("output"))
    return Item(own_id, kind="function_call_output", call_id=call_id, text=output)


READ: Mapping[str, Callable[[Mapping[str, Any], str, str], Item]] = {
    "function_call": _call_in,
    "function_call_output": _result_in,
    "mcp_approval_response": mcp_items.approval_in,
}
"""What a client may bring besides messages."""


# ---- responses ----------------------------------------------------------------------------------


def response(
    event: ReplyStarted | ReplyEnded, configuration: Mapping[str, Any], conversation_id: str
) -> dict[str, Any]:
    """A response as it is when it is created (no outcome yet) or done."""
    outcome = event.outcome if isinstance(event, ReplyEnded) else None
    output = configuration["audio"].get("output")
    return {
        "object": "realtime.response",
        "id": event.reply_id,
        "status": outcome.status if outcome else "in_progress",
        "status_details": _details(outcome) if outcome else None,
        "output": [item_out(item) for item in outcome.items] if outcome else [],
        "conversation_id": None if event.apart else conversation_id,
        "output_modalities": ["audio"] if event.prompt.speaking else ["text"],
        "max_output_tokens": event.prompt.max_tokens or "inf",
        "audio": {"output": {"format": output["format"], "voice": output["voice"]}}
        if output
        else None,
        "usage": _usage(outcome) if outcome else None,
        "metadata": dict(event.metadata) if event.metadata else None,
    }


def engine_failed(message: str | None, code: str | None = None) -> dict[str, Any]:
    """`code`: it was no engine, but what it was asked."""
    kind = "invalid_request_error" if code else "server_error"
    return {"type": kind, "code": code or "engine_failed", "message": message}


def _details(outcome: Outcome) -> dict[str, Any] | None:
    match outcome.status:
        case "completed":
            return None
        case "failed":
            return {"type": "failed", "error": engine_failed(outcome.error, outcome.error_code)}
    reason = {"reason": outcome.reason} if outcome.reason in REASONS else {}
    return {"type": outcome.status, **reason}


def _usage(outcome: Outcome) -> dict[str, Any]:
    """As the models report it. All are tokens of text: no sound goes to a model, and what a picture takes is
    in their sum."""
    none = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    cached = outcome.cached_tokens
    return {
        "total_tokens": outcome.input_tokens + outcome.output_tokens,
        "input_tokens": outcome.input_tokens,
        "output_tokens": outcome.output_tokens,
        "input_token_details": {
            **none,
            "text_tokens": outcome.input_tokens,
            "cached_tokens": cached,
            "cached_tokens_details": {**none, "text_tokens": cached},
        },
        "output_token_details": {"text_tokens": outcome.output_tokens, "audio_tokens": 0},
    }
