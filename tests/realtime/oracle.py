"""Whether a frame is what OpenAI's own SDK says it must be."""

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from openai.types.realtime import RealtimeServerEvent


def _members(union: Any) -> Iterator[Any]:
    for part in typing.get_args(union):
        if hasattr(part, "model_fields"):
            yield part
        else:
            yield from _members(part)


def types_of(union: Any) -> dict[str, Any]:
    """The classes of a union of events, by the type that each stands for."""
    return {
        typing.get_args(kind.model_fields["type"].annotation)[0]: kind
        for kind in _members(union)
        if "type" in kind.model_fields
    }


KINDS = types_of(RealtimeServerEvent)


def _in_openais_rate(told: Any) -> Any:
    """16 kHz PCM is an extension of ours; everything else about it is as with 24."""
    if isinstance(told, Mapping):
        if told.get("type") == "audio/pcm" and told.get("rate") == 16000:
            return {**told, "rate": 24000}
        return {key: _in_openais_rate(value) for key, value in told.items()}
    return [_in_openais_rate(value) for value in told] if isinstance(told, list) else told


def check(event: Mapping[str, Any]) -> None:
    """Raises pydantic's ValidationError, or KeyError for an event that OpenAI does not send."""
    KINDS[event["type"]].model_validate(_in_openais_rate(event), strict=False)
    assert event["event_id"]
