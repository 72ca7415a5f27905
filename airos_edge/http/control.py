"""The control API: what `airos ask`, `say`, `listen`, `check`, `reload` and `models` say to the daemon."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web

from airos_edge.errors import AirosError
from airos_edge.http.ask import OpenAsking, ask
from airos_edge.http.limits import text_within
from airos_edge.http.recording import decode
from airos_edge.http.watching import Line, line_of, lost
from airos_edge.voice.hub import Hub, Watch

log = logging.getLogger(__name__)

WATCHED = 1024
"""Events kept for who listens: half a minute of one conversation. What is older is lost to them."""
QUIET_S = 5.0


def control_routes(
    open_session: OpenAsking,
    say: Callable[[str, bool], Awaitable[bytes]],
    check: Callable[[], dict[str, Any]],
    reload: Callable[[], Awaitable[str]],
    hub: Hub,
) -> list[web.RouteDef]:
    """`say` speaks a text, aloud on the box if it may and can, or else gives the speech as WAV; `reload`
    says what it changed."""

    async def post_ask(request: web.Request) -> web.Response:
        if request.content_type == "application/json":
            question: str | bytes = await _text_of(request, "ask")
        else:
            question = await asyncio.to_thread(decode, await request.read())
        answer = await ask(question, open_session)
        return web.json_response(
            answer.as_json() | {"audio": base64.b64encode(answer.wav).decode()}
        )

    async def post_say(request: web.Request) -> web.Response:
        wav = await say(await _text_of(request, "say"), "quiet" not in request.query)
        return web.json_response({"audio": base64.b64encode(wav).decode()})

    async def get_check(request: web.Request) -> web.Response:
        return web.json_response(check())

    async def post_reload(request: web.Request) -> web.Response:
        return web.json_response({"changed": await reload()})

    async def get_listen(request: web.Request) -> web.StreamResponse:
        """What the ears think from now on, a JSON object a line; an empty line when it is quiet."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        with hub.watch(WATCHED) as watch:
            await response.prepare(request)
            try:
                async for line in _lines(watch):
                    await response.write(line)
            except ConnectionError:
                log.debug("Who listened has gone")
        return response

    return [
        web.post("/api/ask", with_errors(post_ask)),
        web.post("/api/say", with_errors(post_say)),
        web.get("/api/check", with_errors(get_check)),
        web.post("/api/reload", with_errors(post_reload)),
        web.get("/api/listen", get_listen),
    ]


def stored_models_routes(
    directory: Path, changed: Callable[[], Awaitable[Mapping[str, str]]]
) -> list[web.RouteDef]:
    """What `airos models` says to the daemon. `directory`: where models are looked for; `changed` takes up
    what lies there by now, and gives by port what is used instead from the next turn on."""
    where = str(directory.absolute())

    where = str(directory.absolute())

    async def get_models(request: web.Request) -> web.Response:
        return web.json_response({"directory": where})

    async def post_changed(request: web.Request) -> web.Response:
        return web.json_response({"changed": dict(await changed())})

    return [
        web.get("/api/models", with_errors(get_models)),
        web.post("/api/models/changed", with_errors(post_changed)),
    ]


def health_routes(health: Callable[[], dict[str, Any]]) -> list[web.RouteDef]:
    """`/healthz`: 200 while everything that is configured works, 503 with the parts that do not."""

    async def get_health(request: web.Request) -> web.Response:
        state = health()
        return web.json_response(state, status=200 if state["status"] == "ok" else 503)

    return [web.get("/healthz", get_health)]


def metrics_routes(expose: Callable[[str], tuple[bytes, str]]) -> list[web.RouteDef]:
    """`/metrics`, for Prometheus: `expose` makes text and content type of what the reader accepts."""

    async def get_metrics(request: web.Request) -> web.Response:
        text, content_type = expose(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=text, headers={hdrs.CONTENT_TYPE: content_type})

    return [web.get("/metrics", get_metrics)]


async def _lines(watch: Watch) -> AsyncIterator[bytes]:
    """As they come. An empty one after a while shows whether anybody still listens."""
    known_dropped = 0
    while True:
        try:
            async with asyncio.timeout(QUIET_S):
                line = line_of(await anext(watch))
        except TimeoutError:
            yield b"\n"
            continue
        if watch.dropped > known_dropped:
            yield _encoded(lost(watch.dropped - known_dropped))
            known_dropped = watch.dropped
        if line is not None:
            yield _encoded(line)


def _encoded(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


Handler = Callable[[web.Request], Awaitable[web.Response]]


def with_errors(handler: Handler) -> Handler:
    """Our errors are sentences for the user: they travel as such."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except AirosError as error:
            return web.json_response({"error": str(error)}, status=400)
        except ConnectionResetError:  # the client has gone; nobody will read this
            return web.json_response({"error": "the connection was lost"}, status=400)

    return answer


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object that it brings. Raises AirosError."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise AirosError(f"the request's body is not JSON: {error}") from None
    return body if isinstance(body, dict) else {}


async def _text_of(request: web.Request, purpose: str) -> str:
    text = (await body_of(request)).get("text")
    if not isinstance(text, str):
        raise AirosError('the request\'s body wants the form {"text": "…"}')
    return text_within(text, purpose)
