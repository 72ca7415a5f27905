"""`response.*`: answers that the client asks for, or has had enough of."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks, messages
from airos_edge.realtime.configuration import updated
from airos_edge.realtime.content import Given
from airos_edge.realtime.conversation import Conversation
from airos_edge.realtime.items import item_of
from airos_edge.voice.floor import Floor
from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Prompt
from airos_edge.voice.replies import Prepare, as_it_is

OF_A_RESPONSE = (
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "output_modalities",
    "max_output_tokens",
    "audio",
)
"""What `response.create` may set for itself and is set for the session elsewhere."""
ELSE = ("conversation", "input", "metadata", "prompt", "reasoning")
MOST_APART = 8
"""How many responses out of band there may be at a time."""
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512


def create(conversation: Conversation, event: Mapping[str, Any]) -> None:
    if conversation.configuration["type"] != "realtime":
        raise ProtocolError("A transcription session has no responses.", code="invalid_event")
    given = checks.nullable(checks.mapping)("response", event.get("response")) or {}
    for key in given:
        if key not in (*OF_A_RESPONSE, *ELSE):
            raise checks.unknown(f"response.{key}")
    metadata = checks.nullable(_metadata)("response.metadata", given.get("metadata"))
    configuration = _configuration(conversation, given)
    session, servers, tools = conversation.session, conversation.servers, given.get("tools")
    servers.refuse("response.tools", tools, session.manner.reach)
    if _is_apart(conversation, given):
        _refuse_more_apart(conversation)
        apart = Floor(conversation.open_mouth)
    else:
        _refuse_second(conversation)
        apart = None
    prompt = _prompt(conversation, given, conversation.manner(configuration))
    prepare = as_it_is if tools is None else servers.of_response(session, tools)
    if given.get("input") is None:
        prepare = _settled(conversation, prepare)
    reply_id = new_id("resp")
    conversation.of_reply[reply_id] = configuration
    session.respond(prompt, metadata, apart, reply_id, prepare)


def cancel(conversation: Conversation, event: Mapping[str, Any]) -> None:
    reply_id = checks.nullable(checks.text)("response_id", event.get("response_id"))
    if not conversation.session.interrupt("client_cancelled", reply_id):
        message = "Cancellation failed: no active response found"
        raise ProtocolError(message, code="response_cancel_not_active")


def clear_output(conversation: Conversation, event: Mapping[str, Any]) -> None:
    message = "output_audio_buffer.clear is for WebRTC and SIP; a WebSocket client holds its audio itself."
    raise ProtocolError(message, code="invalid_event")


# ---- what is asked ------------------------------------------------------------------------------


def _configuration(conversation: Conversation, given: Mapping[str, Any]) -> dict[str, Any]:
    """The session's own, but for what the response says of itself."""
    changes = {key: given[key] for key in OF_A_RESPONSE if given.get(key) is not None}
    return updated(conversation.configuration, changes, "response")


def _prompt(conversation: Conversation, given: Mapping[str, Any], manner: Prompt) -> Prompt:
    if given.get("input") is None:
        return replace(manner, items=conversation.session.prompt().items)
    items = enumerate(checks.sequence("response.input", given["input"]))
    brought = [_input(conversation, item, place) for place, item in items]
    return replace(manner, items=tuple(_heard(conversation, one) for one in brought))


def _input(conversation: Conversation, given: Any, place: int) -> Given:
    if isinstance(given, dict) and given.get("type") == "item_reference":
        return Given(item_of(conversation, given, "item_not_found", key="id"))
    return messages.item_in(given, f"response.input[{place}]")


def _heard(conversation: Conversation, brought: Given) -> Item:
    """A recording without its transcript is recognised, and the reply waits for that."""
    if brought.item.text is not None or not brought.audio:
        return brought.item
    item = replace(brought.item, id=new_id("item"))  # none of the history's
    conversation.session.recognise(item.id, conversation.recorded(brought.audio))
    return item


def _settled(conversation: Conversation, prepare: Prepare) -> Prepare:
    """After an answer to an approval request clients ask for a response at once: it waits for what came of it."""
    settling = tuple(conversation.settling)

    async def prepared(prompt: Prompt) -> Prompt:
        await asyncio.wait(settling)
        return await prepare(replace(prompt, items=conversation.session.prompt().items))

    return prepared if settling else prepare


def _metadata(path: str, value: Any) -> dict[str, str]:
    given = checks.mapping(path, value)
    if len(given) > MOST_METADATA:
        raise checks.invalid(path, f"{MOST_METADATA} pairs or fewer")
    for key, text in given.items():
        if len(key) > LONGEST_KEY:
            raise checks.invalid(f"{path}.{key}", f"a key of {LONGEST_KEY} characters or fewer")
        if len(checks.text(f"{path}.{key}", text)) > LONGEST_VALUE:
            raise checks.invalid(f"{path}.{key}", f"{LONGEST_VALUE} characters or fewer")
    return given


# ---- beside which others ------------------------------------------------------------------------


def _is_apart(conversation: Conversation, given: Mapping[str, Any]) -> bool:
    own = ("auto", conversation.id)
    where = given.get("conversation") or "auto"
    return bool(checks.one_of(*own, "none")("response.conversation", where) == "none")


def _refuse_second(conversation: Conversation) -> None:
    if conversation.session.replies.active is not None:
        message = (
            "Conversation already has an active response in progress. "
            "Wait until the response is finished before creating a new one."
        )
        raise ProtocolError(message, code="conversation_already_has_active_response")


def _refuse_more_apart(conversation: Conversation) -> None:
    apart = [reply for reply in conversation.session.replies.running.values() if reply.apart]
    if len(apart) >= MOST_APART:
        message = f"There are {MOST_APART} responses out of band already; wait until one is done."
        raise ProtocolError(message, code="rate_limit_exceeded")
