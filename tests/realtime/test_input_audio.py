"""`input_audio_buffer.*`: no sound is lost between one turn and the next."""

import asyncio
import base64
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from airos_edge.voice.ports import Hints
from airos_edge.voice.utterance import Utterance
from tests.fakes import FakeAsr, Said
from tests.realtime.client import Client


class Keeps(FakeAsr):
    """Remembers the recordings that it was given."""

    def __init__(self, *script: Said | str) -> None:
        super().__init__(*script)
        self.recordings: list[Utterance] = []

    async def transcribe(self, heard: Utterance, hints: Hints) -> Any:
        self.recordings.append(heard)
        async for transcript in super().transcribe(heard, hints):
            yield transcript


def counted(start: int, samples: int) -> str:
    """A slow ramp: every sample says where it was."""
    ramp = np.arange(start, start + samples).astype("<i2")
    return base64.b64encode(ramp.tobytes()).decode()


async def test_no_sound_is_lost_where_one_committed_turn_ends_and_the_next_begins() -> None:
    asr = Keeps("one", "two", "three")
    async with Client(asr=asr) as client:
        client.configure(audio={"input": {"turn_detection": None}})
        sent = 0
        for turn in range(3):
            for samples in (480, 480, 481, 479, 1920 + turn):
                client.send("input_audio_buffer.append", audio=counted(sent, samples))
                sent += samples
            client.send("input_audio_buffer.commit")  # and the next append at once
        await asyncio.sleep(5)
        assert len(client.of("input_audio_buffer.committed")) == 3
    turns = [np.frombuffer(each.pcm, "<i2").astype(int) for each in asr.recordings]
    assert sum(map(len, turns)) == pytest.approx(sent * 2 / 3, abs=3)
    for heard in turns:  # a resampler may make an edge round
        assert np.diff(heard[4:-4]).min() >= 0, "a sample came twice"
        assert np.diff(heard[4:-4]).max() <= 3, "samples are missing"
    for before, after in pairwise(turns):
        assert 0 < after[4] - before[-5] <= 20, "samples are missing between two turns"


async def test_no_speech_is_lost_between_two_turns_that_follow_each_other_closely() -> None:
    asr = Keeps("one", "two")
    async with Client(asr=asr) as client:
        detection = {"type": "server_vad", "silence_duration_ms": 200, "create_response": False}
        client.configure(audio={"input": {"turn_detection": detection}})
        await client.play(500, 0)
        for _ in range(2):
            await client.play(600)
            await client.play(260, 0)
        await client.play(1000, 0)
        assert len(client.of("input_audio_buffer.committed")) == 2
    loud = [
        int((np.abs(np.frombuffer(each.pcm, "<i2").astype(int)) > 4000).sum())
        for each in asr.recordings
    ]
    assert loud == [pytest.approx(600 * 16, abs=16)] * 2


async def test_what_was_pushed_counts_from_its_first_sample_however_it_is_taken_in() -> None:
    async with Client(asr=FakeAsr("hello")) as client:
        client.configure(audio={"input": {"turn_detection": None}})
        for _ in range(4):
            client.send("input_audio_buffer.append", audio=counted(0, 480))
        refused = client.send("input_audio_buffer.commit")
        assert "buffer only has 80.00ms" in refused["error"]["message"]
        client.send("input_audio_buffer.append", audio=counted(0, 480))
        client.send("input_audio_buffer.commit")
        assert client.of("input_audio_buffer.committed")
