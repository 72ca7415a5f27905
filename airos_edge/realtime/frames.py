"""What a client's frame holds: JSON that can be read, and written again."""

from collections.abc import Mapping
from typing import Any

import orjson

from airos_edge.errors import ProtocolError

LARGEST_EVENT = 16 * 1024 * 1024
DEEPEST = 40
"""How deep an event may be nested; a tool's schema rarely is ten."""


def decoded(text: str | bytes) -> dict[str, Any]:
    """The event that the text is. Raises ProtocolError.

    orjson keeps to RFC 8259, where Python's own reader takes NaN, infinite numbers and half of a
    surrogate pair, which no text can hold.
    """
    if len(text) > LARGEST_EVENT:
        raise ProtocolError("The event is larger than 16 MiB.", code="invalid_value")
    try:
        event: dict[str, Any] = orjson.loads(text)
        _refuse_deeper_than(DEEPEST, event)
    except ValueError:
        raise ProtocolError("The event is not valid JSON.", code="invalid_json") from None
    if not isinstance(event, dict):
        raise ProtocolError("The event is no JSON object.", code="invalid_json")
    return event


def refuse_untyped(event: Mapping[str, Any]) -> None:
    """Raises ProtocolError for what has no `type`."""
    if not isinstance(event.get("type"), str):
        message = "The event has no 'type'."
        raise ProtocolError(message, code="missing_required_parameter", param="type")


def _refuse_deeper_than(limit: int, event: Any) -> None:
    """What is nested without end cannot be copied or written again. Raises ValueError."""
    level = [event] if isinstance(event, dict | list) else []
    for _ in range(limit):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, dict | list)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")
