"""Web pages of other origins, as a browser asks for them."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from airos_edge.http.listener import listen
from airos_edge.http.settings import Settings
from airos_edge.secret import Secret

pytestmark = pytest.mark.real_time

PAGE = {"Origin": "https://page.example"}
KEY = {"Authorization": "Bearer sesame"}
ASKS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}
SPEECH, METRICS = "/v1/audio/speech", "/metrics"
KEYED = Settings(port=0, api_keys=(Secret("sesame"),))


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"sound")
    return response


ROUTES = [web.post(SPEECH, stream), web.get(METRICS, stream)]


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        listen(KEYED, ROUTES, [], tmp_path / "control.sock") as doors,
        aiohttp.ClientSession(f"http://{doors.where}") as client,
    ):
        yield client


async def test_a_page_may_ask_before_it_brings_its_key(box: aiohttp.ClientSession) -> None:
    async with box.options(SPEECH, headers=PAGE | ASKS) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"


async def test_a_page_reads_streams_and_refusals(box: aiohttp.ClientSession) -> None:
    async with box.post(SPEECH, headers=PAGE | KEY) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    async with box.post(SPEECH, headers=PAGE) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")


async def test_nothing_else_is_for_pages(box: aiohttp.ClientSession) -> None:
    async with box.options(METRICS, headers=PAGE | ASKS) as answer:
        assert answer.status == 401
    async with box.get(METRICS, headers=PAGE | KEY) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_without_a_key_a_page_may_ask_and_is_refused(tmp_path: Path) -> None:
    async with (
        listen(Settings(port=0), ROUTES, [], tmp_path / "control.sock") as doors,
        aiohttp.ClientSession(f"http://{doors.where}") as client,
        client.post(SPEECH, headers=PAGE) as answer,
    ):
        assert answer.status == 403
