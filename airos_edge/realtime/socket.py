"""The WebSocket: frames in and out, and every way in which a connection ends."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from airos_edge.errors import AirosError, ProtocolError
from airos_edge.network import place_of
from airos_edge.realtime import messages
from airos_edge.realtime.configuration import new_configuration, updated
from airos_edge.realtime.conversation import Conversation
from airos_edge.realtime.dialect import asks_for_beta
from airos_edge.realtime.outgoing import Outgoing
from airos_edge.realtime.protocol import receive
from airos_edge.realtime.recording import Folder, Recorder, recorder
from airos_edge.realtime.servers import ClientServers, Tools
from airos_edge.refusal import refused
from airos_edge.scopes import REALTIME, TRANSCRIPTION
from airos_edge.visitor import VISITOR, Visitor
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event, ReplyEnded
from airos_edge.voice.flow import Scope
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import OpenMouth
from airos_edge.voice.session import Session

log = logging.getLogger(__name__)

LARGEST_FRAME = 64 * 1024 * 1024
"""A larger one closes the connection; what is smaller and too large still is told so by an error event."""
HEARTBEAT_S = 20.0
SESSION_S = 60 * 60
CLOSE_S = 2.0
RESTART_S = 5
"""After so long the daemon is there again, where systemd starts it."""
NO_MODEL = (None, "commands")
"""Who answered where no model was called."""

ERROR_TYPES = {"rate_limit_exceeded": "rate_limit_error", "invalid_api_key": "authentication_error"}
"""What kind of error these are, as OpenAI has it; the others are of the request."""


class Box(Protocol):
    """What the door opens onto."""

    @property
    def tools(self) -> Tools: ...
    def rules(self) -> TurnRules: ...
    def voices(self) -> Collection[str] | None: ...
    def open_session(
        self, tell: Callable[[Event], None], open_mouth: OpenMouth, rules: TurnRules
    ) -> Session: ...


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the box ends a connection: as a close code, and before it as an error of this code."""

    code: int
    reason: str
    error: str | None = None


TOO_SLOW = Ending(WSCloseCode.TRY_AGAIN_LATER, "the client does not read")
STOPPING = Ending(WSCloseCode.SERVICE_RESTART, "the daemon stops")


def expired(session_s: float) -> Ending:
    minutes = f"{session_s / 60:g}"
    reason = f"Your session hit the maximum duration of {minutes} minutes."
    return Ending(WSCloseCode.GOING_AWAY, reason, "session_expired")


