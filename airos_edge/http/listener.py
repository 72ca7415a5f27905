"""One TCP port for every HTTP and WebSocket face, and a Unix socket for the control API."""

import asyncio
import errno
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from airos_edge.errors import AirosError
from airos_edge.http.azure import with_azures
from airos_edge.http.guard import guard
from airos_edge.http.handshakes import HANDSHAKE_S, Handshakes
from airos_edge.http.keys import Keys
from airos_edge.http.limits import LARGEST_BODY_BYTES
from airos_edge.http.pages import let_pages_read, preflight
from airos_edge.http.settings import Settings
from airos_edge.http.tls import load_into, server_context
from airos_edge.quota import Quotas
from airos_edge.refusal import refused

SHUTDOWN_S = 1.0
"""What a handler that still runs is given when the doors close; answers were waited for before."""
BACKLOG = 128
"""Connections that may wait to be accepted."""
KEEPALIVE_S = 75.0
"""Between two requests of one connection."""
LONGEST_SOCKET_PATH = 107
"""Bytes that fit `sun_path`, see unix(7)."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the listener can be reached; `port` is the real one when 0 was asked for."""

    host: str
    port: int
    socket_path: Path
    secured: ssl.SSLContext | None = None
    """None: without TLS."""

    @property
    def where(self) -> str:
        """Host and port as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def renew(self, settings: Settings) -> None:
        """Takes up a renewed certificate, for connections from now on. Raises ConfigError."""
        if self.secured is not None and settings.tls is not None:
            server_context(settings.tls)  # first apart: one that does not fit must change nothing
            load_into(self.secured, settings.tls)


@asynccontextmanager
async def listen(
    settings: Settings,
    routes: Iterable[web.RouteDef],
    control_routes: Iterable[web.RouteDef],
    socket_path: Path,
    socket_mode: int = 0o600,
    keys: Keys | None = None,
    quotas: Quotas | None = None,
) -> AsyncIterator[Doors]:
    """Serves `routes` on TCP, and those and `control_routes` on the Unix socket.

    The socket is for whom `socket_mode` says. `keys` and `quotas` are those of the settings where none
    are given. Leaving the block closes both. Raises AirosError when a
    door cannot be opened, ConfigError when the host would open it to strangers.
    """
    secured = server_context(settings.tls) if settings.tls else None
    handshakes = Handshakes()
    middlewares = [
        handshakes.seen,
        preflight,
        _refuse_in_a_sentence,
        guard(settings, keys, quotas),
    ]
    async with AsyncExitStack() as stack:
        door = _bind_control(socket_path, socket_mode)
        stack.callback(door.close)
        control = await _runner(stack, [*routes, *control_routes], [_refuse_in_a_sentence])
        public = await _runner(stack, with_azures(routes), middlewares)
        stack.callback(socket_path.unlink, missing_ok=True)  # first: the next daemon may be waiting
        assert public.server is not None
        server = await _open_tcp(handshakes.watched(public.server), settings, secured)
        stack.callback(server.close)
        await web.SockSite(control, door).start()
        host, port = server.sockets[0].getsockname()[:2]
        yield Doors(host, port, socket_path, secured)


async def _runner(
    stack: AsyncExitStack, routes: Iterable[web.RouteDef], middlewares: Iterable[Middleware]
) -> web.AppRunner:
    app = web.Application(client_max_size=LARGEST_BODY_BYTES, middlewares=middlewares)
    app.add_routes(routes)
    app.on_response_prepare.append(let_pages_read)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=SHUTDOWN_S, keepalive_timeout=KEEPALIVE_S
    )
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    return runner


@web.middleware
async def _refuse_in_a_sentence(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What aiohttp refuses by itself is JSON with an `error`, like all that we refuse: to `airos` a
    sentence, else an object, from which OpenAI's clients take message and code."""
    headers: dict[str, str] = {}
    try:
        return await handler(request)
    except web.HTTPNotFound as error:
        status, code, why = error.status, "unknown_url", f"there is no {request.path}"
    except web.HTTPMethodNotAllowed as error:
        wanted = sorted(error.allowed_methods)
        headers[hdrs.ALLOW] = ", ".join(wanted)
        why = f"{request.path} takes {' or '.join(wanted)}, not {request.method}"
        status, code = error.status, "method_not_supported"
    except web.HTTPRequestEntityTooLarge as error:
        limit = LARGEST_BODY_BYTES // 1024**2
        status, code = error.status, "request_too_large"
        why = f"the request is larger than {limit} MiB"
    except web.HTTPBadRequest as error:
        status, code, why = error.status, "bad_request", (error.text or error.reason).strip(": ")
    except (web.RequestPayloadError, ConnectionResetError):
        status, code = 400, "invalid_body"
        why = "the request's body cannot be read: it breaks off, or is not compressed as it says"
    if request.path.startswith("/api/"):
        return web.json_response({"error": why}, status=status, headers=headers)
    why = f"{why[0].upper()}{why[1:]}."
    return refused(status, why, code, headers=headers)


async def _open_tcp(
    protocol: Callable[[], asyncio.Protocol], settings: Settings, secured: ssl.SSLContext | None
) -> asyncio.Server:
    where = f"{settings.host}:{settings.port}"
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(
            protocol,
            settings.host,
            settings.port,
            ssl=secured,
            backlog=BACKLOG,
            ssl_handshake_timeout=HANDSHAKE_S if secured else None,
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = "is in use by another program; stop it, or choose another port: server.port"
            raise AirosError(f"{where} {why} or AIROS_SERVER__PORT") from error
        raise AirosError(f"cannot listen on {where}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    """asyncio says it twice, with the address in between."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


# ---- the control socket -------------------------------------------------------------------------


def _bind_control(path: Path, mode: int) -> socket.socket:
    """The socket, not yet listening: until it does nobody can connect, and then only who may."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise AirosError(f"{path}: too long for a socket; set AIROS_RUNTIME to a shorter path")
    door = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _clear_stale(path)
        door.bind(str(path))
        path.chmod(mode)
    except OSError as error:
        door.close()
        raise AirosError(
            f"cannot make the control socket {path}: {error.strerror}; "
            "set AIROS_RUNTIME to a directory of your own"
        ) from error
    except AirosError:
        door.close()
        raise
    return door


def _clear_stale(path: Path) -> None:
    """Removes what a daemon that died left behind; refuses to push a living one, or a file, aside."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise AirosError(f"{path} is in the way: it is no socket; remove it")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except PermissionError:
            raise AirosError(
                f"another user's airos is running, or has left {path}; "
                "set AIROS_RUNTIME to a directory of your own"
            ) from None
        except BlockingIOError:
            pass  # it is there, and too busy to accept
    raise AirosError(
        f"another airos is running; it listens on {path}; to run one beside it set AIROS_RUNTIME to a "
        "directory of its own"
    )
