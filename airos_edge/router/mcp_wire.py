"""The MCP SDK, which nothing else imports: connections to servers, what they list and what they answer."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

import httpx2
from mcp import Client, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from airos_edge import __version__
from airos_edge.router.tool_settings import ServerSettings
from airos_edge.router.toolbox import Tool
from airos_edge.voice.ports import Place

if TYPE_CHECKING:  # the SDK's own names for them
    from mcp.client._transport import ReadStream, TransportStreams
    from mcp.shared.message import SessionMessage

log = logging.getLogger(__name__)

MOST_PAGES = 20
LONGEST_RESULT = 8000
"""Characters: a small model reads no more in a time that one waits."""
HTTP_TIMEOUT_S = 30.0
LONGEST_LOG_LINE = 2000
US = types.Implementation(name="airos", version=__version__)


@asynccontextmanager
async def connected(
    name: str, settings: ServerSettings, on_change: Callable[[], None]
) -> AsyncIterator[Client]:
    """A session with the server. `on_change` is called when it has ended, or has other tools.

    Leaving the block ends a program with all that it has started. Raises what the SDK raises.
    """

    async def notice(message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            on_change()

    transport = _watched(_transport(name, settings), on_change)
    async with Client(transport, client_info=US, message_handler=notice, cache=None) as client:
        yield client


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


# ---- transports ---------------------------------------------------------------------------------


@asynccontextmanager
async def _transport(name: str, settings: ServerSettings) -> "AsyncIterator[TransportStreams]":
    if settings.url is not None:
        async with (
            _http(settings) as http,
            streamable_http_client(settings.url, http_client=http) as streams,
        ):
            yield streams
        return
    program = StdioServerParameters(
        command=settings.command or "",
        args=list(settings.args),
        env={key: secret.value for key, secret in settings.env.items()},
    )
    async with _logged(name) as errors, stdio_client(program, errors) as streams:
        yield streams


def _http(settings: ServerSettings) -> httpx2.AsyncClient:
    """What stays on the LAN goes through no proxy. Redirects to other hosts are not followed by the SDK."""
    key = settings.api_key
    return httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {key.value}"} if key else {},
        timeout=httpx2.Timeout(HTTP_TIMEOUT_S, read=None),
        trust_env=settings.where is Place.CLOUD,
    )


@asynccontextmanager
async def _watched(
    transport: "AbstractAsyncContextManager[TransportStreams]", on_end: Callable[[], None]
) -> "AsyncIterator[TransportStreams]":
    async with transport as (reading, writing):
        yield _Watched(reading, on_end), writing


class _Watched:
    """What comes from a server, until nothing can come any more: the SDK tells nobody of that."""

    def __init__(
        self, stream: "ReadStream[SessionMessage | Exception]", on_end: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._on_end = on_end

    async def receive(self) -> "SessionMessage | Exception":
        return await self._stream.receive()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> "SessionMessage | Exception":
        return await self._stream.__anext__()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._on_end()
        return await self._stream.__aexit__(kind, error, trace)


@asynccontextmanager
async def _logged(name: str) -> AsyncIterator[TextIO]:
    """A file for a program to complain into; its lines go to the log."""
    reading, writing = os.pipe()
    loop = asyncio.get_running_loop()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "w") as errors:
        transport, _ = await loop.connect_read_pipe(lambda: _Lines(name), source)
        try:
            yield errors
        finally:
            transport.close()


class _Lines(asyncio.Protocol):
    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LOG_LINE:]
        for line in lines:
            log.debug("%s: %s", self._name, line.decode(errors="replace")[:LONGEST_LOG_LINE])
