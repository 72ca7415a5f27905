"""What a client's frame holds: JSON that can be read, and written again."""

import json
import re
from collections.abc import Mapping
from typing import Any

from airos_edge.errors import ProtocolError

LARGEST_EVENT = 16 * 1024 * 1024
DEEPEST = 40
"""How deep an event may be nested; a tool's schema rarely is ten."""
HALF_A_PAIR = re.compile(r"\\u[dD]")
"""Where half of a surrogate pair may be escaped, which JSON allows and no text can hold."""


def _no_constant(name: str) -> None:
    """JSON has no NaN and no Infinity, though Python reads them."""
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=_no_constant)
"""Made once: `json.loads` would make one for every frame."""


def decoded(text: str) -> dict[str, Any]:
    """The event that the text is. Raises ProtocolError."""
    if len(text) > LARGEST_EVENT:
        raise ProtocolError("The event is larger than 16 MiB.", code="invalid_value")
    try:
        event = DECODER.decode(text)
        if "\\u" in text and HALF_A_PAIR.search(text):
            json.dumps(event, ensure_ascii=False).encode()
        if text.count("{") + text.count("[") > DEEPEST:  # sound comes in one pair of brackets
            _refuse_deeper_than(DEEPEST, event)
    except (ValueError, RecursionError):
        raise ProtocolError("The event is not valid JSON.", code="invalid_json") from None
    if not isinstance(event, dict):
        raise _no_type()
    return event


def type_of(event: Mapping[str, Any]) -> str:
    """Raises ProtocolError."""
    kind = event.get("type")
    if not isinstance(kind, str):
        raise _no_type()
    return kind


def _no_type() -> ProtocolError:
    message = "The event has no 'type'."
    return ProtocolError(message, code="missing_required_parameter", param="type")


def _refuse_deeper_than(limit: int, event: Any) -> None:
    """What is nested without end cannot be copied or written again. Raises ValueError."""
    level = [event]
    for _ in range(limit):
        level = [
            part
            for whole in level
            if isinstance(whole, dict | list)
            for part in (whole.values() if isinstance(whole, dict) else whole)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")
