"""What a server may write that wants a client secret, and what it is told."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from airos_edge.http.client_secrets import ClientSecrets
from airos_edge.realtime.client_secrets import client_secret_routes

pytestmark = pytest.mark.real_time

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = web.Application()
    app.add_routes(client_secret_routes(ClientSecrets().make))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'"text"',
        b'{"session": "\xff"}',
        b'{"session": {"instructions": "\\ud800"}}',
        b'{"session": {"tools": ' + b"[" * 900 + b"]" * 900 + b"}}",
        b'{"expires_after": {"seconds": NaN}}',
    ],
)
async def test_what_no_session_could_be_is_refused(client: Client, body: bytes) -> None:
    answer = await client.post("/v1/realtime/client_secrets", data=body)
    assert answer.status == 400
    assert (await answer.json())["error"]["code"] == "invalid_json"


async def test_a_charset_that_nobody_knows_is_no_fault_of_ours(client: Client) -> None:
    headers = {"Content-Type": "application/json; charset=nope"}
    answer = await client.post("/v1/realtime/client_secrets", data=b"{}", headers=headers)
    assert answer.status == 200
