"""Sessions that once went wrong, replayed: each file is one of `server.record` in which all goes as it should.

What is recorded here is short: sound is cut to a few samples, as the comparison sets it aside. Its header
says what went wrong. `record.py` makes them anew where the API has changed.
"""

from pathlib import Path
from typing import Any

import pytest

from airos_edge.realtime.difference import differences
from airos_edge.realtime.recording import read_recording
from airos_edge.realtime.replay import Speed, replay
from tests.fakes import FakeAsr, FakeTts, Fault, Said
from tests.realtime.client import Client
from tests.realtime.wire import ClientWire

FOLDER = Path(__file__).parent / "recordings"
ENGINES: dict[str, dict[str, Any]] = {
    "asked_before_it_was_heard": {"asr": FakeAsr(Said("hello", takes_ms=400))},
    "deleted_while_it_was_spoken": {},
    "a_voice_that_broke_off": {"tts": FakeTts(fault=Fault.RAISE, after_words=2)},
}


def test_every_recording_is_replayed() -> None:
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == ENGINES.keys()


@pytest.mark.parametrize("speed", ["real", "max"])
@pytest.mark.parametrize("name", ENGINES)
async def test_it_is_answered_as_it_was(name: str, speed: Speed) -> None:
    recording = read_recording(FOLDER / f"{name}.jsonl")
    async with Client(**ENGINES[name]) as client:
        now = await replay(recording, ClientWire(client), speed)
    recorded = [line.event for line in recording.of("server")]
    assert differences(recorded, now, with_texts=True) == []
