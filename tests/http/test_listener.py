"""The doors: who may come in by which, and what is said when one cannot be opened."""

import asyncio
import io
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from airos_edge.errors import AirosError, ConfigError
from airos_edge.http import listener
from airos_edge.http.limits import LARGEST_BODY_BYTES
from airos_edge.http.listener import Doors, listen
from airos_edge.http.settings import Settings

pytestmark = pytest.mark.real_time

ANY_PORT = Settings(port=0)


async def length(request: web.Request) -> web.Response:
    return web.json_response({"bytes": len(await request.read())})


PUBLIC = [web.get("/healthz", length)]
CONTROL = [web.post("/api/ask", length)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@pytest.fixture
async def doors(path: Path) -> AsyncIterator[Doors]:
    async with listen(ANY_PORT, PUBLIC, CONTROL, path) as doors:
        yield doors


async def over_tcp(doors: Doors, method: str, route: str, **more: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"http://{doors.host}:{doors.port}{route}", **more) as answer,
    ):
        return answer.status, await answer.json()


async def over_socket(path: Path, method: str, route: str, **more: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as client,
        client.request(method, f"http://airos{route}", **more) as answer,
    ):
        return answer.status, await answer.json()


async def nobody_gets_in(settings: Settings, path: Path) -> str:
    """What is said when the doors are not opened."""
    with pytest.raises(AirosError) as caught:
        async with listen(settings, PUBLIC, CONTROL, path):
            pass
    return str(caught.value)


def is_there(path: Path) -> bool:
    return path.exists()


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)


# ---- who may come in ----------------------------------------------------------------------------


async def test_the_control_api_is_behind_the_socket_only(doors: Doors) -> None:
    assert await over_tcp(doors, "GET", "/healthz") == (200, {"bytes": 0})
    assert await over_socket(doors.socket_path, "GET", "/healthz") == (200, {"bytes": 0})
    assert await over_socket(doors.socket_path, "POST", "/api/ask", data=b"hi") == (
        200,
        {"bytes": 2},
    )
    assert (await over_tcp(doors, "POST", "/api/ask", data=b"hi"))[0] == 404


async def test_the_socket_is_for_its_owner_only(doors: Doors) -> None:
    assert mode_of(doors.socket_path) == 0o600
    assert mode_of(doors.socket_path.parent) == 0o700


async def test_the_socket_may_be_for_its_group_too(path: Path) -> None:
    async with listen(ANY_PORT, PUBLIC, CONTROL, path, socket_mode=0o660) as doors:
        assert mode_of(doors.socket_path) == 0o660


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "box.lan", ""])
async def test_strangers_are_not_let_in(host: str, path: Path) -> None:
    with pytest.raises(ConfigError, match=r"server\.host"):
        async with listen(Settings(host=host, port=0), PUBLIC, CONTROL, path):
            pass
    assert not is_there(path)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
async def test_this_box_is_let_in(host: str, path: Path) -> None:
    async with (
        listen(Settings(host=host, port=0), PUBLIC, CONTROL, path) as doors,
        aiohttp.ClientSession() as client,
        client.get(f"http://{host}:{doors.port}/healthz") as answer,
    ):
        assert answer.status == 200


# ---- what is refused, and how -------------------------------------------------------------------


async def test_what_is_refused_is_said_as_json(doors: Doors) -> None:
    path = doors.socket_path
    assert await over_socket(path, "GET", "/api/nope") == (
        404,
        {"error": "there is no /api/nope"},
    )
    assert await over_socket(path, "GET", "/api/ask") == (
        405,
        {"error": "/api/ask takes POST, not GET"},
    )


@pytest.mark.parametrize(
    ("method", "where", "status", "code", "why"),
    [
        ("POST", "/v1/chat/completions", 404, "unknown_url", "There is no /v1/chat/completions."),
        (
            "DELETE",
            "/healthz",
            405,
            "method_not_supported",
            "/healthz takes GET or HEAD, not DELETE.",
        ),
    ],
)
async def test_openais_clients_are_refused_in_openais_form(
    doors: Doors, method: str, where: str, status: int, code: str, why: str
) -> None:
    told = {"message": why, "type": "invalid_request_error", "param": None, "code": code}
    assert await over_tcp(doors, method, where) == (status, {"error": told})


async def test_a_request_that_is_too_large_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LARGEST_BODY_BYTES", 1024**2)
    async with listen(ANY_PORT, PUBLIC, CONTROL, path):
        assert (await over_socket(path, "POST", "/api/ask", data=io.BytesIO(bytes(1024**2))))[
            0
        ] == 200
        status, answer = await over_socket(
            path, "POST", "/api/ask", data=io.BytesIO(bytes(1024**2 + 1))
        )
        assert (status, answer) == (413, {"error": "the request is larger than 1 MiB"})


async def test_below_v1_it_is_in_openais_form(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "LARGEST_BODY_BYTES", 1024)
    async with listen(ANY_PORT, [web.post("/v1/audio/speech", length)], [], path) as doors:
        answers = [
            await over_tcp(doors, "GET", "/v1/nope"),
            await over_tcp(doors, "GET", "/v1/audio/speech"),
            await over_tcp(doors, "POST", "/v1/audio/speech", data=bytes(1025)),
        ]
    assert [(status, body["error"]["code"]) for status, body in answers] == [
        (404, "unknown_url"),
        (405, "method_not_supported"),
        (413, "request_too_large"),
    ]
    assert answers[1][1]["error"]["message"] == "/v1/audio/speech takes POST, not GET."


