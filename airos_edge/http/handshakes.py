"""Who connects and then says nothing is not waited for: it would keep one of the files that we may open."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HANDSHAKE_S = 10.0
"""From a connection to the last header of its first request, TLS within it."""
MOST_WAITING = 256
"""Connections that have said nothing yet. When there are more, the oldest makes way."""


class Handshakes:
    """The connections whose first request has not come yet."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    def watched(self, factory: Callable[[], Any]) -> Callable[[], asyncio.Protocol]:
        """The factory of aiohttp's protocols, and each is given so long."""

        def make() -> asyncio.Protocol:
            protocol: Any = factory()
            while len(self._waiting) >= MOST_WAITING:
                self._give_up(next(iter(self._waiting)))
            loop = asyncio.get_running_loop()
            self._waiting[protocol] = loop.call_later(HANDSHAKE_S, self._give_up, protocol)
            return protocol  # type: ignore[no-any-return]

        return make

    @property
    def seen(self) -> Middleware:
        """The middleware by which a request is known to have come."""

        @web.middleware
        async def seen(request: web.Request, handler: Handler) -> web.StreamResponse:
            timer = self._waiting.pop(request.protocol, None)
            if timer is not None:
                timer.cancel()
            return await handler(request)

        return seen

    def _give_up(self, protocol: Any) -> None:
        self._waiting.pop(protocol).cancel()
        if protocol.transport is not None:
            protocol.transport.abort()
        else:  # TLS is still being agreed on
            protocol.force_close()
