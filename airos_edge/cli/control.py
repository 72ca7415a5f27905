"""The commands' side of the control API: one request over the daemon's Unix socket."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

from airos_edge.errors import DaemonError

TIMEOUT_S = 60


class NoDaemon(DaemonError):
    """Nothing listens on the socket."""


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
    """The daemon's answer. Raises NoDaemon, and DaemonError with the daemon's own words."""
    connection = _UnixConnection(path)
    try:
        connection.request(method, route, body, {"Content-Type": content_type})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (FileNotFoundError, ConnectionRefusedError):
        raise NoDaemon(f"no daemon is running ({path}); start one with `airos run`") from None
    except PermissionError:
        raise DaemonError(f"the daemon belongs to another user ({path})") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DaemonError(f"the daemon did not answer: {error or type(error).__name__}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise DaemonError(str(answer.get("error", answer)))
    return dict(answer)


def post_json(path: Path, route: str, value: dict[str, Any]) -> dict[str, Any]:
    return request(path, "POST", route, json.dumps(value).encode())
