"""Whoever talks to the daemon is seen by who listens to it, from another process."""

import asyncio
import json
import signal
import subprocess
import sys
from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.test_realtime import RATE_HZ, Talk
from tests.speech import spoken

pytestmark = pytest.mark.real_time


class Listener:
    """`airos listen --live`, as its user runs it; use it as a context manager."""

    def __init__(self, daemon: Daemon, *options: str) -> None:
        command = [sys.executable, "-m", "airos_edge", "listen", "--live", *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, env=daemon.environment, stdout=pipe, stderr=pipe, text=True
        )

    def __enter__(self) -> "Listener":
        assert self.process.stderr is not None
        assert self.process.stderr.readline().startswith("Listening to the daemon's")
        return self

    def __exit__(self, *raised: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def ended(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=15)
        return self.process.returncode, out, err


async def ask(daemon: Daemon, text: str) -> None:
    client = AsyncOpenAI(api_key="any", base_url=daemon.url)
    async with client, client.realtime.connect(model="airos") as connection:
        talk = Talk(connection)
        await talk.configure(
            output_modalities=["text"],
            audio={"input": {"turn_detection": {"type": "semantic_vad"}}},
        )
        await talk.say(spoken(text, before_ms=300, after_ms=600, rate_hz=RATE_HZ))
        await talk.until("response.done")


async def test_a_conversation_is_seen_until_ctrl_c(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    with Listener(daemon, "--json") as json_listener, Listener(daemon) as listener:
        await ask(daemon, "turn on the kitchen light")
        await asyncio.to_thread(_until_answered, json_listener)
        for one in (json_listener, listener):
            one.process.send_signal(signal.SIGINT)
        status, _, err = json_listener.ended()
        assert (status, err) == (130, "")
        status, out, err = listener.ended()
    assert (status, err) == (130, "")
    assert "ms of silence after words that are complete" in out
    assert 'heard "turn on the kitchen light"' in out
    assert "answered HassTurnOn (name kitchen light)" in out


def _until_answered(listener: Listener) -> list[dict[str, Any]]:
    assert listener.process.stdout is not None
    lines: list[dict[str, Any]] = []
    while not lines or lines[-1]["event"] != "answered":
        lines.append(json.loads(listener.process.stdout.readline()))
    return lines


def test_a_daemon_that_stops_is_not_held_up_and_says_so_to_who_listens(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--demo")
    with Listener(daemon) as listener:
        assert daemon.stop() == 0
        status, out, err = listener.ended()
    assert (status, out, err) == (1, "", "airos: the daemon has ended\n")
