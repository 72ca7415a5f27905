"""The client: addresses, what a server says, and each way in which there is none."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from airos_edge.errors import AirosError, DaemonError
from airos_edge.realtime.client import address, connect

pytestmark = pytest.mark.real_time


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("box:8765", "ws://box:8765/v1/realtime?model=airos"),
        ("http://box:8765", "ws://box:8765/v1/realtime?model=airos"),
        ("https://box/v1", "wss://box/v1/realtime?model=airos"),
        ("wss://box/other/", "wss://box/other?model=airos"),
        ("ws://[::1]:8765/v1/realtime?model=x&a=b", "ws://[::1]:8765/v1/realtime?model=x&a=b"),
    ],
)
def test_an_address_is_made_whole(given: str, full: str) -> None:
    assert address(given, {"model": "airos"}) == full


@pytest.mark.parametrize(
    "given", ["", "ftp://box", "ws://", "ws://box:port", "ws://[", "ws://a:-1"]
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(AirosError, match="is no address"):
        address(given)


@asynccontextmanager
async def served(handle: Any, **options: Any) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/v1/realtime", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"ws://127.0.0.1:{server.port}"


async def test_events_go_both_ways_with_key_query_and_headers() -> None:
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.WebSocketResponse:
        asked.append(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        event = await socket.receive_json()
        await socket.send_json({"type": "session.created", "got": event})
        return socket

    async with (
        served(handle) as url,
        connect(url, "sesame", None, {"model": "airos"}, {"OpenAI-Beta": "realtime=v1"}) as client,
    ):
        await client.send("session.update", session={})
        events = [event async for event in client]
    assert events == [{"type": "session.created", "got": {"type": "session.update", "session": {}}}]
    assert asked[0].headers["Authorization"] == "Bearer sesame"
    assert asked[0].headers["OpenAI-Beta"] == "realtime=v1"
    assert asked[0].query["model"] == "airos"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "refuses the key"),
        (403, "refuses the key"),
        (404, "has no Realtime API at /v1/realtime"),
        (429, "do no more for now"),
        (503, "has no room"),
        (200, "does not speak WebSocket"),
        (426, "does not speak WebSocket"),
    ],
)
async def test_a_refusal_is_a_sentence(status: int, why: str) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with served(handle) as url:
        with pytest.raises(DaemonError, match=why):
            async with connect(url):
                pass


async def test_a_key_that_fits_no_header_is_not_repeated() -> None:
    with pytest.raises(AirosError, match="a sign in it that no key has") as caught:
        async with connect("ws://127.0.0.1:9", "sesame\nopen"):
            pass
    assert "sesame" not in str(caught.value)


async def test_a_server_that_is_not_there_or_no_tls_server_is_named() -> None:
    with pytest.raises(DaemonError, match=r"127\.0\.0\.1:9 cannot be reached: Connection refused"):
        async with connect("ws://127.0.0.1:9"):
            pass

    async def handle(request: web.Request) -> web.Response:
        return web.Response()

    async with served(handle) as url:
        with pytest.raises(DaemonError, match="does not speak TLS"):
            async with connect(url.replace("ws:", "wss:")):
                pass


async def test_a_certificate_is_trusted_where_it_is_given(tmp_path: Path) -> None:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "session.created"})
        return socket

    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    app = web.Application()
    app.router.add_get("/v1/realtime", handle)
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    try:
        url = f"wss://127.0.0.1:{server.port}"
        with pytest.raises(DaemonError, match="certificate that is not trusted here; say --ca"):
            async with connect(url):
                pass
        async with connect(url, ca=certificate) as client:
            assert [event["type"] async for event in client] == ["session.created"]
    finally:
        await server.close()
    with pytest.raises(AirosError, match="is no certificate"):
        async with connect("wss://127.0.0.1", ca=tmp_path / "none.pem"):
            pass


@pytest.mark.parametrize("frame", ["no JSON", "[]", "{}", '{"type": 7}'])
async def test_what_is_no_event_is_told(frame: str) -> None:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(frame)
        return socket

    async with served(handle) as url, connect(url) as client:
        with pytest.raises(DaemonError, match="no event"):
            await anext(aiter(client))


@pytest.mark.parametrize("code", [1011, 1012, 1013, 4000])
async def test_a_close_that_is_no_farewell_is_an_error(code: int) -> None:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close(code=code)
        return socket

    async with served(handle) as url, connect(url) as client:
        with pytest.raises(DaemonError, match=f"code {code}"):
            _ = [event async for event in client]


def self_signed(folder: Path) -> Path:
    """A key and its certificate for 127.0.0.1, in one file."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "box")])
    at = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at - datetime.timedelta(days=1))
        .not_valid_after(at + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "box.pem"
    file.write_bytes(secret + certificate.public_bytes(pem))
    return file
