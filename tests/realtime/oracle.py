"""Whether a frame is what OpenAI's own SDK says it must be."""

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
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
BETA_KINDS = types_of(BetaServerEvent)
CLOUD_ONLY = ("model", "input_audio_transcription", "client_secret")
"""What the SDK's sessions of the beta name OpenAI's own models in, or have by REST alone."""


def _in_openais_rate(told: Any) -> Any:
    """16 kHz PCM is an extension of ours; everything else about it is as with 24."""
    if isinstance(told, Mapping):
        if told.get("type") == "audio/pcm" and told.get("rate") == 16000:
            return {**told, "rate": 24000}
        return {key: _in_openais_rate(value) for key, value in told.items()}
    return [_in_openais_rate(value) for value in told] if isinstance(told, list) else told


def check(event: Mapping[str, Any], beta: bool = False) -> None:
    """Raises pydantic's ValidationError, or KeyError for an event that OpenAI does not send."""
    assert event["event_id"]
    if not beta:
        KINDS[event["type"]].model_validate(_in_openais_rate(event), strict=False)
        return
    if "session" in event:
        session = {key: value for key, value in event["session"].items() if key not in CLOUD_ONLY}
        event = {**event, "session": session}
    if event["type"].startswith("transcription_session."):
        secret = {"value": "ek_1", "expires_at": 1}
        event = {**event, "session": {**event["session"], "client_secret": secret}}
        event["type"] = "transcription_session.updated"  # the SDK has none for `.created`
    BETA_KINDS[event["type"]].model_validate(event, strict=False)
