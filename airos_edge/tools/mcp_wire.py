"""The MCP SDK, which nothing else imports: connections to servers, what they list and what they answer."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from mcp import Client, types
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client

from airos_edge import __version__
from airos_edge.tools.mcp_program import program
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.ports import Place

MOST_PAGES = 20
LONGEST_RESULT = 8000
"""Characters: a small model reads no more in a time that one waits."""
HTTP_TIMEOUT_S = 30.0
US = types.Implementation(name="airos", version=__version__)

for chatty in ("httpx2", "mcp"):  # each request and each connection is worth a line to them
    logging.getLogger(chatty).setLevel(logging.WARNING)


@asynccontextmanager
async def connected(
    name: str,
    settings: ToolServerSettings,
    on_end: Callable[[], None],
    on_change: Callable[[], None],
) -> AsyncIterator[Client]:
    """A session with the server: `on_end` is called when a program says no more, `on_change` when there
    are other tools.

    Leaving the block ends a program with all that it has started. Raises what the SDK raises.
    """

    async def notice(message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            on_change()

    async with AsyncExitStack() as stack:
        transport: Transport
        if settings.url is None:
            transport = program(name, settings, on_end)
        else:
            http = await stack.enter_async_context(_http(settings))
            transport = streamable_http_client(settings.url, http_client=http)
        client = Client(transport, client_info=US, message_handler=notice, cache=None)
        yield await stack.enter_async_context(client)


async def tools_of(client: Client, place: Place) -> list[Tool]:
    """By the server's own names for them."""
    listed, cursor = [], None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        listed += [
            Tool(tool.name, tool.description or tool.title or "", tool.input_schema, place)
            for tool in page.tools
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    return listed


def text_of(result: types.CallToolResult) -> str:
    """What a model reads: texts as they are, of anything else what it is; the end is cut off."""
    text = "\n".join(map(_text, result.content))
    if not text and result.structured_content is not None:
        text = json.dumps(result.structured_content, ensure_ascii=False)
    if len(text) <= LONGEST_RESULT:
        return text
    return f"{text[:LONGEST_RESULT]}… (cut off: it has {len(text)} characters)"


def _text(block: types.ContentBlock) -> str:
    match block:
        case types.TextContent():
            return block.text
        case types.ImageContent() | types.AudioContent():
            return f"({block.type}, {block.mime_type})"
        case types.ResourceLink():
            return f"({block.name}: {block.uri})"
        case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
            return resource.text
        case types.EmbeddedResource():
            return f"({block.resource.uri}, {block.resource.mime_type or 'no text'})"


def _http(settings: ToolServerSettings) -> httpx2.AsyncClient:
    """What stays on the LAN goes through no proxy; the SDK follows no redirect to another host."""
    key = settings.api_key
    return httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {key.value}"} if key else {},
        timeout=httpx2.Timeout(HTTP_TIMEOUT_S, read=None),
        trust_env=settings.where is Place.CLOUD,
    )
