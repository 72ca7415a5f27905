"""Who may come in by TCP: who brings a key, or, while there is none, everyone on this box; and how much."""

import logging
from contextlib import ExitStack
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from airos_edge.errors import AirosError, LimitReached
from airos_edge.http.keys import EVERYONE, Expired, Holder, Keys, brought, needed_for
from airos_edge.http.proxies import address_of, counted_as, is_from_here
from airos_edge.http.settings import Settings, is_loopback, refuse_strangers, refuse_unknown
from airos_edge.network import networks_of
from airos_edge.quota import Quotas
from airos_edge.refusal import refused
from airos_edge.visitor import VISITOR, Visitor

log = logging.getLogger(__name__)

OPEN_TO_ALL = {"/healthz"}


class _Refused(Exception):
    """Somebody does not come in: what they are told."""

    def __init__(
        self, status: int, code: str, message: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


def guard(settings: Settings, keys: Keys | None = None, quotas: Quotas | None = None) -> Middleware:
    """Answers 401, 403, 429 or 503, in OpenAI's form, to who may not come in; who may is known to the
    handler as `request[VISITOR]`, and counted while it runs.

    While there is no key, everyone on this box may, but no web page of another site, which a browser on
    this box would let in unasked. Raises ConfigError for what `settings` may not be.
    """
    keys = keys or Keys(settings.api_keys)
    quotas = quotas or Quotas(settings.limits)
    refuse_unknown(settings)
    refuse_strangers(settings, keys.exist)
    trusted = networks_of(settings.trusted_proxies)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN_TO_ALL:
            return await handler(request)
        address = address_of(request, trusted)
        with ExitStack() as visit:
            try:
                holder = _holder(request, keys)
                whose = counted_as(address)
                admitted = quotas.admitted(holder.name, whose, _is_session(request))
                meter = visit.enter_context(admitted)
            except _Refused as why:
                return _answer(why, address)
            except LimitReached as reached:
                return _answer(_too_much(reached), address)
            meter.spend("messages", 1)
            said_bytes = request.content_length or 0
            meter.spend("bytes", said_bytes)
            request[VISITOR] = Visitor(holder.name, address, holder.scopes, meter, holder.session)
            try:
                return await handler(request)
            finally:  # who sends in chunks says no length
                meter.spend("bytes", max(0, request.content.total_bytes - said_bytes))

    return check


def _holder(request: web.Request, keys: Keys) -> Holder:
    try:
        found = [holder for key in brought(request) if (holder := keys.holder(key))]
        is_open = not keys.exist
    except Expired:
        why = "The client secret has expired, or the key that it was made with was revoked."
        raise _Refused(401, "invalid_api_key", why) from None
    except AirosError as error:
        log.error("Nobody comes in: %s", error)
        raise _Refused(
            503, "keys_unreadable", "The box cannot read its keys; see its log."
        ) from None
    if not found and not is_open:
        why = "No valid API key was provided. `airos keys add NAME` on the box makes one."
        raise _Refused(401, "invalid_api_key", why)
    if not found:
        _refuse_from_elsewhere(request)
    holder = found[0] if found else EVERYONE
    if not holder.scopes & needed_for(request.path):
        why = f"This API key is for {', '.join(sorted(holder.scopes))} only."
        raise _Refused(403, "insufficient_permissions", why)
    return holder


def _refuse_from_elsewhere(request: web.Request) -> None:
    """While there is no key. Raises _Refused."""
    if not is_from_here(request):
        why = "While there is no API key, only this box itself may come in. `airos keys add NAME` makes one."
        raise _Refused(401, "invalid_api_key", why)
    origin = request.headers.get(hdrs.ORIGIN)
    try:  # only browsers say where a page comes from; one that will not ("null") may come from anywhere
        is_ours = origin is None or is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        is_ours = False
    if not is_ours:
        why = "A web page of another site may not come in unless it brings an API key, and there is none."
        raise _Refused(403, "invalid_origin", why)


def _is_session(request: web.Request) -> bool:
    return request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"


def _too_much(reached: LimitReached) -> _Refused:
    status, code = (503, "box_is_full") if reached.of_the_box else (429, "rate_limit_exceeded")
    why = str(reached)
    return _Refused(status, code, f"{why[0].upper()}{why[1:]}.", reached.retry_after_s)


def _answer(why: _Refused, address: str) -> web.Response:
    log.info("Refused %s: %s", address, why)
    headers: dict[str, str] = {}
    if why.status == 401:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    return refused(why.status, str(why), why.code, retry_after_s=why.retry_after_s, headers=headers)
