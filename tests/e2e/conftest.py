"""The daemon as a process of its own, with real engines, spoken to by real clients."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

START_LIMIT_S = 20
STOP_LIMIT_S = 15


@dataclass
class Daemon:
    process: subprocess.Popen[bytes]
    port: int
    environment: dict[str, str]
    log_file: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def airos(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, run as its user runs it."""
        return subprocess.run(
            [sys.executable, "-m", "airos_edge", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def wait_for(self, text: str) -> None:
        """Until the log says so, or the daemon has ended."""
        until = time.monotonic() + START_LIMIT_S
        while text not in self.log:
            assert self.process.poll() is None, f"the daemon ended:\n{self.log}"
            assert time.monotonic() < until, f"no {text!r} in the log:\n{self.log}"
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_LIMIT_S)


StartDaemon = Callable[..., Daemon]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(
    folder: Path, *arguments: str, config: str = "", within: Sequence[str] = (), **extra: str
) -> Daemon:
    """A daemon with a home, a port and a log of its own, which opens no other door by itself.

    `within`: a program, with its arguments, that puts itself elsewhere and becomes the daemon there.
    `extra`: of its environment.
    """
    folder.mkdir()
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIROS_")},
        "HOME": str(folder),
        "AIROS_RUNTIME": str(folder),
        "AIROS_SERVER__PORT": str(port),
        "AIROS_SATELLITE__MICROPHONE": "null",
        "AIROS_SATELLITE__SPEAKER": "null",
        "AIROS_WYOMING__SERVICES": "null",
        "AIROS_MDNS__ENABLED": "false",
        **extra,
    }
    if config:
        (folder / "config.yaml").write_text(config)
        environment["AIROS_CONFIG"] = str(folder / "config.yaml")
    log_file = folder / "log"
    with log_file.open("wb") as log:
        command = [*within, sys.executable, "-m", "airos_edge", "run", *arguments]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    return Daemon(process, port, environment, log_file)


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    """Starts daemons; at the end they are stopped, and a WARNING in a log that expected none fails."""
    started: list[tuple[Daemon, bool]] = []

    def start(
        *arguments: str,
        config: str = "",
        expect_warnings: bool = False,
        ready: bool = True,
        within: Sequence[str] = (),
        **extra: str,
    ) -> Daemon:
        folder = tmp_path / f"daemon{len(started)}"
        daemon = launch(folder, *arguments, config=config, within=within, **extra)
        started.append((daemon, expect_warnings))
        if ready:
            daemon.wait_for("INFO house: ")  # the last that it says of its start
        return daemon

    yield start
    for daemon, _ in started:
        if daemon.process.poll() is None:
            daemon.stop()
    for daemon, expect_warnings in started:
        if not expect_warnings:
            assert "WARNING" not in daemon.log, daemon.log
            assert "ERROR" not in daemon.log, daemon.log
