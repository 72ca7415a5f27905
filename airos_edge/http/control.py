"""The control API: what `airos ask`, `say`, `check` and `reload` say to the daemon."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from airos_edge.errors import AirosError
from airos_edge.http.ask import OpenAsking, ask
from airos_edge.http.limits import text_within
from airos_edge.http.recording import decode


def control_routes(
    open_session: OpenAsking,
    say: Callable[[str], Awaitable[bytes]],
    check: Callable[[], dict[str, Any]],
    reload: Callable[[], Awaitable[str]],
) -> list[web.RouteDef]:
    """`say` speaks on the box and gives the speech as WAV; `reload` says what it changed."""

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
        wav = await say(await _text_of(request, "say"))
        return web.json_response({"audio": base64.b64encode(wav).decode()})

    async def get_check(request: web.Request) -> web.Response:
        return web.json_response(check())

    async def post_reload(request: web.Request) -> web.Response:
        return web.json_response({"changed": await reload()})

    return [
        web.post("/api/ask", _with_errors(post_ask)),
        web.post("/api/say", _with_errors(post_say)),
        web.get("/api/check", _with_errors(get_check)),
        web.post("/api/reload", _with_errors(post_reload)),
    ]


def health_routes(health: Callable[[], dict[str, Any]]) -> list[web.RouteDef]:
    """`/healthz`: 200 while everything that is configured works, 503 with the parts that do not."""

    async def get_health(request: web.Request) -> web.Response:
        state = health()
        return web.json_response(state, status=200 if state["status"] == "ok" else 503)

    return [web.get("/healthz", get_health)]


Handler = Callable[[web.Request], Awaitable[web.Response]]


def _with_errors(handler: Handler) -> Handler:
    """Our errors are sentences for the user: they travel as such."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except AirosError as error:
            return web.json_response({"error": str(error)}, status=400)
        except ConnectionResetError:  # the client has gone; nobody will read this
            return web.json_response({"error": "the connection was lost"}, status=400)

    return answer


async def _text_of(request: web.Request, purpose: str) -> str:
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise AirosError(f"the request's body is not JSON: {error}") from None
    text = body.get("text") if isinstance(body, dict) else None
    if not isinstance(text, str):
        raise AirosError('the request\'s body wants the form {"text": "…"}')
    return text_within(text, purpose)
