"""What the clients of this folder need: the scenario, a microphone, patience, a line that can break, a report."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

SCENARIO: dict[str, Any] = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
FRAME = 960
"""Bytes of 20 ms of 24 kHz PCM."""


def frames(file: str) -> Iterator[bytes]:
    pcm = Path(SCENARIO[file]).read_bytes()
    return (pcm[start : start + FRAME] for start in range(0, len(pcm) - FRAME + 1, FRAME))


async def until(what: str, is_so: Callable[[], Any], limit_s: float = 15) -> None:
    for _ in range(int(limit_s / 0.02)):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"not within {limit_s} s: {what}")


def report(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")


class Line:
    """Between a client and the daemon, to be broken: `async with Line(port) as line`, and go to `line.port`."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._open: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Line":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._open += [writer, back]
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
