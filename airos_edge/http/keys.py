"""Who may come in by TCP: who brings an API key, or, while there is none, everyone on this box."""

import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from airos_edge.http.settings import Settings, is_loopback, refuse_strangers

IN_A_SUBPROTOCOL = "openai-insecure-api-key."
"""How a browser brings its key, since it cannot set headers of a WebSocket."""
OPEN_TO_ALL = {"/healthz"}


def guard(settings: Settings) -> Middleware:
    """Answers 401, in OpenAI's form, to who brings no key of `server.api_keys`.

    While there are none, everyone on this box may come in, but no web page of another site, which a
    browser on this box would let in unasked: it gets 403. Raises ConfigError as `refuse_strangers` does.
    """
    keys = [key.value for key in settings.api_keys]
    refuse_strangers(settings)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_TO_ALL:
            return await handler(request)
        if keys and not _brings(request, keys):
            why = "No valid API key was provided; server.api_keys in the configuration has them."
            return _refusal(401, "invalid_api_key", why)
        if not keys and not _is_from_here(request):
            why = "A web page of another site may not come in unless it brings an API key, and there is none."
            return _refusal(403, "invalid_origin", why)
        return await handler(request)

    return check


def _refusal(status: int, code: str, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "code": code}
    return web.json_response({"error": error}, status=status)


def _is_from_here(request: web.Request) -> bool:
    """Only browsers say where a page comes from; one that will not ("null") may come from anywhere."""
    origin = request.headers.get(hdrs.ORIGIN)
    try:
        return origin is None or is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False


def _brings(request: web.Request, keys: Sequence[str]) -> bool:
    scheme, _, bearer = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    protocols = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")
    brought = [
        bearer.strip() if scheme.lower() == "bearer" else "",
        request.headers.get("api-key", ""),
        *(protocol.strip().removeprefix(IN_A_SUBPROTOCOL) for protocol in protocols),
    ]
    return any(hmac.compare_digest(a.encode(), b.encode()) for a in brought for b in keys)
