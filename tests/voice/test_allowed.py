"""Requests for a yes: which still wait, and what is called after one."""

import pytest

from airos_edge.errors import EngineError
from airos_edge.voice.allowed import call_of, waits
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call
from airos_edge.voice.served import Served, ServedTool

TOOL = ServedTool("files__write", "write", "files", "mcp_1")
ALOUD = Item("r", kind="approval_request", name="HassTurnOff", arguments="{}", call_id="call_1")
SHOWN = Item(
    "r",
    kind="approval_request",
    name="files__write",
    arguments='{"path": "x"}',
    call_id="call_1",
    server="files",
    tool="write",
    concerns="item_1",
)
USER = Item("u", role="user", text="What time is it?")
ANSWERED = Item("a", kind="approval_response", concerns="r", approved=False)


@pytest.mark.parametrize(
    ("items", "is_waiting"),
    [
        ((ALOUD,), True),
        ((USER, ALOUD), True),
        ((ALOUD, ANSWERED), False),
        ((ALOUD, USER), False),
        ((SHOWN, USER), True),
        ((SHOWN, USER, ANSWERED), False),
    ],
)
def test_a_request_waits_until_it_is_answered_and_a_spoken_one_until_something_is_said(
    items: tuple[Item, ...], is_waiting: bool
) -> None:
    (request,) = (item for item in items if item.kind == "approval_request")
    assert waits(items, request) == is_waiting


def test_what_is_called_is_what_was_asked_for() -> None:
    known = [Served("files", "mcp_1", (TOOL,))]
    assert call_of(SHOWN, known) == Call("files__write", {"path": "x"}, "call_1", served=TOOL)
    assert call_of(ALOUD, known) == Call("HassTurnOff", {}, "call_1")


def test_a_tool_of_a_server_that_is_gone_is_not_called() -> None:
    with pytest.raises(EngineError, match="write is no tool of this session any more"):
        call_of(SHOWN, [])
