"""A conversation with scripted engines as a server that `replay` may talk to, without a socket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tests.realtime.client import Client


class ClientWire:
    """`Wire`. Its events never end."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.sent: list[str] = []

    async def send_frame(self, frame: str) -> None:
        self.sent.append(frame)
        self.client.receive(frame)

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        place = 0
        while True:
            while place < len(self.client.events):
                yield self.client.events[place]
                place += 1
            await asyncio.sleep(0.001)
