"""`session.update`: what the client wants otherwise from now on."""

from collections.abc import Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime.configuration import updated, wrong_kind
from airos_edge.realtime.conversation import Conversation

KEPT = object()
"""Instead of tools: those of before."""


def update(conversation: Conversation, event: Mapping[str, Any]) -> None:
    """All of it, or nothing if a part of it cannot be."""
    before = conversation.configuration
    configuration = updated(before, event.get("session"))
    if configuration["type"] != before["type"] and conversation.session.replies.latest is not None:
        raise wrong_kind(configuration["type"], before["type"])
    _refuse_another_voice(conversation, configuration)
    session, tools = conversation.session, event["session"].get("tools", KEPT)
    if tools is not KEPT:
        conversation.servers.refuse("session.tools", tools, session.manner.reach)
    conversation.obey(configuration)
    conversation.send("session.updated", session=configuration)
    if tools is not KEPT:
        conversation.servers.use(session, tools)


def _refuse_another_voice(conversation: Conversation, configuration: Mapping[str, Any]) -> None:
    """In OpenAI's words, and without a parameter, as it does."""
    before, after = (
        session["audio"].get("output", {}).get("voice")
        for session in (conversation.configuration, configuration)
    )
    spoken = (item.role == "assistant" and item.spoken for item in conversation.session.history)
    if before != after and after is not None and any(spoken):
        message = "Cannot update a conversation's voice if assistant audio is present."
        raise ProtocolError(message, code="cannot_update_voice")