async def test_a_body_that_is_not_compressed_as_it_says_is_refused(path: Path) -> None:
    gzip = {"Content-Encoding": "gzip"}
    async with listen(ANY_PORT, [web.post("/v1/audio/speech", length)], [], path) as doors:
        status, body = await over_tcp(
            doors, "POST", "/v1/audio/speech", data=b"no gzip", headers=gzip
        )
    assert (status, body["error"]["code"]) == (400, "invalid_body")


async def test_a_client_that_goes_while_it_sends_is_no_error_in_the_log(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entered, gone = asyncio.Event(), asyncio.Event()

    async def taken(request: web.Request) -> web.Response:
        entered.set()
        try:
            return await length(request)
        finally:
            gone.set()

    async with listen(ANY_PORT, [web.post("/v1/audio/speech", taken)], [], path) as doors:
        _, writer = await asyncio.open_connection(doors.host, doors.port)
        head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: {doors.where}\r\nContent-Length: 9"
        writer.write(f"{head}\r\n\r\nhalf".encode())
        async with asyncio.timeout(5):
            await entered.wait()
            writer.close()
            await gone.wait()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_websocket_that_is_asked_for_wrongly_is_told_in_openais_form(path: Path) -> None:
    async def upgrade(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    async with listen(ANY_PORT, [web.get("/v1/realtime", upgrade)], [], path) as doors:
        half = {"Connection": "Upgrade", "Upgrade": "websocket"}
        status, body = await over_tcp(doors, "GET", "/v1/realtime", headers=half)
    assert (status, body["error"]["code"]) == (400, "bad_request")
    assert body["error"]["message"] == "Unsupported version."


def test_the_largest_recording_that_is_heard_is_not_too_large() -> None:
    one_minute_of_doubles = 60 * 48_000 * 2 * 8
    assert one_minute_of_doubles < LARGEST_BODY_BYTES


# ---- opening and closing ------------------------------------------------------------------------


async def test_closed_the_doors_are_gone_and_can_be_opened_again(path: Path) -> None:
    async with listen(ANY_PORT, PUBLIC, CONTROL, path) as doors:
        again = Settings(port=doors.port)
    assert not is_there(path)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(doors.host, doors.port)
    async with listen(again, PUBLIC, CONTROL, path) as doors:
        assert doors.port == again.port
        assert (await over_socket(path, "GET", "/healthz"))[0] == 200


async def test_closing_waits_for_a_handler_that_hangs_only_so_long(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "SHUTDOWN_S", 0.05)
    entered = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(5):
        async with listen(ANY_PORT, [], [web.post("/api/ask", hang)], path):
            asking = asyncio.ensure_future(over_socket(path, "POST", "/api/ask"))
            await entered.wait()
        with pytest.raises(aiohttp.ClientError):
            await asking


async def test_a_port_in_use_is_named_and_nothing_is_left(path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = await nobody_gets_in(Settings(port=port), path)
    assert f"127.0.0.1:{port} is in use" in said
    assert "AIROS_SERVER__PORT" in said
    assert not is_there(path)


async def test_an_address_that_cannot_be_had_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*arguments: Any, **more: Any) -> None:
        raise PermissionError(13, "error while attempting to bind on address ('127.0.0.1', 80)")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", refuse)
    said = await nobody_gets_in(Settings(port=80), path)
    assert said == "cannot listen on 127.0.0.1:80: Permission denied"
    assert not is_there(path)


# ---- the socket's place -------------------------------------------------------------------------


async def test_what_a_daemon_left_that_was_killed_is_cleared_away(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    assert is_there(path)
    async with listen(ANY_PORT, PUBLIC, CONTROL, path):
        assert (await over_socket(path, "GET", "/healthz"))[0] == 200


async def test_a_living_daemon_is_not_pushed_aside(doors: Doors) -> None:
    said = await nobody_gets_in(ANY_PORT, doors.socket_path)
    assert said.startswith(f"another airos is running; it listens on {doors.socket_path}; ")
    assert "AIROS_RUNTIME" in said
    assert (await over_socket(doors.socket_path, "GET", "/healthz"))[0] == 200


async def test_a_daemon_that_is_too_busy_to_accept_is_alive(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        assert "another airos is running" in await nobody_gets_in(ANY_PORT, path)
    assert is_there(path)


async def test_another_users_socket_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(path))

        class Stranger(socket.socket):
            def connect(self, address: Any) -> None:
                raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(listener.socket, "socket", Stranger)
        said = await nobody_gets_in(ANY_PORT, path)
    assert "another user's airos" in said
    assert "AIROS_RUNTIME" in said
    assert is_there(path)


async def test_a_file_in_the_way_is_not_removed(path: Path) -> None:
    write(path, "precious")
    assert "is in the way: it is no socket" in await nobody_gets_in(ANY_PORT, path)
    assert is_there(path)


async def test_a_runtime_directory_that_cannot_be_made_is_named(path: Path) -> None:
    path.parent.write_text("a file")
    said = await nobody_gets_in(ANY_PORT, path)
    assert said.startswith(f"cannot make the control socket {path}: ")
    assert said.endswith("set AIROS_RUNTIME to a directory of your own")


async def test_a_path_that_is_too_long_for_a_socket_is_named(tmp_path: Path) -> None:
    said = await nobody_gets_in(ANY_PORT, tmp_path / ("x" * 100) / "control.sock")
    assert "too long for a socket; set AIROS_RUNTIME" in said
