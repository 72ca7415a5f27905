"""Who may come in: by every way in which clients bring a key."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from airos_edge.errors import ConfigError
from airos_edge.http.guard import guard
from airos_edge.http.keyring import Keyring
from airos_edge.http.keys import Keys
from airos_edge.http.settings import Settings
from airos_edge.quota import Allowance, Limits, Quotas
from airos_edge.secret import Secret
from airos_edge.visitor import VISITOR, Visitor

pytestmark = pytest.mark.real_time

ANYWHERE = Settings()
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
    with pytest.raises(ConfigError, match="airos keys add"):
        guard(Settings(host=host))
    guard(Settings(host=host, api_keys=(Secret("sk-one"),)))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_box_reaches_itself_without(host: str) -> None:
    guard(Settings(host=host))


# ---- keys of every kind -------------------------------------------------------------------------


BASIC = base64.b64encode(b":sk-one").decode()


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": "sk-one"}, {"Authorization": f"Basic {BASIC}"}, {"API-KEY": "sk-two"}]
)
async def test_other_ways_in_which_clients_bring_a_key(headers: dict[str, str]) -> None:
    assert (await status(KEYED, **headers))[0] == 200


class Door:
    """A door with a keyring, which others may change while it is open."""

    def __init__(self, folder: Path, settings: Settings = ANYWHERE) -> None:
        self.keyring = Keyring(folder)
        self.keys = Keys(settings.api_keys, self.keyring)
        self.quotas = Quotas(settings.limits)
        self.visitor: Visitor
        self._settings = settings

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Door"]:
        app = web.Application(middlewares=[guard(self._settings, self.keys, self.quotas)])
        app.add_routes([web.get("/{path:.*}", self._greet)])
        async with TestClient(TestServer(app, host="127.0.0.1")) as self._client:
            yield self

    async def _greet(self, request: web.Request) -> web.Response:
        self.visitor = request[VISITOR]
        await request.read()
        return web.json_response({})

    async def status(
        self, key: str = "", path: str = "/v1/realtime", body: Any = None, **headers: str
    ) -> int:
        if key:
            headers["Authorization"] = f"Bearer {key}"
        async with self._client.get(path, data=body, headers=headers) as answer:
            self.answer, self.body = answer, await answer.json()
            return answer.status


async def test_a_key_that_is_made_or_revoked_counts_at_once(tmp_path: Path) -> None:
    async with Door(tmp_path).open() as door:
        assert await door.status() == 200
        key = Keyring(tmp_path).add("kitchen")
        assert await door.status() == 401
        assert await door.status(key) == 200
        assert (door.visitor.key, door.visitor.address) == ("kitchen", "127.0.0.1")
        Keyring(tmp_path).revoke("kitchen")
        assert await door.status(key) == 200
        assert door.visitor.key == ""


async def test_a_key_opens_what_it_is_for(tmp_path: Path) -> None:
    async with Door(tmp_path).open() as door:
        for scope, opens, shut in (
            ("realtime", "/v1/realtime", "/v1/audio/speech"),
            ("transcription", "/v1/realtime", "/metrics"),
            ("audio", "/v1/audio/speech", "/v1/realtime"),
            ("audio", "/openai/deployments/tts/audio/speech", "/openai/v1/realtime"),
            ("realtime", "/openai/v1/realtime", "/openai/v1/audio/speech"),
            ("metrics", "/metrics", "/v1/realtime"),
        ):
            key = door.keyring.add(f"{scope} {opens}", [scope])
            assert await door.status(key, opens) == 200
            assert await door.status(key, "/v1/models") == 200
            assert await door.status(key, shut) == 403


async def test_a_client_secret_opens_sessions_until_it_expires_or_its_key_is_revoked(
    tmp_path: Path,
) -> None:
    async with Door(tmp_path).open() as door:
        door.keyring.add("server")
        session = {"type": "realtime", "instructions": "Be brief."}
        secret, _ = door.keys.make_client_secret("server", session, 600)
        assert await door.status(secret, Origin="https://page.example") == 200
        assert (door.visitor.key, door.visitor.session) == ("server", session)
        assert await door.status(secret, "/metrics") == 403
        old, _ = door.keys.make_client_secret("server", session, 0)
        assert await door.status(old) == 401
        door.keyring.revoke("server")
        door.keyring.add("other")
        assert await door.status(secret) == 401


async def test_a_key_that_gets_a_revoked_ones_name_does_not_bring_its_client_secrets_back(
    tmp_path: Path,
) -> None:
    async with Door(tmp_path).open() as door:
        door.keyring.add("server")
        secret, _ = door.keys.make_client_secret("server", {}, 600)
        assert await door.status(secret) == 200
        door.keyring.revoke("server")
        door.keyring.add("server")
        assert await door.status(secret) == 401


async def test_what_comes_without_a_length_is_counted_when_it_has_come(tmp_path: Path) -> None:
    limits = Limits(per_key=Allowance(bytes=1000))

    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(600)
        yield bytes(600)

    async with Door(tmp_path, Settings(limits=limits)).open() as door:
        key = door.keyring.add("kitchen")
        assert await door.status(key, body=pieces()) == 200
        assert await door.status(key) == 429


async def test_a_secret_that_expired_does_not_count_as_any_key(tmp_path: Path) -> None:
    async with Door(tmp_path).open() as door:
        assert await door.status("ek_whatever") == 200
        old, _ = door.keys.client_secrets.make("", {"type": "realtime"}, 0)
        assert await door.status(old) == 401


async def test_a_proxy_on_this_box_makes_nobody_local(tmp_path: Path) -> None:
    async with Door(tmp_path).open() as door:
        assert await door.status(**{"X-Forwarded-For": "203.0.113.5"}) == 401
        assert await door.status(**{"X-Forwarded-For": "127.0.0.1"}) == 200


async def test_a_trusted_proxy_says_whose_limits_they_are(tmp_path: Path) -> None:
    limits = Limits(per_address=Allowance(messages=1))
    settings = Settings(trusted_proxies=("loopback",), limits=limits)
    async with Door(tmp_path, settings).open() as door:
        key = door.keyring.add("kitchen")
        assert await door.status(key, **{"X-Forwarded-For": "203.0.113.5"}) == 200
        assert door.visitor.address == "203.0.113.5"
        assert await door.status(key, **{"X-Forwarded-For": "203.0.113.6"}) == 200
        assert await door.status(key, **{"X-Forwarded-For": "203.0.113.5"}) == 429
        assert int(door.answer.headers["Retry-After"]) > 86_000
        assert door.body["error"]["code"] == "rate_limit_exceeded"


async def test_keys_that_cannot_be_read_let_nobody_in(tmp_path: Path) -> None:
    async with Door(tmp_path).open() as door:
        (tmp_path / "keys.json").write_text("{")
        assert await door.status() == 503


@pytest.mark.parametrize("proxy", ["nginx", "10.0.0.0/99", ""])
def test_a_trusted_proxy_that_is_no_address_is_refused(proxy: str) -> None:
    with pytest.raises(ConfigError, match=r"server\.trusted_proxies: got"):
        guard(Settings(trusted_proxies=(proxy,)))
