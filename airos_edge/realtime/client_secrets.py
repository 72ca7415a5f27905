"""`POST /v1/realtime/client_secrets`: a server has a key made that its page or device may be given.

What the session is to be is checked and kept with it, and holds for who connects with it. The two older
addresses take and give the flat sessions of the beta.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from airos_edge.errors import LimitReached, ProtocolError
from airos_edge.realtime import checks
from airos_edge.realtime.configuration import new_configuration, updated
from airos_edge.realtime.dialect import nested, session_out, transcribing
from airos_edge.realtime.frames import decoded
from airos_edge.refusal import refused
from airos_edge.scopes import REALTIME, TRANSCRIPTION
from airos_edge.visitor import VISITOR, Visitor
from airos_edge.voice.ids import new_id

SHORTEST_S, USUAL_S, LONGEST_S = 10, 600, 7200
LARGEST_SESSION = 256 * 1024
"""Characters of JSON; many may be kept at once."""
Make = Callable[[str, Mapping[str, Any], int], tuple[str, int]]
"""A secret, made with the key of this name, for this session and so many seconds: its value, and when it
expires. Raises LimitReached."""


def client_secret_routes(make: Make) -> list[web.RouteDef]:
    async def post_secret(request: web.Request) -> web.Response:
        body = await _body_of(request)
        seconds = _seconds(body.get("expires_after"), "expires_after")
        given = checks.mapping("session", body.get("session") or {})
        value, expires_at, session = _made(request, make, given, seconds)
        return web.json_response({"value": value, "expires_at": expires_at, "session": session})

    async def post_session(request: web.Request) -> web.Response:
        body = await _body_of(request)
        wanted = checks.mapping("client_secret", body.pop("client_secret", None) or {})
        seconds = _seconds(wanted.get("expires_after"), "client_secret.expires_after")
        is_transcription = request.path.endswith("transcription_sessions")
        given = nested(body)
        given = transcribing(given) if is_transcription else {**given, "type": REALTIME}
        value, expires_at, session = _made(request, make, given, seconds)
        secret = {"value": value, "expires_at": expires_at}
        return web.json_response({**session_out(session), "client_secret": secret})

    return [
        web.post("/v1/realtime/client_secrets", _with_errors(post_secret)),
        web.post("/v1/realtime/sessions", _with_errors(post_session)),
        web.post("/v1/realtime/transcription_sessions", _with_errors(post_session)),
    ]


def _made(
    request: web.Request, make: Make, given: Mapping[str, Any], seconds: int
) -> tuple[str, int, dict[str, Any]]:
    visitor: Visitor = request.get(VISITOR, Visitor())
    kind = checks.one_of(REALTIME, TRANSCRIPTION)("session.type", given.get("type", REALTIME))
    if visitor.session is not None or kind not in visitor.scopes:
        raise web.HTTPForbidden
    if len(json.dumps(given)) > LARGEST_SESSION:
        message = f"The session is larger than {LARGEST_SESSION // 1024} KiB."
        raise ProtocolError(message, code="invalid_value", param="session")
    model = given.get("model") or "airos"
    checks.text("session.model", model)
    configuration = updated(new_configuration(new_id("sess"), model, kind, 0), given)
    value, expires_at = make(visitor.key, {**given, "type": kind}, seconds)
    return value, expires_at, {**configuration, "expires_at": expires_at}


def _seconds(expires_after: Any, path: str) -> int:
    given = checks.mapping(path, {} if expires_after is None else expires_after)
    checks.one_of("created_at")(f"{path}.anchor", given.get("anchor", "created_at"))
    seconds = given.get("seconds", USUAL_S)
    return int(checks.number(SHORTEST_S, LONGEST_S)(f"{path}.seconds", seconds))


async def _body_of(request: web.Request) -> dict[str, Any]:
    data = await request.read()
    try:
        return decoded(data) if data.strip() else {}
    except ProtocolError:
        why = "The body is not valid JSON, or is nested too deeply."
        raise ProtocolError(why, code="invalid_json") from None


Handler = Callable[[web.Request], Any]


def _with_errors(handler: Handler) -> Handler:
    """What is wrong, in OpenAI's form."""

    async def answer(request: web.Request) -> web.Response:
        try:
            answered: web.Response = await handler(request)
            return answered
        except ProtocolError as error:
            return refused(400, str(error), error.code, error.param)
        except web.HTTPForbidden:
            why = "This API key may not make client secrets of this kind."
            return refused(403, why, "insufficient_permissions")
        except LimitReached as error:
            after_s = error.retry_after_s
            return refused(429, str(error), "rate_limit_exceeded", retry_after_s=after_s)

    return answer
