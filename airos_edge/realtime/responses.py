"""`response.*`: answers that the client asks for, or has had enough of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airos_edge.errors import BusyError, ProtocolError
from airos_edge.realtime import checks, messages
from airos_edge.realtime.configuration import updated
from airos_edge.realtime.conversation import Conversation
from airos_edge.realtime.items import item_of
from airos_edge.voice.floor import Floor
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Prompt
from airos_edge.voice.replies import as_it_is

OF_A_RESPONSE = (
    "instructions",
    "tools",
    "tool_choice",
    "output_modalities",
    "max_output_tokens",
)
"""What `response.create` may set for itself and is set for the session elsewhere."""


def create(conversation: Conversation, event: Mapping[str, Any]) -> None:
    if conversation.configuration["type"] != "realtime":
        raise ProtocolError("A transcription session has no responses.", code="invalid_event")
    given = checks.nullable(checks.mapping)("response", event.get("response")) or {}
    metadata = checks.nullable(checks.mapping)("response.metadata", given.get("metadata"))
    apart = Floor(conversation.open_mouth) if given.get("conversation") == "none" else None
    session, servers, tools = conversation.session, conversation.servers, given.get("tools")
    prompt = _prompt(conversation, given)
    servers.refuse("response.tools", tools, session.manner.reach)
    is_busy = apart is None and session.replies.active is not None
    prepare = as_it_is if tools is None or is_busy else servers.of_response(session, tools)
    try:
        session.respond(prompt, metadata, apart, prepare)
    except BusyError:
        message = (
            "Conversation already has an active response in progress. "
            "Wait until the response is finished before creating a new one."
        )
        raise ProtocolError(message, code="conversation_already_has_active_response") from None


def cancel(conversation: Conversation, event: Mapping[str, Any]) -> None:
    reply_id = checks.nullable(checks.text)("response_id", event.get("response_id"))
    if not conversation.session.interrupt("client_cancelled", reply_id):
        message = "Cancellation failed: no active response found"
        raise ProtocolError(message, code="response_cancel_not_active")


def clear_output(conversation: Conversation, event: Mapping[str, Any]) -> None:
    message = "output_audio_buffer.clear is for WebRTC and SIP; a WebSocket client holds its audio itself."
    raise ProtocolError(message, code="invalid_event")


def _prompt(conversation: Conversation, given: Mapping[str, Any]) -> Prompt:
    """The session's own, but for what the response says of itself."""
    changes = {key: given[key] for key in OF_A_RESPONSE if given.get(key) is not None}
    prompt = conversation.manner(updated(conversation.configuration, changes, "response"))
    if given.get("input") is None:
        return replace(prompt, items=conversation.session.prompt().items)
    items = enumerate(checks.sequence("response.input", given["input"]))
    return replace(prompt, items=tuple(_input(conversation, item, place) for place, item in items))


def _input(conversation: Conversation, given: Any, place: int) -> Item:
    if isinstance(given, dict) and given.get("type") == "item_reference":
        return item_of(conversation, given, "item_not_found", key="id")
    return messages.item_in(given, f"response.input[{place}]")
