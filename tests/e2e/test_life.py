"""How the daemon starts and stops, and what it says when it cannot."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from airos_edge.cli import CONFIGURATION
from tests.e2e.conftest import StartDaemon


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(start_daemon: StartDaemon, number: int) -> None:
    daemon = start_daemon("--demo")
    assert "demo" in daemon.log
    assert f"ws://127.0.0.1:{daemon.port}/v1/realtime" in daemon.log
    assert daemon.stop(number) == 0
    assert "Stopped." in daemon.log
    assert not Path(daemon.environment["AIROS_RUNTIME"], "control.sock").exists()


def test_stopped_while_it_starts_it_ends(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(ready=False, expect_warnings=True)
    assert daemon.stop() in (0, -signal.SIGTERM)


def test_a_port_in_use_is_said_in_a_sentence(start_daemon: StartDaemon) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        daemon = start_daemon(ready=False, expect_warnings=True, AIROS_SERVER__PORT=port)
        assert daemon.process.wait(20) == 1
    assert f"127.0.0.1:{port} is in use" in daemon.log
    assert "Traceback" not in daemon.log


def test_a_second_daemon_does_not_push_the_first_aside(start_daemon: StartDaemon) -> None:
    first = start_daemon()
    second = start_daemon(
        ready=False, expect_warnings=True, AIROS_RUNTIME=first.environment["AIROS_RUNTIME"]
    )
    assert second.process.wait(20) == 1
    assert "another airos is running" in second.log
    assert first.airos("ask", "what time is it").returncode == 0


def test_killed_it_is_followed_by_another(start_daemon: StartDaemon) -> None:
    first = start_daemon()
    first.process.kill()
    first.process.wait()
    runtime = first.environment["AIROS_RUNTIME"]
    assert Path(runtime, "control.sock").exists()
    second = start_daemon(AIROS_RUNTIME=runtime)
    assert second.airos("ask", "what time is it", "--quiet").returncode == 0
    assert second.stop() == 0


def test_hung_up_on_it_reads_its_configuration_again_and_a_bad_one_changes_nothing(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon(config="name: Airos\n", expect_warnings=True)
    config = Path(daemon.environment["AIROS_CONFIG"])
    config.write_text("name: [\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for("nothing was changed")
    assert "config.yaml:2:1" in daemon.log
    config.write_text("name: Maison\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for("changed: name")
    assert "Traceback" not in daemon.log


def test_the_service_manager_is_told_of_its_life(start_daemon: StartDaemon, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)

        def told(what: str) -> str:
            """The first from now on that begins so."""
            while not (line := manager.recv(4096).decode()).startswith(what):
                pass
            return line

        # Ten datagrams wait at most, and `airos check` may take its time.
        settings = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "800000"}
        daemon = start_daemon("--demo", ready=False, **settings)
        assert told("") == "READY=1", "nothing is said before the doors are open"
        assert daemon.airos("check").returncode == 0
        assert told("STATUS") == "STATUS=Everything works"
        for _ in range(3):
            assert told("WATCHDOG") == "WATCHDOG=1"
        daemon.process.send_signal(signal.SIGHUP)
        assert told("RELOADING=1\nMONOTONIC_USEC=")
        assert told("READY") == "READY=1"
        assert daemon.stop() == 0
        assert told("STOPPING=1")


def test_nothing_tells_anybody_that_it_is_used(start_daemon: StartDaemon) -> None:
    """onnxruntime keeps an id of the device in the home directory, to report with."""
    daemon = start_daemon("--demo")
    daemon.airos("ask", "what time is it", "--quiet")
    assert list(Path(daemon.environment["HOME"]).rglob("deviceid")) == []


def test_an_engine_that_cannot_be_opened_is_left_out_and_named(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(config="wake: {words: [hey_jarvish]}\n", expect_warnings=True)
    assert "hey_jarvis" in daemon.log
    import json
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/healthz", timeout=10)
    health = json.loads(caught.value.read())
    assert caught.value.code == 503
    assert health["parts"]["wake"]["state"] == "failed"
    assert health["parts"]["asr"]["state"] == "ok"
    assert daemon.airos("ask", "what time is it").returncode == 0


def test_a_bad_configuration_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("server:\n  prot: 8765\n")
    command = [sys.executable, "-m", "airos_edge", "run", "--config", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == CONFIGURATION
    assert f"{file}:2:3: server.prot: is unknown; try port" in result.stderr
