"""The proxies of the examples, as they are, before a daemon."""

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from airos_edge.http import certificate
from tests.e2e.conftest import Daemon, StartDaemon, free_port

pytestmark = pytest.mark.real_time

EXAMPLES = Path(__file__).parents[2] / "examples"
BELIEVED = "server: {trusted_proxies: [127.0.0.1]}\n"


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (make system-deps)")
    return found


class Nginx:
    """The example with other ports and a certificate that is there."""

    def __init__(self, folder: Path, airos_port: int) -> None:
        made = certificate.kept_or_made(folder, [])
        self.port, self.trust = free_port(), made.certificate
        self._folder = folder
        example = (EXAMPLES / "nginx.conf").read_text()
        for there, here in (
            ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            ("/etc/letsencrypt/live/airos.example.com/fullchain.pem", made.certificate),
            ("/etc/letsencrypt/live/airos.example.com/privkey.pem", made.key),
            ("127.0.0.1:8765", f"127.0.0.1:{airos_port}"),
        ):
            assert there in example
            example = example.replace(there, here)
        (folder / "airos.conf").write_text(example)
        temporary = " ".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/errors;\n"
            "events {}\n"
            f"http {{ access_log off; {temporary} include {folder}/airos.conf; }}\n"
        )
        self._command = [program("nginx"), "-p", str(folder), "-c", f"{folder}/nginx.conf"]
        self._command += ["-e", f"{folder}/errors"]

    def test(self) -> subprocess.CompletedProcess[str]:
        command = [*self._command, "-t"]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    @contextmanager
    def running(self) -> Iterator["Nginx"]:
        process = subprocess.Popen(self._command)
        try:
            until = time.monotonic() + 10
            while not (self._folder / "pid").exists():
                assert process.poll() is None, (self._folder / "errors").read_text()
                assert time.monotonic() < until
                time.sleep(0.02)
            yield self
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
def behind(start_daemon: StartDaemon, tmp_path: Path) -> Iterator[tuple[Daemon, Nginx]]:
    folder = tmp_path / "nginx"
    folder.mkdir()
    daemon = start_daemon("--demo", config=BELIEVED)
    with Nginx(folder, daemon.port).running() as nginx:
        yield daemon, nginx


def test_the_examples_are_understood(tmp_path: Path) -> None:
    checked = Nginx(tmp_path, 8765).test()
    assert checked.returncode == 0, checked.stderr


def test_caddy_understands_its_example(tmp_path: Path) -> None:
    command = [program("caddy"), "validate", "--adapter", "caddyfile", "--config"]
    checked = subprocess.run(
        [*command, str(EXAMPLES / "Caddyfile")],
        env={**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


async def test_a_conversation_goes_through_nginx(behind: tuple[Daemon, Nginx]) -> None:
    daemon, nginx = behind
    headers = {"Authorization": f"Bearer {daemon.airos('keys', 'add', 'far').stdout.strip()}"}
    trusting = ssl.create_default_context(cafile=nginx.trust)
    url = f"wss://localhost:{nginx.port}/v1/realtime?model=airos"
    content = [{"type": "input_text", "text": "turn on the desk lamp"}]
    item = {"type": "message", "role": "user", "content": content}
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(url, ssl=trusting, headers=headers) as socket,
    ):
        await socket.send_json({"type": "conversation.item.create", "item": item})
        await socket.send_json({"type": "response.create"})
        async for message in socket:
            event = message.json()
            if event["type"] == "response.done":
                break
    assert event["response"]["status"] == "completed"


async def test_who_comes_through_a_proxy_of_this_box_is_still_a_stranger(
    behind: tuple[Daemon, Nginx],
) -> None:
    """nginx says 127.0.0.1 of a client here; one that says it comes from elsewhere is believed to."""
    daemon, nginx = behind
    trusting = ssl.create_default_context(cafile=nginx.trust)
    async with aiohttp.ClientSession() as client:
        url = f"https://localhost:{nginx.port}/metrics"
        async with client.get(url, ssl=trusting) as answer:
            assert answer.status == 200
        elsewhere = {"X-Forwarded-For": "203.0.113.5"}
        async with client.get(url, ssl=trusting, headers=elsewhere) as answer:
            assert answer.status == 401
    assert "Refused 203.0.113.5" in daemon.log
