"""Processes that are measured: the daemon as its user starts it, and what they cost."""

import http.client
import json
import os
import re
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
SHUT = {
    "AIROS_WYOMING__SERVICES": "null",
    "AIROS_MDNS__ENABLED": "false",
    "AIROS_SATELLITE__MICROPHONE": "null",
    "AIROS_SATELLITE__SPEAKER": "null",
}
"""The doors that a measurement does not want, unless it opens them itself."""
JSON = {"Content-Type": "application/json"}
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

    def ask(self, text: str = "what time is it") -> dict[str, Any]:
        """Over the control socket; waits until there is one, so the daemon is ready afterwards."""
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

    def _must_live(self) -> None:
        if self.process.poll() is not None or time.perf_counter() - self.began > START_LIMIT_S:
            log = (self.folder / "log").read_text()
            raise RuntimeError(f"the daemon does not come up:\n{log}")


@contextmanager
def daemon(config: Path | None = None, **options: str) -> Iterator[Daemon]:
    """`airos run --demo` in a home of its own, with these environment variables, ready once it was asked.
    Leaving the block stops it.

    Without a file of its own it has every option's default, but those that are `SHUT`.
    """
    with tempfile.TemporaryDirectory(prefix="airos-bench-") as home:
        folder, port = Path(home), free_port()
        environment = own_environment(folder) | {"AIROS_SERVER__PORT": str(port)}
        environment |= options
        command = [sys.executable, "-m", "airos_edge", "run", "--demo"]
        if config is not None:
            command += ["--config", str(config)]
        with (folder / "log").open("wb") as log:
            began = time.perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            yield Daemon(process, folder, port, began)
        finally:
            end(process)


@contextmanager
def server(
    module: str = "bench.server", *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m` the module, and where it says that it listens."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            end(process)


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
    return kept | own | SHUT


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
    ticks = 0
    for each in tree(pid):
        # The second field is the program's name in brackets, and may itself hold spaces.
        after_name = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / TICKS_PER_S


def busy_s(pid: int) -> float:
    """What the process, without others that it started, has used so far, in nanoseconds' steps.

    What its threads used that have ended is not in it.
    """
    return _scheduled_s(pid, 0)


def waited_s(pid: int) -> float:
    """How long its threads could have gone on, and others had the cores."""
    return _scheduled_s(pid, 1)


def _scheduled_s(pid: int, column: int) -> float:
    threads = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(each.split()[column]) for each in threads) / 1e9


def open_files(pid: int) -> int:
    """Sockets and pipes among them."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def pss_mb(pid: int) -> float:
    """The memory of the process tree, shared pages divided among those who share them."""
    rollups = (Path(f"/proc/{each}/smaps_rollup").read_text() for each in tree(pid))
    return sum(int(re.findall(r"^Pss: +(\d+) kB", text, re.M)[0]) * 1024 for text in rollups) / 1e6
