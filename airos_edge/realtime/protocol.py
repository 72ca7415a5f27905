"""What a client may send, and what is done with each: one table, and one way in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import input_audio, items, messages, responses, session_update
from airos_edge.realtime.conversation import Conversation
from airos_edge.realtime.frames import decoded, refuse_untyped

Event = Mapping[str, Any]
Handler = Callable[[Conversation, Event], Iterator[None] | None]

HANDLERS: Mapping[str, Handler] = {
    "session.update": session_update.update,
    "input_audio_buffer.append": input_audio.append,
    "input_audio_buffer.commit": input_audio.commit,
    "input_audio_buffer.clear": input_audio.clear,
    "conversation.item.create": items.create,
    "conversation.item.retrieve": items.retrieve,
    "conversation.item.truncate": items.truncate,
    "conversation.item.delete": items.delete,
    "response.create": responses.create,
    "response.cancel": responses.cancel,
    "output_audio_buffer.clear": responses.clear_output,
}


def receive(conversation: Conversation, text: str) -> Iterator[None]:
    """One frame, to be iterated over: between two steps others may work, as a frame can hold minutes.

    What is wrong with it is told to the client; nothing is raised.
    """
    event_id: str | None = None
    try:
        event: Event = decoded(text)
        event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
        refuse_untyped(event)
        event = conversation.dialect.read(event)
        kind = event["type"]
        handler = HANDLERS.get(kind)
        if handler is None:
            message = f"Invalid value: '{kind}'. Supported values are: {', '.join(HANDLERS)}."
            raise ProtocolError(message, code="invalid_value", param="type")
        yield from handler(conversation, event) or ()
    except ProtocolError as problem:
        told = messages.error(str(problem), problem.code, problem.param, event_id)
        conversation.send(**told)
