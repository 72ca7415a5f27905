"""`input_audio_buffer.*`: what the client's microphone brings."""

from collections.abc import Iterator, Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks
from airos_edge.realtime.content import decoded
from airos_edge.realtime.conversation import Conversation

LARGEST_APPEND = 15 * 1024 * 1024
"""Of base64, as OpenAI has it."""
SHORTEST_COMMIT_MS = 100


def append(conversation: Conversation, event: Mapping[str, Any]) -> Iterator[None]:
    """Others may work between two seconds of it, not after every frame."""
    conversation.tell_if_deaf()
    for place, chunk in enumerate(conversation.input.decoded(_audio_of(event))):
        if place:
            yield
        if chunk.samples:
            conversation.session.feed(chunk)


def commit(conversation: Conversation, event: Mapping[str, Any]) -> None:
    utterance = conversation.session.ear.utterance
    rest = conversation.input.end()
    if utterance is not None and rest.samples:
        conversation.session.feed(rest)
    recorded_ms = utterance.ms if utterance else 0
    if recorded_ms < SHORTEST_COMMIT_MS:
        message = (
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
            f"but buffer only has {recorded_ms:.2f}ms of audio."
        )
        raise ProtocolError(message, code="input_audio_buffer_commit_empty")
    conversation.session.commit()


def clear(conversation: Conversation, event: Mapping[str, Any]) -> None:
    conversation.input.end()
    conversation.session.clear()
    conversation.send("input_audio_buffer.cleared")


def _audio_of(event: Mapping[str, Any]) -> bytes:
    audio = checks.text("audio", event.get("audio"))
    if len(audio) > LARGEST_APPEND:
        raise ProtocolError("audio is larger than 15 MiB.", code="invalid_value", param="audio")
    return decoded("audio", audio)
