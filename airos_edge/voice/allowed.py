"""A call that somebody was asked about: whether it still waits, and what an answer makes of it.

An answer that is an item is one to a request by its id, and is obeyed beside the replies; a spoken one is for
the next reply to understand.
"""

from collections.abc import Sequence
from dataclasses import replace

from airos_edge.errors import AirosError, EngineError
from airos_edge.voice.history import Fault, Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Call
from airos_edge.voice.respond import fault_of
from airos_edge.voice.served import Served
from airos_edge.voice.session import Session
from airos_edge.voice.work import working_at

REFUSED = "It was not allowed."
NOT_SERVED = "is no tool of this session any more"


def waits(items: Sequence[Item], request: Item) -> bool:
    """Whether nothing has answered the request yet. One that was spoken is void once something else was said."""
    after = items[items.index(request) + 1 :]
    if any(item.concerns == request.id for item in after):
        return False
    return request.server is not None or not any(item.role == "user" for item in after)


def call_of(request: Item, known: Sequence[Served]) -> Call:
    """What was asked about. Raises EngineError for a tool of a server that is not the session's any more."""
    call = Call.of(request)
    if request.server is None:
        return call
    for server in known:
        for tool in server.tools:
            if (tool.label, tool.tool) == (request.server, request.tool):
                return replace(call, served=tool)
    raise EngineError(request.server, f"{request.tool} {NOT_SERVED}")


async def settle(session: Session, request: Item, answer: Item, known: Sequence[Served]) -> None:
    """Makes the call, of a tool of one of the `known`, or does not; what came of it is an item. Nothing is said
    of it: that is for the next reply.

    Cancelled, the item ends incomplete.
    """
    item = replace(
        request,
        id=request.concerns or new_id("item"),
        kind="mcp_call",
        concerns=request.id,
        status="in_progress",
    )
    with working_at(session, item) as done:
        if not answer.approved:
            done(fault=Fault(f"{REFUSED} {answer.text or ''}".strip()))
            return
        try:
            call = call_of(request, known)
            async with session.borrow(session.manner.reach) as engines:
                done(text=await engines.tools(call))
        except EngineError as error:
            done(fault=fault_of(error))
        except AirosError as error:
            done(fault=Fault(str(error)))
