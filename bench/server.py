"""The other side of two floors and of one figure, as a process: `python -m bench.server`.

`/v1/realtime` is the daemon's own door before engines that cost nothing, `/echo` gives back each
frame, `/sink` decodes what it gets and does nothing with it.
"""

import asyncio
import base64
import json
import signal
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from airos_edge.engines.lease import Lease
from airos_edge.engines.sayable import sayable
from airos_edge.http.listener import listen
from airos_edge.http.settings import Settings
from airos_edge.realtime.servers import NoTools
from airos_edge.realtime.socket import RealtimeDoor
from airos_edge.voice import ports
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.session import Session
from airos_edge.voice.utterance import Utterance
from bench.speech import FRAME_MS

TTS_RATE_HZ = 22_050
PIECE = AudioChunk(b"\x00\x40" * (TTS_RATE_HZ * FRAME_MS // 1000), TTS_RATE_HZ)
PIECES = 5
T = TypeVar("T")
Made = AsyncGenerator[T, None]


class Free:
    """Every engine, at no cost. Speech is what is loud in the middle of a chunk."""

    name = "free"
    place = ports.Place.LOCAL
    frame_ms = FRAME_MS

    def feed(self, chunk: AudioChunk) -> list[float]:
        """Takes each chunk for a frame."""
        middle = chunk.samples // 2 * 2
        return [1.0 if chunk.pcm[middle + 1 : middle + 2] not in (b"\x00", b"\xff") else 0.0]

    async def transcribe(self, heard: Utterance, hints: object) -> Made[ports.Transcript]:
        async for _ in heard:
            pass
        yield ports.Transcript("hello", final=True)

    async def reply(
        self, prompt: object, act: object
    ) -> Made[ports.Text | ports.Call | ports.Done]:
        yield ports.Text("Hello.")
        yield ports.Done(self.name)

    async def speak(self, text: AsyncIterator[str], how: object) -> Made[ports.Speech]:
        async for sentence in text:
            for place in range(PIECES):
                yield ports.Speech(PIECE, "" if place else sentence)


async def no_tools(call: ports.Call) -> str:
    return ""


async def other(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if request.path == "/echo":
            await socket.send_str(message.data)
        else:
            base64.b64decode(json.loads(message.data)["audio"], validate=True)
    return socket


class Box:
    """What the door opens onto: engines that cost nothing."""

    tools = NoTools()

    def __init__(self) -> None:
        self._free = Free()
        self._lease = Lease(ports.Engines(self._free, self._free, self._free, no_tools, sayable))

    def rules(self) -> TurnRules:
        return TurnRules()

    def voices(self) -> None:
        """Only who speaks knows them."""

    def open_session(
        self, tell: Callable[[Event], None], open_mouth: ports.OpenMouth, rules: TurnRules
    ) -> Session:
        ear, manner = Ear(rules, self._free), ports.Prompt(speaking=ports.Speaking())
        return Session("sess", ear, Floor(open_mouth), self._lease.borrow, tell, manner)


async def main() -> None:
    door = RealtimeDoor(Box())
    routes = [*door.routes(), web.get("/echo", other), web.get("/sink", other)]
    with tempfile.TemporaryDirectory(prefix="airos-bench-") as folder:
        socket_path = Path(folder) / "control.sock"
        async with listen(Settings(port=0), routes, [], socket_path) as doors:
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            print(f"ws://{doors.host}:{doors.port}", flush=True)
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
