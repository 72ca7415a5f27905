"""One TCP port for every HTTP and WebSocket face, and a Unix socket for the control API."""

import errno
import ipaddress
import os
import socket
import stat
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from airos_edge.errors import AirosError, ConfigError
from airos_edge.http.settings import Settings

LARGEST_BODY_BYTES = 64 * 1024 * 1024
"""A recording of five minutes at 48 kHz, stereo, 16 bit."""
SHUTDOWN_S = 1.0
"""What a handler that still runs is given when the doors close; answers were waited for before."""
LONGEST_SOCKET_PATH = 107
"""Bytes that fit `sun_path`, see unix(7)."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the listener can be reached; `port` is the real one when 0 was asked for."""

    host: str
    port: int
    socket_path: Path


@asynccontextmanager
async def listen(
    settings: Settings,
    routes: Iterable[web.RouteDef],
    control_routes: Iterable[web.RouteDef],
    socket_path: Path,
) -> AsyncIterator[Doors]:
    """Serves `routes` on TCP, and those and `control_routes` on the Unix socket.

    Leaving the block closes both. Raises AirosError when a door cannot be opened, ConfigError when
    the host would open it to strangers.
    """
    _refuse_strangers(settings.host)
    _clear_stale(socket_path)
    public, control = _application(routes), _application([*routes, *control_routes])
    runners = [
        web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        for app in (public, control)
    ]
    try:
        for runner in runners:
            await runner.setup()
        await _open_tcp(runners[0], settings)
        await web.UnixSite(runners[1], str(socket_path)).start()
        os.chmod(socket_path, stat.S_IRUSR | stat.S_IWUSR)
        host, port = runners[0].addresses[0][:2]
        yield Doors(host, port, socket_path)
    finally:
        for runner in runners:
            await runner.cleanup()
        _remove(socket_path)


def _remove(socket_path: Path) -> None:
    socket_path.unlink(missing_ok=True)


def _application(routes: Iterable[web.RouteDef]) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY_BYTES)
    app.add_routes(routes)
    return app


async def _open_tcp(runner: web.AppRunner, settings: Settings) -> None:
    where = f"{settings.host}:{settings.port}"
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"{where} is in use by another program; stop it or set server.port"
        else:
            message = f"cannot listen on {where}: {error.strerror or error}"
        raise AirosError(message) from error


def _refuse_strangers(host: str) -> None:
    """Until there are keys, only this box may connect."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigError(
            f"server.host: got {host!r}, wants a loopback address such as 127.0.0.1: "
            "anyone who reaches another one could use this box, as there are no API keys"
        )


def _clear_stale(socket_path: Path) -> None:
    """Removes what a daemon that died left behind; refuses to push a living one aside."""
    if len(os.fsencode(socket_path)) > LONGEST_SOCKET_PATH:
        raise AirosError(
            f"{socket_path}: too long for a socket; set AIROS_RUNTIME to a shorter path"
        )
    socket_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not socket_path.exists():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_path))
        except OSError:
            socket_path.unlink()
            return
    raise AirosError(f"another airos is running; it listens on {socket_path}")
