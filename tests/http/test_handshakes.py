"""Who connects and says nothing, or never comes to the end of its headers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from airos_edge.http import handshakes
from airos_edge.http.listener import Doors, listen
from airos_edge.http.settings import Settings

pytestmark = pytest.mark.real_time


async def alive(request: web.Request) -> web.Response:
    await asyncio.sleep(handshakes.HANDSHAKE_S * 2)
    return web.json_response({})


@pytest.fixture
async def doors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Doors]:
    monkeypatch.setattr(handshakes, "HANDSHAKE_S", 0.1)
    monkeypatch.setattr(handshakes, "MOST_WAITING", 3)
    routes = [web.get("/healthz", alive)]
    async with listen(Settings(port=0), routes, [], tmp_path / "control.sock") as doors:
        yield doors


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nHost: box\r\nX-Slow: "])
async def test_a_connection_without_a_request_is_not_kept(doors: Doors, said: bytes) -> None:
    reader, writer = await asyncio.open_connection(doors.host, doors.port)
    writer.write(said)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_a_request_that_takes_its_time_is_answered(doors: Doors) -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://{doors.host}:{doors.port}/healthz") as answer,
    ):
        assert answer.status == 200


async def test_of_many_that_say_nothing_the_oldest_make_way(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshakes, "HANDSHAKE_S", 60.0)
    silent = [await asyncio.open_connection(doors.host, doors.port) for _ in range(5)]
    async with asyncio.timeout(5):
        for reader, _ in silent[:2]:
            assert await reader.read() == b""
    for _, writer in silent:
        writer.close()
