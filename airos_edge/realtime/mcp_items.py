"""Items of MCP as the Realtime API writes them, and the events about them."""

from collections.abc import Iterator, Mapping
from typing import Any

from airos_edge.realtime import checks
from airos_edge.tools.settings import HOUSE
from airos_edge.voice import events
from airos_edge.voice.history import Fault, Item
from airos_edge.voice.ids import new_id

ServerEvent = tuple[str, dict[str, Any]]


def item_out(item: Item, with_content: bool = True) -> dict[str, Any] | None:
    """None for an item that is not of MCP."""
    if item.kind == "mcp_list_tools":
        fault = {"error": error_out(item.fault)} if item.fault else {}
        tools = [dict(tool) for tool in item.tools]
        return _item(item, server_label=item.server, tools=tools, **fault)
    if item.kind == "approval_response":
        return {
            "id": item.id,
            "type": "mcp_approval_response",
            "approval_request_id": item.concerns,
            "approve": item.approved,
            "reason": item.text,
        }
    if item.kind not in ("mcp_call", "approval_request"):
        return None
    server, name = _whose(item)
    called = {"server_label": server, "name": name}
    called["arguments"] = (item.arguments or "{}") if with_content else ""
    if item.kind == "approval_request":
        return {"id": item.id, "type": "mcp_approval_request", **called}
    return _item(
        item,
        **called,
        output=item.text,
        error=error_out(item.fault),
        approval_request_id=item.concerns,
    )


def error_out(fault: Fault | None) -> dict[str, Any] | None:
    if fault is None:
        return None
    code = {} if fault.kind == "tool_execution_error" else {"code": fault.code}
    return {"type": fault.kind, "message": fault.message, **code}


def work_events(event: events.WorkStarted | events.WorkEnded) -> Iterator[ServerEvent]:
    """Of an item that the box works at beside the replies."""
    item = event.item
    out = {"item": item_out(item), "previous_item_id": event.previous_id}
    index = {} if item.kind == "mcp_list_tools" else {"output_index": 0}
    kind = "mcp_list_tools" if item.kind == "mcp_list_tools" else "response.mcp_call"
    if isinstance(event, events.WorkStarted):
        yield "conversation.item.added", out
        yield f"{kind}.in_progress", {"item_id": item.id, **index}
    else:
        yield f"{kind}.{_how(item)}", {"item_id": item.id, **index}
        yield "conversation.item.done", out


def call_begins(event: events.ItemStarted) -> Iterator[ServerEvent]:
    """The arguments of a call in a reply; one that waits for a yes is not in progress."""
    item, place = event.item, {"item_id": event.item.id, "output_index": event.output_index}
    told = {"response_id": event.reply_id, **place}
    delta = {"delta": item.arguments, "obfuscation": new_id("")}  # agents-js wants it to be there
    yield "response.mcp_call_arguments.delta", {**told, **delta}
    yield "response.mcp_call_arguments.done", {**told, "arguments": item.arguments}
    if item.concerns is None:
        yield "response.mcp_call.in_progress", place


def call_ends(event: events.ItemEnded) -> Iterator[ServerEvent]:
    item = event.item
    if item.concerns is None:
        place = {"item_id": item.id, "output_index": event.output_index}
        yield f"response.mcp_call.{_how(item)}", place


def _how(item: Item) -> str:
    return "completed" if item.fault is None and item.status == "completed" else "failed"


def _whose(item: Item) -> tuple[str, str]:
    """A tool of the box that no client asked for has its server in its name, or is the house's."""
    if item.server is not None:
        return item.server, item.tool or ""
    server, between, name = (item.name or "").partition("__")
    return (server, name) if between else (HOUSE, server)


def _item(item: Item, **fields: Any) -> dict[str, Any]:
    return {"id": item.id, "type": item.kind, "status": item.status, **fields}


def approval_in(given: Mapping[str, Any], path: str, own_id: str) -> Item:
    """A client's yes or no. Raises ProtocolError."""
    request_id = checks.text(f"{path}.approval_request_id", given.get("approval_request_id"))
    return Item(
        own_id,
        kind="approval_response",
        concerns=request_id,
        approved=checks.boolean(f"{path}.approve", given.get("approve")),
        text=checks.nullable(checks.text)(f"{path}.reason", given.get("reason")),
    )
