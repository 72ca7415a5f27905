"""Whole turns where nothing could leave the box unseen: in a network of its own, whose only way out is counted."""

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from airos_edge.config import Config
from tests.e2e.conftest import StartDaemon

EXAMPLES = Path(__file__).parents[2] / "examples"
GATEWAY = "192.0.2.254"
"""An address that RFC 5737 keeps for documentation."""
NETWORK = f"""
set -e
ip link add out type veth peer name far
# The kernel asks for routers and doubts its addresses by itself; here nobody speaks but programs.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip addr add 192.0.2.1/24 dev out
ip link set lo up
ip link set far up
ip link set out up
ip route add default via {GATEWAY}
ip neighbour add {GATEWAY} lladdr 02:00:00:00:00:01 dev out
echo there
exec cat
"""
"""A default route to a gateway that never answers, and whose address need not be asked for."""
ALONE = {"mdns": "AIROS_MDNS__ENABLED=false"}
"""What of the defaults speaks to the network unasked, by its section."""


@dataclass
class Network:
    """`within`: what a command begins with to run there."""

    pid: int

    @property
    def within(self) -> list[str]:
        user = (
            []
            if os.getuid() == 0
            else [f"--user=/proc/{self.pid}/ns/user", "--preserve-credentials"]
        )
        return ["nsenter", *user, f"--net=/proc/{self.pid}/ns/net"]

    def run(self, *command: str, cwd: Path | None = None) -> str:
        ended = subprocess.run(
            [*self.within, *command],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def sent(self) -> int:
        """Packets that went out, of whatever kind: see proc(5), the tenth number of /proc/net/dev."""
        lines = Path(f"/proc/{self.pid}/net/dev").read_text().splitlines()
        (numbers,) = [
            line.split(":")[1].split() for line in lines if line.strip().startswith("out:")
        ]
        return int(numbers[9])


@pytest.fixture
def network() -> Iterator[Network]:
    for program in ("unshare", "nsenter", "ip", "sysctl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, to make a network")
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *user, "--net", "sh", "-c", NETWORK]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "there\n":
            pytest.skip(f"needs a network of its own: {holder.stderr.read().strip()}")
        yield Network(holder.pid)
        holder.kill()


def test_what_is_sent_there_is_counted(network: Network) -> None:
    assert network.sent() == 0
    send = (
        "import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', (sys.argv[1], 9))"
    )
    network.run(sys.executable, "-c", send, GATEWAY)
    network.run(sys.executable, "-c", send, "224.0.0.251")
    assert network.sent() == 2


def test_within_the_reach_of_the_box_not_a_packet_leaves_it(
    start_daemon: StartDaemon, network: Network, tmp_path: Path
) -> None:
    sections = {field.name for field in dataclasses.fields(Config)}
    quiet = dict(ALONE[name].split("=") for name in ALONE.keys() & sections)
    daemon = start_daemon("--demo", config="reach: local\n", within=network.within, **quiet)
    typed = network.run(
        "env",
        f"AIROS_RUNTIME={daemon.environment['AIROS_RUNTIME']}",
        *(sys.executable, "-m", "airos_edge", "ask", "--quiet", "turn on the desk lamp"),
        cwd=EXAMPLES.parent,
    )
    assert "nothing left this box" in typed
    recording = str(EXAMPLES / "turn-on-the-kitchen-light.wav")
    spoken = network.run(
        sys.executable, str(EXAMPLES / "ask_aloud.py"), recording, daemon.url, cwd=tmp_path
    )
    assert "Turned on the light" in spoken
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{daemon.url}/healthz", timeout=10)  # from here it cannot be reached
    assert daemon.stop() == 0
    assert network.sent() == 0
