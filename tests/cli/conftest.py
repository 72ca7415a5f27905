"""A daemon that answers as it is told, and players that note what they were given."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest

from airos_edge.local.portaudio import AUTO, Device, Kind, NoDevice
from airos_edge.voice.audio import encode_wav
from tests.local.card import FakeAudio

WAV = encode_wav(bytes(3200), 16_000)


class NoSound(FakeAudio):
    """PortAudio on a system without a sound card."""

    async def find(self, kind: Kind, wish: str, rate_hz: int) -> Device:
        what = (
            "this system has none" if wish == AUTO else f"there is none with {wish!r} in its name"
        )
        raise NoDevice(what)


@pytest.fixture(autouse=True)
def _no_sound_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library knows for the life of a process what there was when it was begun, and other tests bring
    sound servers of their own."""
    monkeypatch.setattr("airos_edge.local.sound.PortAudio", NoSound)


@dataclass
class FakeDaemon:
    """Gives every request the same answer: a JSON value, bytes as they stand; None: it hangs up."""

    path: Path
    answer: Any = field(default_factory=dict)
    status: int = 200
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)

    def asked(self) -> list[Any]:
        """The JSON bodies it was sent."""
        return [json.loads(body) for _, _, body in self.requests]


class Answering(BaseHTTPRequestHandler):
    daemon: FakeDaemon

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.daemon.requests.append((self.command, self.path, body))
        answer = self.daemon.answer
        if answer is None:
            return
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(self.daemon.status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = handle_any

    def address_string(self) -> str:
        return "a command"

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands look for a daemon: a directory of the test's own, like their PATH and home."""
    for name in ("AIROS_CONFIG", "AIROS_SERVER__PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AIROS_RUNTIME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def daemon(runtime: Path) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(runtime / "control.sock")
    handler = type("Handler", (Answering,), {"daemon": daemon})
    with ThreadingUnixStreamServer(str(daemon.path), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield daemon
        server.shutdown()
        thread.join()


@pytest.fixture
def player(runtime: Path) -> Callable[..., Path]:
    """Puts a player on the PATH; what it plays is found in the file that is returned."""

    def install(name: str, exit_code: int = 0) -> Path:
        program, played = runtime / "bin" / name, runtime / f"{name}.played"
        program.parent.mkdir(exist_ok=True)
        program.write_text(
            f'#!/bin/sh\nfor file; do :; done\n/bin/cat "$file" >>{played}\nexit {exit_code}\n'
        )
        program.chmod(0o755)
        return played

    return install
