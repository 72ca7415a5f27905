"""A client of the Realtime API, of this box or any other server: what `airos talk` and `replay` speak by."""

import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp

from airos_edge.errors import AirosError, DaemonError
from airos_edge.secret import NO_KEY, Secret

SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
NOTHING: Mapping[str, str] = {}
ENDPOINT = "/v1/realtime"


class Connection:
    """Use `connect` to get one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, type: str, **fields: Any) -> None:
        await self.send_frame(json.dumps({"type": type, **fields}))

    async def send_frame(self, frame: str) -> None:
        """Raises DaemonError where the connection is lost."""
        try:
            await self._socket.send_str(frame)
        except ConnectionError:
            raise DaemonError(f"the connection was lost{self._why()}") from None

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """The server's events, until it closes the connection. Raises DaemonError where it breaks off."""
        async for message in self._socket:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                continue
            try:
                event = json.loads(message.data)
            except ValueError:
                event = None
            if not isinstance(event, dict) or not isinstance(event.get("type"), str):
                raise DaemonError("the server sent what is no event: is it a Realtime server?")
            yield event
        if self._socket.close_code not in (None, 1000, 1001, 1005):
            raise DaemonError(f"the server ended the connection{self._why()}")

    def _why(self) -> str:
        code = self._socket.close_code
        return f" (code {code})" if code else ""


@asynccontextmanager
async def connect(
    url: str,
    key: str | None = None,
    ca: Path | None = None,
    query: Mapping[str, str] = NOTHING,
    headers: Mapping[str, str] = NOTHING,
) -> AsyncIterator[Connection]:
    """A connection to a server by its address, as `address` reads it.

    `ca`: a certificate to trust besides the system's. Raises AirosError, a sentence on what is wrong:
    nobody listens, the key, the certificate, no WebSocket. Leaving the block closes it.
    """
    where = address(url, query)
    if key and not Secret(key).fits_a_header:
        raise AirosError(f"the key {NO_KEY}; say --key, or see $AIROS_KEY")
    authorization = {"Authorization": f"Bearer {key}"} if key else {}
    trusted = _trusting(ca) if where.startswith("wss:") else True
    async with aiohttp.ClientSession() as session:
        try:
            socket = await session.ws_connect(
                where,
                headers={**headers, **authorization},
                ssl=trusted,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                heartbeat=None,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _told(error, where) from error
        async with socket:
            yield Connection(socket)


def address(url: str, query: Mapping[str, str] = NOTHING) -> str:
    """The full address: `host:port` and http(s) are taken too; the path is added where there is none, and
    of the query what it does not say itself. Raises AirosError for what is no address."""
    try:
        parts = urlsplit(url if "://" in url else f"ws://{url}")
        scheme = SCHEMES[parts.scheme]
        if not parts.hostname or (parts.port or 1) < 0:
            raise ValueError
    except (ValueError, KeyError):
        raise AirosError(
            f"{url}: is no address; one like ws://127.0.0.1:8765/v1/realtime is wanted"
        ) from None
    path = parts.path.rstrip("/")
    if path in ("", "/v1"):
        path = ENDPOINT
    asked = urlencode({**query, **dict(parse_qsl(parts.query))})
    return urlunsplit((scheme, parts.netloc, path, asked, ""))


def _trusting(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            raise AirosError(f"{ca}: is no certificate that can be read: {error}") from error
    return context


def _told(error: Exception, where: str) -> DaemonError:
    server = urlsplit(where).netloc
    match error:
        case aiohttp.WSServerHandshakeError(status=401 | 403 as status):
            why = f"refuses the key (HTTP {status}); say --key, or see `airos keys`"
        case aiohttp.WSServerHandshakeError(status=404):
            why = f"has no Realtime API at {urlsplit(where).path}"
        case aiohttp.WSServerHandshakeError(status=429):
            why = "lets this key or address do no more for now (HTTP 429); come back later"
        case aiohttp.WSServerHandshakeError(status=503):
            why = "has no room, or no engine, for a conversation now (HTTP 503)"
        case aiohttp.WSServerHandshakeError(status=status):
            why = f"does not speak WebSocket there (HTTP {status})"
        case aiohttp.ClientConnectorCertificateError():
            why = "has a certificate that is not trusted here; say --ca FILE, with its certificate"
        case aiohttp.ClientConnectorSSLError():
            why = "does not speak TLS; try ws:// in place of wss://"
        case aiohttp.ClientConnectorError():
            why = f"cannot be reached: {_reason(error.os_error)}"
        case TimeoutError():
            why = "does not answer"
        case _:
            why = f"is no Realtime server: {error or type(error).__name__}"
    return DaemonError(f"{server} {why}")


def _reason(error: OSError) -> str:
    """asyncio says it with the address, which the sentence has already."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
