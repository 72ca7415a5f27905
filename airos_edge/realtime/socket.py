"""The WebSocket: frames in and out, a client that is too slow, one that vanishes, a daemon that stops."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from airos_edge.errors import AirosError
from airos_edge.network import place_of
from airos_edge.realtime.configuration import new_configuration
from airos_edge.realtime.conversation import Conversation
from airos_edge.realtime.dialect import asks_for_beta
from airos_edge.realtime.protocol import receive
from airos_edge.realtime.recording import Folder, recorder
from airos_edge.realtime.servers import ClientServers, NoTools, Tools
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.flow import Scope
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import OpenMouth
from airos_edge.voice.session import Session

log = logging.getLogger(__name__)

LARGEST_FRAME = 64 * 1024 * 1024
"""A larger one closes the connection; what is smaller and too large still is told so by an error event."""
SLOW_BYTES = 256 * 1024
"""When so much waits for a client, its speech waits too."""
TOO_SLOW_BYTES = 4 * 1024 * 1024
"""When so much waits, the client is not reading, and is told so by close code 1013."""
HEARTBEAT_S = 20.0
SESSION_S = 60 * 60
CLOSE_S = 2.0

OpenSession = Callable[[Callable[[Event], None], OpenMouth, TurnRules], Session]


class Outgoing:
    """The events that wait for a client, in order."""

    def __init__(self, tap: Callable[[str], None]) -> None:
        self.overflowed = asyncio.Event()
        self._tap = tap
        self._frames: deque[str] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    def put(self, event: Mapping[str, Any]) -> None:
        frame = json.dumps(event)
        self._tap(frame)
        self._frames.append(frame)
        self._bytes += len(frame)
        if self._bytes > TOO_SLOW_BYTES:
            self.overflowed.set()
        self._notice()

    async def room(self) -> None:
        """Waits until the client keeps up."""
        while self._bytes > SLOW_BYTES:
            await self._changed.wait()

    async def write_to(self, socket: web.WebSocketResponse) -> None:
        """Sends them as they come; ends when the connection does."""
        while True:
            while self._frames:
                frame = self._frames[0]
                await socket.send_str(frame)
                self._frames.popleft()
                self._bytes -= len(frame)
                self._notice()
            await self._changed.wait()

    def _notice(self) -> None:
        """Wakes those that wait now."""
        self._changed.set()
        self._changed.clear()


class RealtimeDoor:
    """`/v1/realtime`, and `/` and `/v1` for clients that know no path."""

    def __init__(
        self,
        open_session: OpenSession,
        box_rules: Callable[[], TurnRules],
        voices: Callable[[], Collection[str] | None] = lambda: None,
        tools: Callable[[], Tools] = NoTools,
        recordings: Folder | None = None,
    ) -> None:
        self._open_session = open_session
        self._tools = tools
        self._recordings = recordings
        self._box_rules = box_rules
        self._voices = voices
        self._open: dict[web.WebSocketResponse, Session] = {}

    def routes(self) -> list[web.RouteDef]:
        return [web.get(path, self._handle) for path in ("/v1/realtime", "/v1", "/")]

    async def close(self, grace_s: float) -> None:
        """The daemon stops: running answers end, within the grace, then everyone is told to come again."""
        replies = [session.replies.active for session in self._open.values()]
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                for reply in filter(None, replies):
                    await reply.ended.wait()
        async with Scope() as scope:
            closing = [
                scope.start(
                    _close(socket, WSCloseCode.SERVICE_RESTART, "the daemon stops"), "closing"
                )
                for socket in self._open
            ]
            if closing:
                await asyncio.wait(closing)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=426, text="This is a WebSocket: the Realtime API.\n")
        kind = "transcription" if request.query.get("intent") == "transcription" else "realtime"
        model = request.query.get("model") or "airos"
        session_id, expires_at = new_id("sess"), int(time.time()) + SESSION_S
        recorded = recorder(self._recordings, request.query, request.headers)
        outgoing = Outgoing(recorded.server)
        conversation = Conversation(
            new_configuration(session_id, model, kind, expires_at),
            self._box_rules(),
            outgoing.put,
            outgoing.room,
            ClientServers(self._tools, place_of(request.remote or "localhost")),
            self._voices,
            asks_for_beta(request.headers),
        )
        try:
            session = self._open_session(
                conversation.tell, conversation.open_mouth, conversation.rules()
            )
        except AirosError as error:
            return web.json_response({"error": {"message": str(error)}}, status=503)
        socket = web.WebSocketResponse(
            protocols=("realtime",),
            max_msg_size=LARGEST_FRAME,
            heartbeat=HEARTBEAT_S,
            timeout=CLOSE_S,
        )
        await socket.prepare(request)
        async with session, Scope() as scope:
            scope.start(_until_gone(outgoing, socket), "realtime writer")
            scope.start(_expel_slow(outgoing, socket, request), "realtime guard")
            self._open[socket] = session
            try:
                conversation.begin(session)
                async for message in socket:
                    if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                        recorded.client(frame := _text_of(message))
                        for _ in receive(conversation, frame):
                            await asyncio.sleep(0)
            finally:
                conversation.end()
                recorded.close()
                del self._open[socket]
        return socket


def _text_of(message: WSMessage) -> str:
    """Some clients send JSON in binary frames."""
    return str(
        message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
    )


async def _until_gone(outgoing: Outgoing, socket: web.WebSocketResponse) -> None:
    try:
        await outgoing.write_to(socket)
    except ConnectionError:
        log.debug("A realtime client went while it was written to")


async def _expel_slow(
    outgoing: Outgoing, socket: web.WebSocketResponse, request: web.Request
) -> None:
    await outgoing.overflowed.wait()
    log.warning("A realtime client does not read what it is sent; closing it")
    await _close(socket, WSCloseCode.TRY_AGAIN_LATER, "too slow")
    if request.transport is not None:
        request.transport.abort()


async def _close(socket: web.WebSocketResponse, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await socket.close(code=code, message=reason.encode())
    except TimeoutError:
        log.debug("A realtime client did not answer the close")
