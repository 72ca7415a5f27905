"""Somebody else's service: the package's own server, with a script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from wyoming.event import Event, Eventable
from wyoming.server import AsyncEventHandler, AsyncServer

Answer = Callable[["FarSide", Event], Awaitable[bool]]
"""What is done about an event; False closes the connection."""


class FarSide:
    """`received` are the events of all connections; `gone` is set while nobody is connected any more."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.received: list[Event] = []
        self.connections = 0
        self.gone = asyncio.Event()
        self.arrived = asyncio.Event()
        self.handlers: list[AsyncEventHandler] = []
        self.uri = ""

    def kinds(self) -> list[str]:
        """Of a run of the same kind, one."""
        kinds = [event.type for event in self.received]
        return [kind for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind]

    async def say(self, *messages: Eventable) -> None:
        for message in messages:
            await self.handlers[-1].write_event(message.event())

    async def until(self, kind: str) -> None:
        """An event of this kind has been received."""
        async with asyncio.timeout(5):
            while kind not in self.kinds():
                self.arrived.clear()
                await self.arrived.wait()

    async def left_alone(self) -> None:
        async with asyncio.timeout(5):
            await self.gone.wait()


class Handler(AsyncEventHandler):
    def __init__(
        self, far: FarSide, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        super().__init__(reader, writer)
        self._far = far
        far.handlers.append(self)
        far.connections += 1
        far.gone.clear()

    async def handle_event(self, event: Event) -> bool:
        self._far.received.append(event)
        self._far.arrived.set()
        return await self._far.answer(self._far, event)

    async def disconnect(self) -> None:
        self._far.connections -= 1
        if not self._far.connections:
            self._far.gone.set()


@asynccontextmanager
async def far_side(answer: Answer, port: int = 0) -> AsyncIterator[FarSide]:
    far = FarSide(answer)
    server = AsyncServer.from_uri(f"tcp://127.0.0.1:{port}")
    await server.start(lambda reader, writer: Handler(far, reader, writer))
    port = server._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    far.uri = f"tcp://127.0.0.1:{port}"
    try:
        yield far
    finally:
        await server.stop()
        tasks = list(server._handlers)
        await asyncio.gather(*tasks, return_exceptions=True)
