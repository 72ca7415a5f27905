"""`input_audio_buffer.*`: what the client's microphone brings."""

import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks
from airos_edge.realtime.configuration import RATE_HZ
from airos_edge.realtime.conversation import Conversation

LARGEST_APPEND = 15 * 1024 * 1024
"""Of base64, as OpenAI has it."""
SHORTEST_COMMIT_MS = 100
PUSHED_BYTES = 2 * RATE_HZ // 5


def append(conversation: Conversation, event: Mapping[str, Any]) -> Iterator[None]:
    """Others may work between two seconds of it, not after every frame.

    What only a commit ends is nobody's before it: it is taken in by the fifth of a second, which costs less.
    """
    is_pushed = conversation.session.ear.rules.detection == "push"
    at_least_bytes = PUSHED_BYTES if is_pushed else 0
    audio = conversation.input.decoded(_audio_of(event), at_least_bytes)
    for place, chunk in enumerate(audio):
        if place:
            yield
        if chunk.samples:
            conversation.session.feed(chunk)


def commit(conversation: Conversation, event: Mapping[str, Any]) -> None:
    for chunk in conversation.input.decoded(b""):
        conversation.session.feed(chunk)
    utterance = conversation.session.ear.utterance
    recorded_ms = utterance.ms if utterance else 0
    if recorded_ms < SHORTEST_COMMIT_MS:
        message = (
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
            f"but buffer only has {recorded_ms:.2f}ms of audio."
        )
        raise ProtocolError(message, code="input_audio_buffer_commit_empty")
    conversation.input.clear()
    conversation.session.commit()


def clear(conversation: Conversation, event: Mapping[str, Any]) -> None:
    conversation.input.clear()
    conversation.session.clear()
    conversation.send("input_audio_buffer.cleared")


def _audio_of(event: Mapping[str, Any]) -> bytes:
    audio = checks.text("audio", event.get("audio"))
    if len(audio) > LARGEST_APPEND:
        raise ProtocolError("audio is larger than 15 MiB.", code="invalid_value", param="audio")
    try:
        return binascii.a2b_base64(audio, strict_mode=True)
    except ValueError:
        message = "Invalid 'audio'. Expected base64-encoded audio bytes."
        raise ProtocolError(message, code="invalid_value", param="audio") from None
