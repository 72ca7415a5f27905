"""What Wyoming costs: a chunk of sound through the asr service, and a recogniser in a process of its own.

`python -m bench.wyoming` is the other side of the first: the daemon's own service before engines that
cost nothing, and a bare echo.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart
from wyoming.ping import Ping

from airos_edge.engines.lease import Lease
from airos_edge.engines.sayable import sayable
from airos_edge.voice import ports
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.session import Session
from airos_edge.wyoming.frames import HEADER_BYTES, frame_of, read_event
from airos_edge.wyoming.info import Model, Offers
from airos_edge.wyoming.services import serve
from airos_edge.wyoming.settings import Settings, address_of
from bench import speech
from bench.client import connected
from bench.daemon import daemon, server
from bench.figures import Figure
from bench.latency import GRID_MS, take_turn
from bench.server import Free, no_tools

RATE_HZ, CHUNK_MS = 16_000, 32
CHUNK = frame_of(AudioChunk(RATE_HZ, 2, 1, bytes(2 * RATE_HZ * CHUNK_MS // 1000), timestamp=0))
CHUNKS = 500
SEMANTIC = {"type": "semantic_vad"}


async def wyoming(quick: bool) -> list[Figure]:
    return [await chunks(quick), await remote(quick)]


async def chunks(quick: bool) -> Figure:
    """Microseconds for each chunk of silence, of many that are sent at once, until a ping after them is
    answered. The floor is a server that gives the same bytes back."""
    values, floor = [], []
    with server("bench.wyoming") as (_, where):
        service, echo = where.split()
        for turn in range(-1, 5 if quick else 30):  # the first loads
            served_us, echoed_us = await _through(service), await _back(echo)
            if turn >= 0:
                values.append(served_us)
                floor.append(echoed_us)
    return Figure(
        "a Wyoming chunk of 32 ms through asr, engines of zero cost", "us", values, floor, "echo"
    )


async def _through(uri: str) -> float:
    async with opened(uri) as (reader, writer):
        for message in (Transcribe(), AudioStart(RATE_HZ, 2, 1), Ping()):
            writer.write(frame_of(message))
        await read_event(reader)
        began = time.perf_counter()
        for _ in range(CHUNKS):
            writer.write(CHUNK)
        writer.write(frame_of(Ping()))
        await read_event(reader)
        return (time.perf_counter() - began) * 1e6 / CHUNKS


async def _back(uri: str) -> float:
    async with opened(uri) as (reader, writer):
        began = time.perf_counter()
        for _ in range(CHUNKS):
            writer.write(CHUNK)
        await reader.readexactly(CHUNKS * len(CHUNK))
        return (time.perf_counter() - began) * 1e6 / CHUNKS


@asynccontextmanager
async def opened(uri: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = address_of(uri)
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=HEADER_BYTES)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def remote(quick: bool) -> Figure:
    """From the last sound of a command to the first of its answer, as `answer` measures it, with the
    recogniser in `airos serve asr` on a Unix socket; the floor is the same turn with it embedded."""
    asked = speech.questions()
    took: dict[str, list[float]] = {"embedded": [], "remote": []}
    wrong: list[str] = []
    with server(
        "airos_edge", "serve", "asr", f"unix:///tmp/airos-bench-{time.time_ns()}", "--demo"
    ) as (
        _,
        line,
    ):
        uri = line.rpartition(" ")[2]
        with daemon() as embedded, daemon(AIROS_ASR__ENGINE=uri) as separate:
            boxes = {"embedded": embedded, "remote": separate}
            for box in boxes.values():
                box.ask()
            for turn in range(-1, 2 if quick else 14):  # the first loads
                for name, box in boxes.items():
                    async with connected(box.url, **SEMANTIC) as talk:
                        phase_ms = turn * 7 % GRID_MS
                        ms = await take_turn(talk, asked[turn % len(asked)], phase_ms)
                    if isinstance(ms, str):
                        wrong.append(f"{name}: {ms}")
                    elif turn >= 0:
                        took[name].append(ms)
    name = "end of speech to answer, semantic_vad, asr in a process of its own"
    return Figure(name, "ms", took["remote"], took["embedded"], "embedded", None, wrong)


# ---- the other side -----------------------------------------------------------------------------


class FreeBox:
    """A box whose engines cost nothing; only its ears are asked for."""

    language = "en"

    def __init__(self) -> None:
        self._free = Free()
        self._lease = Lease(ports.Engines(self._free, self._free, self._free, no_tools, sayable))

    def offers(self) -> Offers:
        return Offers(asr=Model("free", ("en",)), hears_ends=True)

    def rules(self) -> TurnRules:
        return TurnRules()

    def open_session(
        self, tell: Callable[[Event], None], open_mouth: ports.OpenMouth, rules: TurnRules
    ) -> Session:
        ear, floor = Ear(rules, self._free), Floor(open_mouth)
        return Session("sess", ear, floor, self._lease.borrow, tell, ports.Prompt())

    def open_asking(self, tell: Callable[[Event], None], open_mouth: ports.OpenMouth) -> Session:
        return self.open_session(tell, open_mouth, replace(self.rules(), detection="push"))

    speak = waking = None


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with (
        serve("tcp://127.0.0.1:0", Settings(), FreeBox(), ["asr"]) as address,  # type: ignore[arg-type]
        Scope() as scope,
    ):

        def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            scope.start(_echo(reader, writer), "echo")

        bare = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = bare.sockets[0].getsockname()[1]
        print(f"{address} tcp://127.0.0.1:{port}", flush=True)
        await stop.wait()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while sound := await reader.read(65536):
        writer.write(sound)
        await writer.drain()


if __name__ == "__main__":
    asyncio.run(main())
