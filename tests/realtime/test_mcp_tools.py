"""What a client may write of an MCP tool, and which of a server's tools that means."""

from typing import Any

import pytest

from airos_edge.realtime.mcp_tools import Wanted, asks
from airos_edge.tools.toolbox import Tool

READS = Tool("read", "", hints={"readOnlyHint": True})
WRITES = Tool("write", "")


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        (None, ["read", "write"]),
        ("always", ["read", "write"]),
        ("never", []),
        ({"never": {"tool_names": ["read"]}}, ["write"]),
        ({"always": {"tool_names": ["write"]}}, ["write"]),
        ({"always": {"read_only": False}, "never": {"read_only": True}}, ["write"]),
        ({"always": {"tool_names": ["x"]}, "never": {"tool_names": ["read"]}}, ["write"]),
        ({"never": {"tool_names": ["write"], "read_only": True}}, ["read", "write"]),
        ({}, ["read", "write"]),
    ],
)
def test_a_client_is_asked_unless_it_has_said_otherwise(policy: Any, asked: list[str]) -> None:
    assert [tool.name for tool in (READS, WRITES) if asks(policy, tool)] == asked


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (None, ["read", "write"]),
        (["write"], ["write"]),
        ([], []),
        ({}, ["read", "write"]),
        ({"read_only": True}, ["read"]),
        ({"tool_names": ["read", "write"], "read_only": False}, ["write"]),
        ({"tool_names": []}, []),
    ],
)
def test_a_client_has_the_tools_that_it_allows(wanted: Any, names: list[str]) -> None:
    served = Wanted("files", {"allowed_tools": wanted}).served("mcp_1", [READS, WRITES])
    assert [tool.tool for tool in served.tools] == names
    assert [tool.name for tool in served.tools] == [f"files__{name}" for name in names]


def test_secrets_become_headers_and_are_in_no_words() -> None:
    written = {"server_url": "http://x/", "authorization": "tok", "headers": {"X-Key": "key"}}
    settings = Wanted("files", written).settings()
    assert settings.api_key is not None
    assert (settings.api_key.value, settings.headers["X-Key"].value) == ("tok", "key")
    assert "tok" not in repr(settings)
    assert "'key'" not in repr(settings)
