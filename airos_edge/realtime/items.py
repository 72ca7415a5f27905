"""`conversation.item.*`: what the client does to the history."""

from collections.abc import Mapping
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import approvals, checks, messages, sounds
from airos_edge.realtime.conversation import Conversation
from airos_edge.voice.history import DuplicateItem, Item, UnknownItem


def create(conversation: Conversation, event: Mapping[str, Any]) -> None:
    given = messages.item_in(event.get("item"))
    item = given.item
    after = checks.nullable(checks.text)("previous_item_id", event.get("previous_item_id"))
    request = None
    if item.kind == "approval_response":
        request = approvals.request_of(conversation, item)
    try:
        conversation.session.add(item, after, conversation.recorded(given.audio))
    except DuplicateItem:
        message = f"Error adding item: an item with ID '{item.id}' already exists."
        code = "item_create_duplicate_item_id"
        raise ProtocolError(message, code=code, param="item.id") from None
    except UnknownItem:
        code = "item_create_invalid_previous_item_id"
        raise _no_item(after, code, "previous_item_id") from None
    if request is not None:
        approvals.obey(conversation, request, item)


def retrieve(conversation: Conversation, event: Mapping[str, Any]) -> None:
    """With its sound, if that is still kept: of a recording what it begins with, of speech what was heard."""
    item = item_of(conversation, event, "item_retrieve_invalid_item_id")
    audio = sounds.shown(conversation.session.history.sound(item.id))
    retrieved = messages.item_out(item, audio=audio)
    conversation.send("conversation.item.retrieved", item=retrieved)


def truncate(conversation: Conversation, event: Mapping[str, Any]) -> None:
    """More than there is to hear is clamped: clients overshoot by some milliseconds."""
    item = item_of(conversation, event, "item_truncate_invalid_item_id")
    if item.role != "assistant" or not item.spoken:
        message = "Only model output audio messages can be truncated."
        raise ProtocolError(message, code="invalid_value", param="item_id")
    end_ms = checks.number(0)("audio_end_ms", event.get("audio_end_ms"))
    conversation.session.truncate(item.id, round(end_ms))


def delete(conversation: Conversation, event: Mapping[str, Any]) -> None:
    item = item_of(conversation, event, "item_delete_invalid_item_id")
    conversation.session.delete(item.id)


def item_of(
    conversation: Conversation, event: Mapping[str, Any], code: str, key: str = "item_id"
) -> Item:
    """The item that the event names. Raises ProtocolError."""
    item_id = checks.text(key, event.get(key))
    try:
        return conversation.session.history.get(item_id)
    except UnknownItem:
        raise _no_item(item_id, code, key) from None


def _no_item(item_id: object, code: str, param: str) -> ProtocolError:
    return ProtocolError(f"Item with item_id '{item_id}' not found.", code=code, param=param)
