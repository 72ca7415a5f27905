"""`airos tls` and what it makes: stock clients over wss://, which trust it by its file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import StartDaemon

pytestmark = pytest.mark.real_time

GREETED = """
import asyncio, sys
from openai import AsyncOpenAI
async def main():
    client = AsyncOpenAI(api_key="any", base_url=sys.argv[1])
    async with client.realtime.connect(model="airos") as connection:
        print((await connection.recv()).type)
asyncio.run(main())
"""


def test_a_stock_client_trusts_what_airos_tls_printed(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    first = start_daemon("--demo")
    told = first.airos("tls", "--name", "airos.example").stdout
    assert "airos.example" in told
    there = next(line for line in told.splitlines() if "tls: {" in line).split("tls: ")[1]
    secured = start_daemon("--demo", config=f"server: {{tls: {there}}}\n")
    assert f"Open: wss://127.0.0.1:{secured.port}/v1/realtime" in secured.log
    pem = tmp_path / "airos.pem"
    pem.write_text(first.airos("tls", "--print").stdout)

    def greeted(**environment: str) -> subprocess.CompletedProcess[str]:
        url = secured.url.replace("http:", "https:")
        return subprocess.run(
            [sys.executable, "-c", GREETED, url],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert greeted(SSL_CERT_FILE=str(pem)).stdout == "session.created\n"
    assert "CERTIFICATE_VERIFY_FAILED" in greeted().stderr


def test_without_a_daemon_it_is_made_here_and_check_says_how_long_it_is_good(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--demo")
    daemon.stop()
    told = daemon.airos("tls").stdout
    files = Path(daemon.environment["HOME"], ".local/state/airos/tls")
    assert str(files / "key.pem") in told
    daemon.environment["AIROS_SERVER__TLS__CERTIFICATE"] = str(files / "certificate.pem")
    daemon.environment["AIROS_SERVER__TLS__KEY"] = str(files / "key.pem")
    assert "# the certificate of server.tls is valid until 20" in daemon.airos("check").stdout
    (files / "key.pem").unlink()
    refused = daemon.airos("check")
    assert (refused.returncode, "server.tls.key: " in refused.stderr) == (78, True)
