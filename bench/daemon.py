"""Processes that are measured: the daemon as its user starts it, and what they cost."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_LIMIT_S = 30
STOP_LIMIT_S = 15
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Daemon:
    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    began: float
    """When it was started, by `time.perf_counter`."""

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/realtime?model=airos"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def ask(self, text: str) -> dict[str, Any]:
        """Over the control socket; waits until there is one."""
        while True:
            connection = http.client.HTTPConnection("localhost")
            connection.sock = socket.socket(socket.AF_UNIX)
            try:
                connection.sock.connect(str(self.folder / "control.sock"))
                connection.request("POST", "/api/ask", json.dumps({"text": text}), JSON)
                return dict(json.loads(connection.getresponse().read()))
            except (FileNotFoundError, ConnectionRefusedError):
                self._must_live()
                time.sleep(0.002)
            finally:
                connection.close()

    def wait_until_ready(self) -> None:
        while "is ready" not in self.log:
            self._must_live()
            time.sleep(0.01)

    def _must_live(self) -> None:
        if self.process.poll() is not None or time.perf_counter() - self.began > START_LIMIT_S:
            raise RuntimeError(f"the daemon does not come up:\n{self.log}")


JSON = {"Content-Type": "application/json"}


@contextmanager
def daemon() -> Iterator[Daemon]:
    """`airos run --demo` in a home of its own. It may not be ready yet; leaving the block stops it."""
    with tempfile.TemporaryDirectory(prefix="airos-bench-") as home:
        folder, port = Path(home), free_port()
        environment = own_environment(folder) | {"AIROS_SERVER__PORT": str(port)}
        command = [sys.executable, "-m", "airos_edge", "run", "--demo"]
        with (folder / "log").open("wb") as log:
            began = time.perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            yield Daemon(process, folder, port, began)
        finally:
            end(process)


@contextmanager
def server(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`python -m bench.server`, and the port it says that it listens on."""
    command = [sys.executable, "-m", "bench.server", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        end(process)
        process.stdout.close()


def end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def own_environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's own configuration, and no compiled files left in the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIROS_")}
    own = {"HOME": str(folder), "AIROS_RUNTIME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return kept | own


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree(pid: int) -> list[int]:
    """The process and all that it started."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            pids += tree(int(child))
    return pids


def cpu_s(pid: int) -> float:
    """What the process tree has used so far, in steps of 10 ms."""
    return sum(_cpu_s(each) for each in tree(pid))


def _cpu_s(pid: int) -> float:
    # The second field is the program's name in brackets, and may itself hold spaces.
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = after_name[11:13]
    return (int(user) + int(system)) / TICKS_PER_S


def pss_mb(pid: int) -> float:
    """The memory of the process tree, shared pages divided among those who share them."""
    return sum(_pss_bytes(each) for each in tree(pid)) / 1e6


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel tells no Pss")
