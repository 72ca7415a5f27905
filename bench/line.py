"""A Realtime client that costs next to nothing, so that many of them leave the cores to the daemon.

It speaks just as much WebSocket as it needs (RFC 6455): frames are made before the clock runs, and of
what comes in only the type is looked at, until it is asked for more.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

MASK = bytes(4)
"""A client must mask what it sends; by a mask of zeros it stays what it is."""
TEXT, PING = 1, 9
LIMIT_S = 30.0


class Line(asyncio.Protocol):
    """One connection. `heard` gets the payload of each text frame."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self.transport: Any = None
        self.opened = asyncio.Event()
        self.lost = asyncio.Event()
        self._heard = heard
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        if not self.opened.is_set():
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                self._buffer = data
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self.opened.set()
            data = rest
        self._buffer = self._take_frames(data)

    def _take_frames(self, data: bytes) -> bytes:
        """Gives what is no whole frame yet."""
        place = 0
        while len(data) >= place + 2:
            size, begin = data[place + 1], place + 2
            if size >= 126:
                begin += 2 if size == 126 else 8
                size = int.from_bytes(data[place + 2 : begin], "big")
            if len(data) < begin + size or begin > len(data):
                break
            payload = data[begin : begin + size]
            if data[place] & 15 == TEXT:
                self._heard(payload)
            elif data[place] & 15 == PING:
                self.transport.write(bytes([0x8A, 0x80 | size]) + MASK + payload)
            place = begin + size
        return data[place:]


def framed(text: str) -> bytes:
    """As a client sends it."""
    payload = text.encode()
    if len(payload) < 126:
        return bytes([0x81, 0x80 | len(payload)]) + MASK + payload
    wide = len(payload) >= 1 << 16
    size = len(payload).to_bytes(8 if wide else 2, "big")
    return bytes([0x81, 0xFF if wide else 0xFE]) + size + MASK + payload


def event(kind: str, **fields: Any) -> bytes:
    return framed(json.dumps({"type": kind, **fields}))


async def connect(url: str, heard: Callable[[bytes], None]) -> Line:
    """Raises TimeoutError."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_connection(lambda: Line(heard), parts.hostname, parts.port)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    key = base64.b64encode(bytes(16)).decode()
    transport.write(
        f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    async with asyncio.timeout(LIMIT_S):
        await line.opened.wait()
    return line


async def paced(lines: Iterable[Line], frame: bytes, period_s: float, duration_s: float) -> None:
    """The frame on every line each `period_s`, spread evenly, so that nearly every one comes alone."""
    lines = list(lines)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(round(duration_s / period_s) * len(lines)):
        wait_s = began + number * period_s / len(lines) - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        lines[number % len(lines)].transport.write(frame)


async def close(lines: Iterable[Line]) -> None:
    for line in lines:
        with suppress(OSError):
            line.transport.close()
    await asyncio.sleep(0.1)
