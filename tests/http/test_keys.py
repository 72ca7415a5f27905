"""Who may come in: by every way in which clients bring a key."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from airos_edge.errors import ConfigError
from airos_edge.http.keys import guard
from airos_edge.http.settings import Settings
from airos_edge.secret import Secret

pytestmark = pytest.mark.real_time

KEYED = Settings(api_keys=(Secret("sk-one"), Secret("sk-two")))


async def status(settings: Settings, path: str = "/v1", **headers: str) -> tuple[int, Any]:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"in": True})

    app = web.Application(middlewares=[guard(settings)])
    app.add_routes([web.get(path, handler)])
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        response = await client.get(path, headers=headers)
        return response.status, await response.json()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer sk-one"},
        {"authorization": "bearer sk-two"},
        {"api-key": "sk-one"},
        {"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.sk-two"},
    ],
)
async def test_who_brings_a_key_comes_in(headers: dict[str, str]) -> None:
    assert (await status(KEYED, **headers))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer sk-on"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic sk-one"},
        {"api-key": ""},
        {"Sec-WebSocket-Protocol": "realtime"},
    ],
)
async def test_who_does_not_is_told_in_openais_form(headers: dict[str, str]) -> None:
    code, body = await status(KEYED, **headers)
    assert (code, body["error"]["code"]) == (401, "invalid_api_key")


async def test_without_keys_any_key_and_none_will_do() -> None:
    assert (await status(Settings()))[0] == 200
    assert (await status(Settings(), Authorization="Bearer anything"))[0] == 200


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:8765", 200),
        ("http://[::1]:5173", 200),
    ],
)
async def test_a_web_page_of_another_site_does_not_come_in_without_a_key(
    origin: str, code: int
) -> None:
    assert (await status(Settings(), Origin=origin))[0] == code
    bearer = {"Authorization": "Bearer sk-one"}
    assert (await status(KEYED, Origin=origin, **bearer))[0] == 200


async def test_whether_it_lives_may_be_asked_by_everyone() -> None:
    assert (await status(KEYED, "/healthz"))[0] == 200


async def test_how_much_the_box_is_used_is_for_who_has_a_key() -> None:
    assert (await status(KEYED, "/metrics"))[0] == 401
    assert (await status(KEYED, "/metrics", Authorization="Bearer sk-one"))[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "airos.local"])
def test_others_may_reach_it_only_when_there_are_keys(host: str) -> None:
    with pytest.raises(ConfigError, match=r"server\.api_keys"):
        guard(Settings(host=host))
    guard(Settings(host=host, api_keys=(Secret("sk-one"),)))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_box_reaches_itself_without(host: str) -> None:
    guard(Settings(host=host))
