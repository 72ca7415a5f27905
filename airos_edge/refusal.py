"""An answer that refuses, over HTTP, in the form from which OpenAI's clients take message and code."""

import math
from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

KINDS = {429: "rate_limit_error", 503: "server_error"}
"""What kind of error a status is; the others are of the request."""


def refusal(
    message: str, code: str | None, kind: str = "invalid_request_error", param: str | None = None
) -> dict[str, Any]:
    """Its body."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def refused(
    status: int,
    message: str,
    code: str | None,
    param: str | None = None,
    retry_after_s: float | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """`retry_after_s`: when to come again, at the soonest in a second."""
    body = refusal(message, code, KINDS.get(status, "invalid_request_error"), param)
    told = dict(headers or {})
    if retry_after_s is not None:
        told[hdrs.RETRY_AFTER] = str(max(1, math.ceil(retry_after_s)))
    return web.json_response(body, status=status, headers=told)
