"""What the service manager hears, on a socket such as it gives."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airos_edge.announce import systemd
from airos_edge.health import Health, PartsRenewed
from airos_edge.voice.flow import Scope
from airos_edge.voice.hub import Hub

WELL: dict[str, Any] = {"status": "ok", "parts": {"tts": {"engine": "espeak", "state": "ok"}}}


class Manager:
    """The end at which systemd listens."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        """Since it was last asked."""
        heard = []
        while True:
            try:
                heard.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    yield manager
    manager.close()


def test_it_is_told_line_by_line(manager: Manager) -> None:
    systemd.notify("READY=1", "STATUS=Ready")
    systemd.notify("STOPPING=1")
    assert manager.heard() == ["READY=1\nSTATUS=Ready", "STOPPING=1"]


def test_what_a_stranger_called_a_mistake_is_told_however_it_is_written(manager: Manager) -> None:
    systemd.notify("STATUS=mqtt failed (\ud800)")
    assert manager.heard() == ["STATUS=mqtt failed (?)"]


def test_an_abstract_socket_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"airos-test-{os.getpid()}"
    manager = Manager(f"\0{name}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    systemd.notify("READY=1")
    assert manager.heard() == ["READY=1"]
    manager.close()


def test_without_a_service_manager_nothing_happens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    systemd.notify("READY=1")
    assert caplog.records == []


def test_a_service_manager_that_has_gone_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    systemd.notify("READY=1")
    assert "cannot be told READY=1" in caplog.text


def test_a_reload_is_over_when_the_block_is_even_if_it_failed(manager: Manager) -> None:
    with pytest.raises(ValueError, match="bad"), systemd.reloading():
        raise ValueError("bad")
    begun, ended = manager.heard()
    lines = dict(line.split("=") for line in begun.splitlines())
    assert lines["RELOADING"] == "1"
    assert int(lines["MONOTONIC_USEC"]) > 0
    assert ended == "READY=1"


# ---- the watchdog -------------------------------------------------------------------------------


async def test_the_watchdog_is_fed_twice_in_its_time(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    async with Scope() as scope:
        scope.start(systemd.feed_watchdog(), "watchdog")
        await asyncio.sleep(1)
        assert manager.heard() == ["WATCHDOG=1"]
        await asyncio.sleep(30)
        assert manager.heard() == ["WATCHDOG=1"] * 2


async def test_it_is_not_fed_while_sound_does_not_flow(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    flows = True
    async with Scope() as scope:
        scope.start(systemd.feed_watchdog(lambda: True, lambda: flows), "watchdog")
        await asyncio.sleep(1)
        flows = False
        manager.heard()
        await asyncio.sleep(60)
        assert manager.heard() == []
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        flows = True
        await asyncio.sleep(15)
        assert manager.heard() == ["WATCHDOG=1"]


@pytest.mark.parametrize(
    "environment",
    [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}],
    ids=["none", "another's", "off"],
)
async def test_where_nobody_waits_for_it_nothing_is_fed(
    manager: Manager, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    await systemd.feed_watchdog()
    assert manager.heard() == []


# ---- the line of `systemctl status` -------------------------------------------------------------


async def test_the_status_follows_the_parts(manager: Manager) -> None:
    hub = Hub()
    health = Health(hub.publish)
    async with Scope() as scope:
        scope.start(
            systemd.show_state(hub, lambda: {"parts": WELL["parts"] | health.parts()}), "status"
        )
        await asyncio.sleep(0)
        health.report("mqtt", "failed", "no broker answers at 10.0.0.2")
        await asyncio.sleep(0)
        health.report("mqtt", "ok")
        await asyncio.sleep(0)
        hub.publish(PartsRenewed())
        await asyncio.sleep(0)
    assert manager.heard() == [
        "STATUS=Everything works",
        "STATUS=mqtt failed (no broker answers at 10.0.0.2)",
        "STATUS=Everything works",
        "STATUS=Everything works",
    ]


def test_a_status_is_one_line_and_not_a_long_one(manager: Manager) -> None:
    why = "first\nREADY=1\n" + "x" * 500
    systemd.notify_state({"parts": {"asr": {"state": "failed", "why": why}}})
    (line,) = manager.heard()
    assert line.startswith("STATUS=asr failed (first READY=1 xxx")
    assert len(line) == len("STATUS=") + systemd.LONGEST_STATUS


def test_what_is_being_loaded_is_told_after_what_does_not_work(manager: Manager) -> None:
    loading = {"state": "starting", "why": "loading whisper-small; pocketsphinx stands in"}
    systemd.notify_state({"parts": {"asr": loading, "tts": {"state": "ok"}}})
    systemd.notify_state({"parts": {"asr": loading, "mqtt": {"state": "failed"}}})
    told = "asr starting (loading whisper-small; pocketsphinx stands in)"
    assert manager.heard() == [f"STATUS={told}", f"STATUS=mqtt failed, {told}"]
