"""What waits to be sent to one client: in order, within bounds, and in frames that every client reads."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

log = logging.getLogger(__name__)

SLOW_BYTES = 256 * 1024
"""When so much waits for a client, its speech waits too."""
TOO_SLOW_BYTES = 4 * 1024 * 1024
"""When so much waits, the client is not reading."""
STALLED_S = 20.0
"""When a frame has not gone out for so long, neither is it: its answer would wait for it for ever."""
LARGEST_FRAME_BYTES = 1024**2 - 1
"""What `websockets` takes by default (its `max_size`), and with it pipecat."""
SHOWN = (100_000, 10_000, 1000, 100)
"""How many characters of a text are shown where a frame would be larger, from as many to as few as needed."""


class Outgoing:
    """The events that wait for a client. `overflow` is called once, when it does not read them; `tap`
    sees each frame that it is to be sent."""

    def __init__(
        self, overflow: Callable[[], None], tap: Callable[[str], None] = lambda frame: None
    ) -> None:
        self._overflow = overflow
        self._tap = tap
        self._frames: deque[str] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._is_shut = False

    def put(self, event: Mapping[str, Any]) -> None:
        """Never waits. After the end nothing is taken."""
        if self._is_shut:
            return
        frame = framed(event)
        self._tap(frame)
        self._frames.append(frame)
        self._bytes += len(frame)
        if self._bytes > TOO_SLOW_BYTES:
            self.shut(forget=True)
            self._overflow()
        self._notice()

    def shut(self, forget: bool = False) -> None:
        """Nothing more is taken. `forget`: nor is what waits sent."""
        self._is_shut = True
        if forget:
            self._frames.clear()
            self._bytes = 0
            self._notice()

    async def room(self) -> None:
        """Waits until the client keeps up."""
        while self._bytes > SLOW_BYTES:
            await self._changed.wait()

    async def drained(self) -> None:
        """Waits until everything was sent."""
        while self._frames:
            await self._changed.wait()

    async def write_to(self, socket: web.WebSocketResponse) -> None:
        """Sends them as they come; ends when the connection does."""
        while True:
            while self._frames:
                frame = self._frames[0]
                try:
                    async with asyncio.timeout(STALLED_S):
                        await socket.send_str(frame)
                except TimeoutError:
                    self.shut(forget=True)
                    self._overflow()
                    return
                if self._frames:  # it may have been shut meanwhile
                    self._frames.popleft()
                    self._bytes -= len(frame)
                    self._notice()
            await self._changed.wait()

    def _notice(self) -> None:
        """Wakes those that wait now."""
        self._changed.set()
        self._changed.clear()


def framed(event: Mapping[str, Any]) -> str:
    """As JSON of ASCII signs, in less than 1 MiB: a text that is longer is kept whole and shown in part."""
    frame = json.dumps(event)
    for shown in SHOWN:
        if len(frame) <= LARGEST_FRAME_BYTES:
            return frame
        frame = json.dumps(_shortened(event, shown))
    if len(frame) <= LARGEST_FRAME_BYTES:
        return frame
    log.warning("An event of %d bytes was not sent: %s", len(frame), event["type"])
    message = f"{event['type']} is larger than a client reads; it was not sent."
    fields = {"type": "server_error", "code": "event_too_large", "message": message}
    error = {**fields, "param": None, "event_id": None}
    return json.dumps({"type": "error", "event_id": event.get("event_id"), "error": error})


def _shortened(value: Any, shown: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= shown else f"{value[:shown]}…"
    if isinstance(value, Mapping):
        return {key: _shortened(part, shown) for key, part in value.items()}
    return [_shortened(part, shown) for part in value] if isinstance(value, list) else value
