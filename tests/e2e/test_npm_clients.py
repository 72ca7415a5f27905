"""OpenAI's clients from npm, unmodified: `openai`, which speaks by TLS alone, and `@openai/agents-realtime`."""

import datetime
import ipaddress
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e import scenario
from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.scenario import scripted, was_cut

pytestmark = pytest.mark.real_time

SCRIPTS = Path(__file__).parents[1] / "npm"
PACKAGES = Path(__file__).parents[2] / ".venv" / "npm" / "node_modules"
LIMIT_S = 45


def needs(package: str) -> None:
    """Skips where it cannot be run."""
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True) if node else None
    if version is None or int(version.stdout.lstrip("v").partition(".")[0]) < 20:
        pytest.skip("node is absent, or older than 20")
    if not (PACKAGES / package).exists():
        pytest.skip(f"{package} of tests/npm is absent; `make test` installs it where there is npm")


def plays(script: str, folder: Path, environment: dict[str, str], **where: str) -> dict[str, Any]:
    """What the client of this script holds when it has gone through the scenario."""
    told = json.dumps({**scenario.told(folder), **where, "packages": str(PACKAGES)})
    result = subprocess.run(
        ["node", str(SCRIPTS / script), told],
        capture_output=True, text=True, timeout=LIMIT_S, env=environment, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout.splitlines()[-1]))


def certificate(folder: Path) -> tuple[Path, Path]:
    """One for 127.0.0.1, which vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "airos")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    files[1].chmod(0o600)
    return files


def websocket(daemon: Daemon) -> str:
    return f"{daemon.url.replace('http', 'ws')}/realtime?model={scenario.MODEL}"


def test_the_agents_of_npm_go_through_it_all(start_daemon: StartDaemon, tmp_path: Path) -> None:
    needs("@openai/agents-realtime")
    with scripted(start_daemon) as (daemon, server):
        told = plays("agents.mjs", tmp_path, daemon.environment, url=websocket(daemon))
    assert told["errors"] == []
    assert told["user"] == [
        scenario.COMMAND, scenario.ASK_WEATHER, scenario.ASK_STORY, scenario.OVER
    ]  # fmt: skip
    hello, weather, story, noon = told["assistant"]
    assert [hello, weather, noon] == [scenario.HELLO, scenario.WEATHER, scenario.NOON]
    assert was_cut(story)
    assert told["tools"] == [scenario.FOGGY]
    assert server.requests[2]["messages"][-1]["content"] == scenario.FOGGY
    assert told["audio"] > 100_000
    assert told["interrupted"] >= 1
    assert told["again"] == [scenario.WELCOME]


def test_the_openai_of_npm_goes_through_it_all_by_tls(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    needs("openai")
    public, private = certificate(tmp_path)
    tls = f"server: {{tls: {{certificate: {public}, key: {private}}}}}\n"
    with scripted(start_daemon, config=tls) as (daemon, _):
        told = plays(
            "openai.mjs",
            tmp_path,
            {**daemon.environment, "NODE_EXTRA_CA_CERTS": str(public)},
            base_url=daemon.url.replace("http:", "https:"),
        )
    assert told["errors"] == []
    assert told["heard"] == [scenario.COMMAND, scenario.OVER]
    hello, weather, story, noon, welcome = told["said"]
    assert [hello, weather, noon] == [scenario.HELLO, scenario.WEATHER, scenario.NOON]
    assert was_cut(story)
    assert welcome == scenario.WELCOME
    assert was_cut(told["cut"])
    assert json.loads(told["tools"][0]["arguments"]) == {"city": "London"}
    assert told["cancelled"] == [None, None, None, "turn_detected", None, None]
    assert told["audio"] > 100_000
