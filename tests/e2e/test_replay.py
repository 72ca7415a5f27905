"""A session that the daemon recorded, played once more by `airos replay`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.test_realtime import TRANSCRIBED, Talk, connect, recording
from tests.pulse import wait_until

pytestmark = pytest.mark.real_time


async def recorded(daemon: Daemon, folder: Path) -> Path:
    """A question typed, one spoken, and an answer that is cancelled."""
    async with connect(daemon) as connection:
        talk = Talk(connection)
        await talk.until("session.created")
        await talk.configure(**TRANSCRIBED)
        await talk.type("what's the date")
        await connection.response.create()
        await talk.until("response.done")
        speaking = asyncio.create_task(talk.say(recording()))
        delta = await talk.until("response.output_audio.delta")
        await connection.response.cancel()
        await connection.conversation.item.truncate(
            item_id=delta.item_id, content_index=0, audio_end_ms=200
        )
        await talk.until("conversation.item.truncated")
        await speaking
    return await asyncio.to_thread(_written, folder)


def _written(folder: Path) -> Path:
    """The one recording, as soon as it is whole."""
    (file,) = folder.glob("*.jsonl")
    wait_until(lambda: '"end": true' in file.read_text())
    return file


@pytest.mark.parametrize("speed", ["real", "max"])
async def test_a_session_is_answered_the_same_and_a_tampered_one_is_not(
    start_daemon: StartDaemon, tmp_path: Path, speed: str
) -> None:
    folder = tmp_path / "recordings"
    daemon = start_daemon("--demo", AIROS_SERVER__RECORD=str(folder))
    assert f"Recorded: every Realtime session, with its sound, in {folder}" in daemon.log
    file = await recorded(daemon, folder)
    assert file.stat().st_mode & 0o777 == 0o600
    same = await asyncio.to_thread(daemon.airos, "replay", str(file), "--speed", speed)
    assert same.stdout.startswith("The same: "), same.stdout + same.stderr
    assert same.returncode == 0
    tampered = tmp_path / "tampered.jsonl"
    tampered.write_text("".join(map(_changed, file.read_text().splitlines(keepends=True))))
    other = await asyncio.to_thread(daemon.airos, "replay", str(tampered), "--speed", speed)
    assert other.returncode == 1
    assert 'response.done: response.status was "failed", is "completed"' in other.stdout


def _changed(line: str) -> str:
    """As if the responses had failed."""
    event: dict[str, Any] = json.loads(line)
    if event.get("event", {}).get("type") == "response.done":
        response = event["event"]["response"]
        if response["status"] == "completed":
            response["status"] = "failed"
    return json.dumps(event) + "\n"


async def test_what_cannot_be_replayed_is_told_in_a_sentence(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    daemon = start_daemon("--demo")
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"type": "session.created"}\n')
    told = await asyncio.to_thread(daemon.airos, "replay", str(wrong))
    assert told.returncode == 1
    assert "wrong.jsonl: is no recording of a session" in told.stderr
    right = tmp_path / "right.jsonl"
    right.write_text('{"recording": 1}\n')
    told = await asyncio.to_thread(
        daemon.airos, "replay", str(right), "--url", "ws://127.0.0.1:9/v1/realtime"
    )
    assert "127.0.0.1:9 cannot be reached" in told.stderr
    told = await asyncio.to_thread(
        daemon.airos, "replay", str(right), "--url", f"http://127.0.0.1:{daemon.port}/healthz"
    )
    assert "does not speak WebSocket there" in told.stderr
