"""The commands' side of the control API: one request over the daemon's Unix socket."""

import getpass
import http.client
import json
import socket
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Any

from airos_edge.errors import DaemonError

TIMEOUT_S = 60


class NoDaemon(DaemonError):
    """Nothing listens on the socket."""


class Refused(DaemonError):
    """The daemon was asked for what it will not do; its own words."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(str(self._path))


def request(
    path: Path, method: str, route: str, body: bytes = b"", content_type: str = "application/json"
) -> dict[str, Any]:
    """The daemon's answer. Waits a minute for it.

    Raises NoDaemon, Refused, and DaemonError where the daemon cannot be asked or does not answer.
    """
    connection = _UnixConnection(path)
    try:
        _connect(connection, path)
        connection.request(method, route, body, {"Content-Type": content_type})
        response = connection.getresponse()
        return _answer(response.status, response.read())
    except TimeoutError:
        raise DaemonError(f"the daemon gave no answer for {TIMEOUT_S} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise DaemonError(f"the daemon did not answer: {error or type(error).__name__}") from error
    finally:
        connection.close()


def stream(path: Path, route: str) -> Generator[dict[str, Any], None, None]:
    """The daemon's JSON lines as they come, after an empty one as soon as it has begun; never ends.

    Raises what `request` does, and DaemonError when the daemon ends or is silent for a minute.
    """
    connection = _UnixConnection(path)
    try:
        _connect(connection, path)
        connection.request("GET", route)
        response = connection.getresponse()
        if response.status != http.client.OK:
            _answer(response.status, response.read())
        yield {}
        while line := response.readline():
            if line.strip():
                yield _object(line)
    except TimeoutError:
        raise DaemonError(f"the daemon was silent for {TIMEOUT_S} s") from None
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    raise DaemonError("the daemon has ended")


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DaemonError("the daemon said what is no JSON; are both of one version?")
    return value


def post_json(path: Path, route: str, value: dict[str, Any]) -> dict[str, Any]:
    return request(path, "POST", route, json.dumps(value).encode())


def _connect(connection: _UnixConnection, path: Path) -> None:
    try:
        connection.connect()
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise NoDaemon(f"no daemon is running ({path}); start one with `airos run`") from None
    except PermissionError:
        raise DaemonError(_whom_it_is_open_to(path)) from None
    except OSError as error:
        raise DaemonError(f"{path} cannot be reached: {error.strerror or error}") from error


def _whom_it_is_open_to(path: Path) -> str:
    try:
        group = path.group() if path.stat().st_mode & stat.S_IWGRP else ""
    except (OSError, KeyError):
        group = ""
    if group:
        return (
            f"the daemon of {path} is for root and the group {group}; put yourself into it with "
            f"`sudo adduser {getpass.getuser()} {group}` and log in again"
        )
    return (
        f"the daemon of {path} is another user's; be that user, or set AIROS_RUNTIME to a "
        "directory of your own"
    )


def _answer(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or (status != http.client.OK and "error" not in answer):
        raise DaemonError(f"the daemon failed (HTTP {status}); its log says more")
    if status != http.client.OK:
        raise Refused(str(answer["error"]))
    return answer
