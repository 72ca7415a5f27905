"""`mcp_approval_response`: the client's yes or no to a call that waits for one."""

from airos_edge.errors import ProtocolError
from airos_edge.realtime.conversation import Conversation
from airos_edge.voice.allowed import settle, waits
from airos_edge.voice.history import Item, UnknownItem

PARAM = "item.approval_request_id"


def request_of(conversation: Conversation, answer: Item) -> Item:
    """What it answers. Raises ProtocolError for what is no request, or waits for no answer any more."""
    history = conversation.session.history
    asked = f"Approval request with ID '{answer.concerns}'"
    try:
        request = history.get(answer.concerns or "")
    except UnknownItem:
        raise ProtocolError(f"{asked} not found.", code="invalid_value", param=PARAM) from None
    if request.kind != "approval_request":
        message = f"Item with ID '{answer.concerns}' is not an approval request."
        raise ProtocolError(message, code="invalid_value", param=PARAM)
    if not waits(tuple(history), request):
        message = f"{asked} waits for no answer any more."
        raise ProtocolError(message, code="invalid_value", param=PARAM)
    return request


def obey(conversation: Conversation, request: Item, answer: Item) -> None:
    """The call is made, or not, at once; what came of it is told by a response that the client asks for.

    That is what OpenAI's own clients do: @openai/agents-realtime asks for one whenever an mcp_call is done
    (`automaticallyTriggerResponseForMcpToolCalls`), and openai-ruby's `examples/realtime/mcp_approval.rb` does so
    by hand. A server that went on by itself would have them answered twice.
    """
    session, known = conversation.session, conversation.servers.known()
    task = session.start(settle(session, request, answer, known), f"call {request.call_id}")
    conversation.settling.add(task)
    task.add_done_callback(conversation.settling.discard)
