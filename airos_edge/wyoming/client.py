"""The other side: a connection to somebody's Wyoming service, as an engine needs it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from wyoming.event import Event, Eventable

from airos_edge.errors import EngineError, ProtocolError
from airos_edge.wyoming.frames import HEADER_BYTES, frame_of, parsed, read_event, reason, text_of
from airos_edge.wyoming.settings import address_of

T = TypeVar("T")

CONNECT_S = 3.0
"""A service of the LAN that has not answered by then is not there."""
LONGEST_WHY = 300
SEND_S = 10.0
"""A service that takes nothing more for so long hangs."""


class Wire:
    """Events to and from one service. Get it from `connect`."""

    def __init__(
        self, uri: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._uri = uri
        self._reader = reader
        self._writer = writer

    async def send(self, message: Eventable) -> None:
        """Waits until the service keeps up. Raises EngineError when it does not, or has gone."""
        try:
            self._writer.write(frame_of(message))
            async with asyncio.timeout(SEND_S):
                await self._writer.drain()
        except TimeoutError:
            raise EngineError(self._uri, f"took nothing for {SEND_S:g} s") from None
        except OSError as error:
            raise EngineError(self._uri, "the connection was lost") from error

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Its events; never ends.

        Raises EngineError for an error event, for what is no event, and when the service goes.
        """
        while True:
            try:
                event = await read_event(self._reader)
            except ProtocolError as error:
                raise EngineError(self._uri, str(error)) from error
            if event is None:
                raise EngineError(self._uri, "it closed the connection before it had answered")
            if event.type == "error":
                raise EngineError(self._uri, _one_line(self.read(event, text_of)))
            yield event

    def read(self, event: Event, how: Callable[[Event], T]) -> T:
        """The event as a message of the package, or what else is in it. Raises EngineError."""
        try:
            return parsed(event, how)
        except ProtocolError as error:
            raise EngineError(self._uri, str(error)) from error


def _one_line(text: str) -> str:
    """What others say is wrong goes into our log and our health, as one line that can be printed."""
    printable = "".join(char if char.isprintable() else " " for char in text[:LONGEST_WHY])
    return " ".join(printable.split())


@asynccontextmanager
async def connect(uri: str) -> AsyncIterator[Wire]:
    """Leaving the block, as by cancelling, closes the connection at once: the service's sign to stop.

    Raises EngineError, named by the URI, when it cannot be reached.
    """
    address = address_of(uri)
    try:
        async with asyncio.timeout(CONNECT_S):
            if address.path:
                opening = asyncio.open_unix_connection(address.path, limit=HEADER_BYTES)
            else:
                opening = asyncio.open_connection(address.host, address.port, limit=HEADER_BYTES)
            reader, writer = await opening
    except TimeoutError:
        raise EngineError(uri, f"does not answer within {CONNECT_S:g} s") from None
    except OSError as error:
        raise EngineError(uri, f"cannot be reached: {reason(error)}") from error
    try:
        yield Wire(uri, reader, writer)
    finally:
        with suppress(OSError):
            writer.transport.abort()
