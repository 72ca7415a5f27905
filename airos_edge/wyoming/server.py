"""The listener: who may connect, how many at once, and how long somebody may say nothing."""

import asyncio
import logging
import os
import stat
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from airos_edge.errors import AirosError
from airos_edge.network import Network, is_among, networks_of
from airos_edge.voice.flow import Scope
from airos_edge.wyoming.connection import Connection
from airos_edge.wyoming.frames import HEADER_BYTES, reason
from airos_edge.wyoming.settings import Address, address_of

log = logging.getLogger(__name__)

MOST_OF_A_PEER = 32
"""Connections of one address; those of a Unix socket count as one. Home Assistant opens three for a
question, and one every 30 s."""
MOST = 128
MOST_REFUSED = 32
"""Who is refused is told why, and given a moment to read it; of more than these at once, nobody is."""
LINGER_S = 5.0
"""What a peer has not taken so long after the end is thrown away: else it would keep the socket open."""

Serve = Callable[[Connection], Awaitable[None]]


@asynccontextmanager
async def listen(uri: str, allow: Sequence[str], serve: Serve) -> AsyncIterator[Address]:
    """Has `serve` talk to everyone who connects and may; gives the address, with its real port.

    Leaving the block ends every connection. Raises AirosError when it cannot listen there.
    """
    try:
        address, networks = address_of(uri), networks_of(allow)
    except ValueError as error:
        raise AirosError(str(error)) from error
    async with Scope() as scope:
        door = Door(networks, serve)

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            scope.start(door.talk(reader, writer), "wyoming connection")

        server = await _open(address, connected)
        try:
            port = 0 if address.path else server.sockets[0].getsockname()[1]
            yield replace(address, port=port)
        finally:
            server.close()
            if address.path:
                _remove(address.path)


Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


async def _open(address: Address, connected: Connected) -> asyncio.Server:
    try:
        if address.path:
            await _refuse_a_living(address.path)
            return await asyncio.start_unix_server(connected, address.path, limit=HEADER_BYTES)
        return await asyncio.start_server(connected, address.host, address.port, limit=HEADER_BYTES)
    except OSError as error:
        raise AirosError(f"cannot listen on {address}: {reason(error)}") from error


async def _refuse_a_living(path: str) -> None:
    """asyncio removes a socket that is in the way, whether or not somebody still listens on it."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return
    writer.close()
    raise AirosError(f"cannot listen on unix://{path}: another program does")


def _remove(path: str) -> None:
    if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
        os.unlink(path)


class Door:
    def __init__(self, networks: Sequence[Network], serve: Serve) -> None:
        self._networks = networks
        self._serve = serve
        self._open: Counter[str] = Counter()
        self._refused = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peername = writer.get_extra_info("peername")
        peer = peername[0] if isinstance(peername, tuple) else ""
        connection = Connection(reader, writer)
        refusal = self._refusal(peer)
        try:
            if refusal:
                await self._refuse(connection, peer, refusal)
            else:
                await self._let_in(connection, peer)
        finally:
            writer.close()
            asyncio.get_running_loop().call_later(LINGER_S, writer.transport.abort)

    async def _let_in(self, connection: Connection, peer: str) -> None:
        self._open[peer] += 1
        try:
            await self._serve(connection)
        finally:
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]

    async def _refuse(self, connection: Connection, peer: str, why: str) -> None:
        """Costs nobody else a place."""
        if self._refused >= MOST_REFUSED:
            return
        log.info("A Wyoming connection of %s was refused: %s", peer or "here", why)
        self._refused += 1
        try:
            await connection.refuse(AirosError(why))
        finally:
            self._refused -= 1

    def _refusal(self, peer: str) -> str:
        if peer and not is_among(peer, self._networks):
            return f"{peer} is not in wyoming.allow"
        if self._open[peer] >= MOST_OF_A_PEER or self._open.total() >= MOST:
            return "too many connections"
        return ""
