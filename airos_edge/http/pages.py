"""Web pages of other origins: what a browser wants to be told before it lets them use `/v1`.

OpenAI's API lets every page in that has a key, and so do we. That is safe because nothing is known of a
visitor but its key: there is no cookie that a browser would add by itself. While there is no key, the guard
refuses pages of other sites. See https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

OURS = "/v1/"
PREFLIGHT_S = 600
"""How long a browser may remember the answer."""


@web.middleware
async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers what a browser asks beforehand, and without a key."""
    asked = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    if request.method != hdrs.METH_OPTIONS or not asked or not request.path.startswith(OURS):
        return await handler(request)
    wanted = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "")
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST",
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: wanted,  # "*" would not be Authorization
        hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_S),
    }
    return web.Response(status=204, headers=headers)


async def let_pages_read(request: web.Request, response: web.StreamResponse) -> None:
    """A signal of the application, since a stream's headers have gone when its handler ends."""
    if hdrs.ORIGIN in request.headers and request.path.startswith(OURS):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = hdrs.RETRY_AFTER
