"""What a model reads of a result."""

from typing import Any

import httpx2
import pytest
from mcp import MCPError, types

from airos_edge.errors import EngineError, ToolError
from airos_edge.tools.mcp_wire import LONGEST_RESULT, NotNearer, text_of, tools_of, translated
from airos_edge.voice.ports import Place

TEXT = types.TextContent(type="text", text="hello")
IMAGE = types.ImageContent(type="image", data="aGVsbG8=", mime_type="image/png")
AUDIO = types.AudioContent(type="audio", data="aGVsbG8=", mime_type="audio/wav")
LINK = types.ResourceLink(type="resource_link", name="notes", uri="file:///notes.txt")
FILE = types.EmbeddedResource(
    type="resource", resource=types.TextResourceContents(uri="file:///a.txt", text="milk")
)
BLOB = types.EmbeddedResource(
    type="resource",
    resource=types.BlobResourceContents(uri="file:///a.gz", blob="aGk=", mime_type="app/gzip"),
)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([], ""),
        ([TEXT, TEXT], "hello\nhello"),
        ([TEXT, IMAGE, AUDIO], "hello\n(image, image/png)\n(audio, audio/wav)"),
        ([LINK, FILE, BLOB], "(notes: file:///notes.txt)\nmilk\n(file:///a.gz, app/gzip)"),
    ],
)
def test_texts_are_read_and_anything_else_is_named(content: list[Any], text: str) -> None:
    assert text_of(types.CallToolResult(content=content)) == text


def test_where_there_is_no_text_what_is_structured_is_read() -> None:
    result = types.CallToolResult(content=[], structured_content={"city": "Zürich", "degrees": 8})
    assert text_of(result) == '{"city": "Zürich", "degrees": 8}'


def test_the_end_of_a_long_result_is_cut_off_and_that_is_said() -> None:
    long = types.TextContent(type="text", text="x" * (LONGEST_RESULT + 1))
    read = text_of(types.CallToolResult(content=[long]))
    assert read == f"{'x' * LONGEST_RESULT}… (cut off: it has {LONGEST_RESULT + 1} characters)"


class OneTool:
    """A client of a server whose tool only reads."""

    async def list_tools(self, cursor: str | None) -> types.ListToolsResult:
        hints = types.ToolAnnotations(read_only_hint=True)
        tool = types.Tool(name="look", input_schema={"type": "object"}, annotations=hints)
        return types.ListToolsResult(tools=[tool])


async def test_what_a_server_says_of_a_tool_is_known_by_the_names_of_the_protocol() -> None:
    (tool,) = await tools_of(OneTool(), Place.LOCAL)  # type: ignore[arg-type]
    assert tool.hints == {"readOnlyHint": True}


def test_an_error_says_whether_the_server_the_way_or_something_else_failed() -> None:
    told = translated("all", "echo", MCPError(-32602, "no such argument"))
    assert isinstance(told, ToolError)
    assert (str(told), told.kind, told.code) == (
        "all: echo failed: no such argument",
        "protocol_error",
        -32602,
    )
    request = httpx2.Request("POST", "http://x/")
    status = httpx2.HTTPStatusError("no", request=request, response=httpx2.Response(401))
    told = translated("all", "echo", ExceptionGroup("wrapped", [status]))
    assert isinstance(told, ToolError)
    assert (told.kind, told.code) == ("http_error", 401)
    plain = translated("all", "echo", OSError("unplugged"))
    assert type(plain) is EngineError
    assert str(plain) == "all: echo failed: unplugged"


@pytest.mark.real_time
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_name_is_judged_by_the_address_that_it_leads_to(host: str) -> None:
    """A name of the internet may lead to this box: who asked for it is not to get in by it."""
    async with httpx2.AsyncClient(transport=NotNearer(Place.EDGE)) as client:
        with pytest.raises(httpx2.ConnectError, match="nearer to this box than who asked"):
            await client.get(f"http://{host}:1/")
