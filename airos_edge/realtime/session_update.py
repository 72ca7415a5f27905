"""`session.update`: what the client wants otherwise from now on."""

from collections.abc import Mapping
from typing import Any

from airos_edge.realtime.configuration import updated
from airos_edge.realtime.conversation import Conversation

KEPT = object()
"""Instead of tools: those of before."""


def update(conversation: Conversation, event: Mapping[str, Any]) -> None:
    session = conversation.session
    configuration = updated(conversation.configuration, event.get("session"))
    tools = event["session"].get("tools", KEPT)
    if tools is not KEPT:
        conversation.servers.refuse("session.tools", tools, session.manner.reach)
    conversation.configuration = configuration
    rules = conversation.rules()
    if rules.detection != session.ear.rules.detection:
        session.clear()  # what was recorded by other rules would end by none
    session.ear.obey(rules)
    session.manner = conversation.manner(conversation.configuration)
    conversation.send("session.updated", session=conversation.configuration)
    if tools is not KEPT:
        conversation.servers.use(session, tools)
