"""`session.update`: what the client wants otherwise from now on."""

from collections.abc import Mapping
from typing import Any

from airos_edge.realtime.configuration import updated
from airos_edge.realtime.conversation import Conversation


def update(conversation: Conversation, event: Mapping[str, Any]) -> None:
    session = conversation.session
    conversation.configuration = updated(conversation.configuration, event.get("session"))
    rules = conversation.rules()
    if rules.detection != session.ear.rules.detection:
        conversation.input.clear()
        session.clear()  # what was recorded by other rules would end by none
    session.ear.obey(rules)
    session.manner = conversation.manner(conversation.configuration)
    conversation.send("session.updated", session=conversation.configuration)