class Connection:
    """One client's: what it is sent, and how it ends. `session` is there once it has begun."""

    session: Session

    def __init__(self, visitor: Visitor, recorded: Recorder) -> None:
        self.visitor = visitor
        self.recorded = recorded
        self.outgoing = Outgoing(lambda: self.end(TOO_SLOW), recorded.server)
        self.ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.closed = asyncio.Event()
        visitor.meter.when_stopped = lambda why, error: self.end(
            Ending(WSCloseCode.POLICY_VIOLATION, why, error)
        )

    def end(self, ending: Ending) -> None:
        """The first ending is the one."""
        if not self.ending.done():
            self.ending.set_result(ending)

    async def end_when_answered(self, ending: Ending) -> None:
        """When what is being answered has been, and the client has it."""
        for reply in self.session.replies.running.values():
            if reply.committed.is_set():
                await reply.ended.wait()
        await self.outgoing.drained()
        self.end(ending)

    async def close_when_ended(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        ending = await self.ending
        log.info("A realtime client is closed (%d): %s", ending.code, ending.reason)
        if ending.error is not None:
            told = messages.error(ending.reason, ending.error, None, None)
            told["error"]["type"] = ERROR_TYPES.get(ending.error, told["error"]["type"])
            self.outgoing.put({"event_id": new_id("event"), **told})
        self.outgoing.shut()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.outgoing.drained()
                await socket.close(code=ending.code, message=_close_reason(ending.reason))
        if transport is not None:
            transport.abort()  # who has not answered by now will not
        self.closed.set()

    def count(self, event: Event) -> None:
        """What an answer took."""
        if isinstance(event, ReplyEnded):
            outcome = event.outcome
            self.visitor.meter.spend("tokens", outcome.input_tokens + outcome.output_tokens)
            self.visitor.meter.spend("model_calls", int(outcome.tier not in NO_MODEL))


class RealtimeDoor:
    """`/v1/realtime`, and `/` and `/v1` for clients that know no path. A session lasts `session_s`."""

    def __init__(
        self, box: Box, recordings: Folder | None = None, session_s: float = SESSION_S
    ) -> None:
        self._box = box
        self._recordings = recordings
        self._session_s = session_s
        self._open: set[Connection] = set()
        self._stops = False

    def routes(self) -> list[web.RouteDef]:
        return [web.get(path, self._handle) for path in ("/v1/realtime", "/v1", "/")]

    async def close(self, grace_s: float) -> None:
        """The daemon stops: nobody new comes in, running answers end, within the grace, and everyone is
        told to come again, each as soon as its own has ended."""
        self._stops = True
        connections = list(self._open)
        async with Scope() as scope:
            for connection in connections:
                scope.start(connection.end_when_answered(STOPPING), "farewell")
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    for connection in connections:
                        await connection.closed.wait()
            for connection in connections:
                connection.session.replies.cancel_all("the daemon stops")
                connection.end(STOPPING)
            for connection in connections:
                await connection.closed.wait()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            why = "This is a WebSocket: the Realtime API."
            return refused(426, why, "websocket_required", headers={"Upgrade": "websocket"})
        if self._stops:
            return _unavailable("The daemon stops; come again.")
        visitor = request.get(VISITOR, Visitor())
        recorded = recorder(self._recordings, request.query, request.headers)
        connection = Connection(visitor, recorded)
        conversation = Conversation(
            self._configuration(request, visitor),
            self._box.rules(),
            connection.outgoing.put,
            connection.outgoing.room,
            ClientServers(lambda: self._box.tools, place_of(visitor.address or "localhost")),
            self._box.voices,
            asks_for_beta(request.headers),
        )
        conversation.rate_limits = visitor.meter.rate_limits

        def tell(event: Event) -> None:
            connection.count(event)
            conversation.tell(event)

        try:
            session = self._box.open_session(tell, conversation.open_mouth, conversation.rules())
        except AirosError as error:
            return _unavailable(str(error))
        socket = web.WebSocketResponse(
            protocols=("realtime",),
            max_msg_size=LARGEST_FRAME,
            heartbeat=HEARTBEAT_S,
            timeout=CLOSE_S,
        )
        await socket.prepare(request)
        async with session, Scope() as scope:
            scope.start(_until_gone(connection.outgoing, socket), "realtime writer")
            scope.start(connection.close_when_ended(socket, request.transport), "realtime closer")
            await self._converse(connection, conversation, session, socket)
        return socket

    async def _converse(
        self,
        connection: Connection,
        conversation: Conversation,
        session: Session,
        socket: web.WebSocketResponse,
    ) -> None:
        """Until the client goes or has to."""
        connection.session = session
        self._open.add(connection)
        loop, meter = asyncio.get_running_loop(), connection.visitor.meter
        timer = loop.call_later(self._session_s, connection.end, expired(self._session_s))
        try:
            conversation.begin(session)
            async for message in socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    continue
                if connection.ending.done():
                    continue  # who has to go is heard no more, but its close is
                meter.spend("messages", 1)
                meter.spend("bytes", len(message.data))
                heard_ms = session.heard_ms
                connection.recorded.client(frame := _text_of(message))
                for _ in receive(conversation, frame):
                    await asyncio.sleep(0)
                meter.spend("audio_s", (session.heard_ms - heard_ms) / 1000)
        except ConnectionError:  # aiohttp answers pings itself, of one who has gone as well
            log.debug("A realtime client went before its ping was answered")
        finally:
            timer.cancel()
            conversation.end()
            connection.recorded.close()
            self._open.discard(connection)
            connection.closed.set()

    def _configuration(self, request: web.Request, visitor: Visitor) -> dict[str, Any]:
        """What the session begins with: by the query, the key's scope, and a client secret."""
        given: Mapping[str, Any] = visitor.session or {}
        kind = REALTIME if REALTIME in visitor.scopes else TRANSCRIPTION
        if request.query.get("intent") == TRANSCRIPTION or given.get("type") == TRANSCRIPTION:
            kind = TRANSCRIPTION
        asked = request.query.get("model") or request.query.get("deployment")  # so Azure calls it
        model = given.get("model") or asked or "airos"
        expires_at = int(time.time() + self._session_s)
        configuration = new_configuration(new_id("sess"), model, kind, expires_at)
        try:
            return updated(configuration, {**given, "type": kind}) if given else configuration
        except ProtocolError:  # it was checked when the secret was made
            log.exception("A client secret's session cannot be")
            return configuration


def _unavailable(why: str) -> web.Response:
    return refused(503, why, "unavailable", retry_after_s=RESTART_S)


def _text_of(message: WSMessage) -> str:
    """Some clients send JSON in binary frames."""
    return str(
        message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
    )


def _close_reason(reason: str) -> bytes:
    """RFC 6455 has room for 123 bytes."""
    return reason.encode()[:123].decode(errors="ignore").encode()


async def _until_gone(outgoing: Outgoing, socket: web.WebSocketResponse) -> None:
    try:
        await outgoing.write_to(socket)
    except ConnectionError:
        log.debug("A realtime client went while it was written to")
