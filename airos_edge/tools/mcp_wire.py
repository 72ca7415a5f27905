"""The MCP SDK, which nothing else imports: connections to servers, what they list and what they answer."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
from mcp import Client, MCPError, types
from mcp.client import Transport
from mcp.client.streamable_http import streamable_http_client

from airos_edge import __version__
from airos_edge.errors import EngineError, ToolError
from airos_edge.network import place_of
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
# A server that is gone before it is taken leave of is none, and what else fails is told by who called.
logging.getLogger("mcp.client.streamable_http").setLevel(logging.ERROR)


@asynccontextmanager
async def connected(
    name: str,
    settings: ToolServerSettings,
    on_end: Callable[[], None],
    on_change: Callable[[], None],
    nearest: Place = Place.LOCAL,
) -> AsyncIterator[Client]:
    """A session with the server: `on_end` is called when a program says no more, `on_change` when there
    are other tools. No address is connected to that is nearer than `nearest`.

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
            http = await stack.enter_async_context(_http(settings, nearest))
            transport = streamable_http_client(settings.url, http_client=http)
        client = Client(transport, client_info=US, message_handler=notice, cache=None)
        yield await stack.enter_async_context(client)


async def tools_of(client: Client, place: Place) -> list[Tool]:
    """By the server's own names for them."""
    listed, cursor = [], None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        listed += [
            Tool(
                tool.name,
                tool.description or tool.title or "",
                tool.input_schema,
                place,
                hints=_hints(tool),
            )
            for tool in page.tools
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    return listed


def _hints(tool: types.Tool) -> dict[str, Any]:
    hints = tool.annotations
    return hints.model_dump(by_alias=True, exclude_none=True) if hints else {}


def translated(name: str, what: str, error: BaseException) -> EngineError:
    """`what`: what was being done when the SDK, or HTTP below it, raised the error."""
    while isinstance(error, BaseExceptionGroup):  # task groups wrap what went wrong in them
        error = error.exceptions[0]
    message = f"{what} failed: {error or type(error).__name__}"
    match error:
        case MCPError(message=message_of_it, code=code):
            return ToolError(name, f"{what} failed: {message_of_it}", "protocol_error", code)
        case httpx2.HTTPStatusError(response=response):
            return ToolError(name, message, "http_error", response.status_code)
    return EngineError(name, message)


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


class NotNearer(httpx2.AsyncHTTPTransport):
    """Looks a name up once, and connects to the very address that was judged: what it resolves to may change
    between two looks (DNS rebinding)."""

    def __init__(self, nearest: Place) -> None:
        super().__init__()
        self._nearest = nearest

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        found = await asyncio.get_running_loop().getaddrinfo(
            host, request.url.port, type=socket.SOCK_STREAM
        )
        addresses = [str(address[0]) for *_, address in found]
        if any(place_of(address) < self._nearest for address in addresses):
            raise httpx2.ConnectError(f"{host} is nearer to this box than who asked for it")
        request.url = request.url.copy_with(host=addresses[0])
        request.extensions = {**request.extensions, "sni_hostname": host}
        return await super().handle_async_request(request)


def _http(settings: ToolServerSettings, nearest: Place) -> httpx2.AsyncClient:
    """What stays on the LAN goes through no proxy; the SDK follows no redirect to another host."""
    key = settings.api_key
    headers = {name: secret.value for name, secret in settings.headers.items()}
    return httpx2.AsyncClient(
        headers=headers | ({"Authorization": f"Bearer {key.value}"} if key else {}),
        timeout=httpx2.Timeout(HTTP_TIMEOUT_S, read=None),
        trust_env=settings.where is Place.CLOUD,
        transport=NotNearer(nearest) if nearest > Place.LOCAL else None,
    )
