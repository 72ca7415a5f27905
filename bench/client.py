"""A Realtime client with a clock: audio leaves it as a microphone brings it, what comes in is stamped."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from bench.speech import FRAME_MS

Arrival = tuple[float, dict[str, Any]]
"""When an event came, and the event."""
AUDIBLE = 60
"""A sample louder than this (of 32768) is an answer, what is quieter could be silence before it."""
LIMIT_S = 20.0


class Talk:
    """One connection. `heard` is what arrived since it was cleared."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[Arrival] = []
        self._arrived = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                self.heard.append((time.perf_counter(), json.loads(message.data)))
                self._arrived.set()

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    def all(self, kind: str) -> list[Arrival]:
        return [arrival for arrival in self.heard if arrival[1]["type"] == kind]

    def first(self, kind: str) -> Arrival | None:
        return next(iter(self.all(kind)), None)

    async def until(self, kind: str) -> Arrival:
        """The first of its kind. Raises TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            while (found := self.first(kind)) is None:
                self._arrived.clear()
                await self._arrived.wait()
        return found

    def first_sound(self) -> float | None:
        """When the first answer that is not silence came."""
        for arrived, event in self.all("response.output_audio.delta"):
            pcm = np.frombuffer(base64.b64decode(event["delta"]), "<i2").astype(np.int32)
            if len(pcm) and np.abs(pcm).max() > AUDIBLE:
                return arrived
        return None


@asynccontextmanager
async def connected(url: str, **turn_detection: Any) -> AsyncIterator[Talk]:
    """To a Realtime session, if it is said what ends a question there; else to any WebSocket."""
    async with ClientSession() as http, http.ws_connect(url) as socket:
        talk = Talk(socket)
        listening = asyncio.create_task(talk.listen())
        try:
            if turn_detection:
                heard = {"transcription": {"model": "any"}, "turn_detection": turn_detection}
                await talk.send(
                    "session.update", session={"type": "realtime", "audio": {"input": heard}}
                )
                await talk.until("session.updated")
            yield talk
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def stream(
    frames: Iterable[str],
    *talks: Talk,
    until: Callable[[], object] = lambda: False,
) -> float:
    """Sends each frame to every talk when its last sample was said; ends early when `until` says so.

    Gives the moment at which the first sample was said.
    """
    began = time.perf_counter()
    for place, frame in enumerate(frames, start=1):
        await asyncio.sleep(max(0.0, began + place * FRAME_MS / 1000 - time.perf_counter()))
        if until():
            break
        for talk in talks:
            await talk.socket.send_str(frame)
    return began
