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

Event = dict[str, Any]
AUDIBLE = 60
"""A sample louder than this (of 32768) is an answer, what is quieter could be silence before it."""
LIMIT_S = 20.0


class Talk:
    """One connection. `heard` are the events of the turn so far, each with when it arrived."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[tuple[float, Event]] = []
        self._arrived = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                arrived = time.perf_counter()
                self.heard.append((arrived, json.loads(message.data)))
                self._arrived.set()

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str, limit_s: float = LIMIT_S) -> tuple[float, Event]:
        """The first of its kind in this turn, when it came. Raises TimeoutError."""
        async with asyncio.timeout(limit_s):
            while (found := self.first(kind)) is None:
                self._arrived.clear()
                await self._arrived.wait()
        return found

    def first(self, kind: str) -> tuple[float, Event] | None:
        return next((heard for heard in self.heard if heard[1]["type"] == kind), None)

    def all(self, kind: str) -> list[tuple[float, Event]]:
        return [heard for heard in self.heard if heard[1]["type"] == kind]

    def first_sound(self) -> float | None:
        """When the first answer that is not silence came."""
        for arrived, event in self.all("response.output_audio.delta"):
            pcm = np.frombuffer(base64.b64decode(event["delta"]), "<i2").astype(np.int32)
            if len(pcm) and np.abs(pcm).max() > AUDIBLE:
                return arrived
        return None

    async def configure(self, **turn_detection: Any) -> None:
        """What ends a question; and transcripts, by which turns are checked."""
        audio_input = {"transcription": {"model": "any"}, "turn_detection": turn_detection}
        await self.send(
            "session.update", session={"type": "realtime", "audio": {"input": audio_input}}
        )
        await self.until("session.updated")

    async def ask(self, text: str) -> None:
        """A typed question, to be answered aloud."""
        part = {"type": "input_text", "text": text}
        item = {"type": "message", "role": "user", "content": [part]}
        await self.send("conversation.item.create", item=item)
        await self.send("response.create")

    async def cancel(self) -> None:
        """Ends the answer; returns when it has."""
        await self.send("response.cancel")
        await self.until("response.done")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Talk]:
    async with ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
        talk = Talk(socket)
        listening = asyncio.create_task(talk.listen())
        try:
            yield talk
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def never() -> bool:
    return False


async def stream(
    frames: Iterable[str],
    *sockets: ClientWebSocketResponse,
    until: Callable[[], bool] = never,
    began: float | None = None,
) -> float:
    """Sends each frame to every socket when its last sample was said; ends early when `until` says so.

    `began` is when the first sample is said: now, unless told otherwise. Gives that moment.
    """
    began = time.perf_counter() if began is None else began
    for place, frame in enumerate(frames, start=1):
        await asyncio.sleep(max(0.0, began + place * FRAME_MS / 1000 - time.perf_counter()))
        if until():
            break
        for socket in sockets:
            await socket.send_str(frame)
    return began
