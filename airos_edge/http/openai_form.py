"""What OpenAI's REST endpoints share: the form of an error, how many are at work, a client that goes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import hdrs, web

from airos_edge.errors import AirosError, BusyError, EngineError, ProtocolError, RecordingError
from airos_edge.refusal import refusal
from airos_edge.voice.flow import Scope

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RETRY_AFTER_S = 1
LOOK_S = 0.25
"""How often it is looked whether the client is still there; aiohttp tells a handler only when it writes."""
EVENT_STREAM = {hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-cache"}


class TooLarge(AirosError):
    """The request is larger than what is taken."""


class Gone(AirosError):
    """The client does not wait for its answer any more."""


def answering(handler: Handler) -> Handler:
    """With our errors in the form, and with the status, that OpenAI's clients know."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except AirosError as error:
            return error_response(error)
        except ConnectionResetError:
            return error_response(Gone("the connection was lost"))

    return answer


def error_response(error: AirosError) -> web.Response:
    headers: Mapping[str, str] = {}
    match error:
        case BusyError():
            status, headers = 503, {hdrs.RETRY_AFTER: str(RETRY_AFTER_S)}
        case EngineError():
            status = 503
        case TooLarge():
            status = 413
        case ProtocolError(code="model_not_found"):
            status = 404
        case _:
            status = 400
    return web.json_response({"error": error_body(error)}, status=status, headers=headers)


def error_body(error: AirosError) -> dict[str, Any]:
    code, param = None, None
    match error:
        case ProtocolError():
            code, param = error.code, error.param
        case RecordingError() | TooLarge():
            code, param = "invalid_value", "file"
        case BusyError():
            code = "server_busy"
        case EngineError():
            code = "engine_failed"
    is_ours = isinstance(error, BusyError | EngineError)
    kind = "server_error" if is_ours else "invalid_request_error"
    whole: dict[str, Any] = refusal(str(error), code, kind, param)["error"]
    return whole


def sse(event: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(event)}\n\n".encode()


class Places:
    """How many may be at work at once."""

    def __init__(self, most: int, what: str) -> None:
        self._most = most
        self._what = what
        self._taken = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Raises BusyError where all are taken."""
        if self._taken >= self._most:
            raise BusyError(f"{self._most} {self._what} are being made already; try again")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


async def while_there(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. It is cancelled when the client goes; then raises Gone."""
    async with Scope() as scope:
        task = scope.start(work, request.path)
        while not task.done():
            await asyncio.wait([task], timeout=LOOK_S)
            if request.transport is None or request.transport.is_closing():
                raise Gone("the client has gone")
        return await task
