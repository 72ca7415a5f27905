"""A recording played through a box's own ears: all they think, on the place in the sound, and nothing done."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from airos_edge.box import Box, open_box
from airos_edge.config import Config
from airos_edge.home.house import DeviceChanged
from airos_edge.listening import SILENCE_MS, play
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.events import Event
from airos_edge.voice.utterance import EndReason, Judgement
from tests.speech import noise, spoken

E = TypeVar("E", bound=Event)


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with open_box(Config(), demo=True, most_timers=0) as box:
        yield box


async def played(box: Box, sound: AudioChunk, **rules: Any) -> list[Event]:
    async with aclosing(play(box, sound, replace(box.rules(), **rules))) as told:
        return [event async for event in told]


def of(kind: type[E], told: list[Event]) -> list[E]:
    return [event for event in told if isinstance(event, kind)]


async def test_a_command_is_heard_on_its_place_and_not_done(box: Box) -> None:
    sound = spoken("turn on the kitchen light", before_ms=500, after_ms=1000)
    with box.hub.watch(size=10_000) as watch:
        told = await played(box, sound)
        assert not of(DeviceChanged, watch.take())
    (final,) = of(events.Transcribed, told)
    (closed,) = of(events.SpeechStopped, told)
    assert final.text == "turn on the kitchen light"
    assert closed.judgement is Judgement.COMPLETE
    assert 0 <= closed.at_ms - closed.end_ms < 200
    assert closed.end_ms == pytest.approx(sound.ms - 1000, abs=150)
    assert of(events.ReplyStarted, told) == []
    assert [event.at_ms for event in told] == sorted(event.at_ms for event in told)


async def test_every_frame_of_the_sound_and_of_the_silence_after_it_is_told(box: Box) -> None:
    told = of(events.SpeechProbable, await played(box, noise(1000)))
    assert len(told) == (1000 + SILENCE_MS) // 32
    assert max(event.probability for event in told) < 0.5
    assert told[0].level_dbfs == pytest.approx(-60.8, abs=1)


async def test_a_recording_that_ends_in_speech_is_followed_by_silence_until_it_is_decided(
    box: Box,
) -> None:
    told = await played(box, spoken("turn on the", before_ms=300))
    (closed,) = of(events.SpeechStopped, told)
    assert closed.judgement is Judgement.PREFIX
    assert closed.at_ms - closed.end_ms >= box.rules().prefix_silence_ms
    assert of(events.Transcribed, told)[0].text == ""


async def test_the_wake_word_is_waited_for(box: Box) -> None:
    sound = AudioChunk(noise(400).pcm + spoken("hey jarvis", after_ms=300).pcm)
    told = await played(box, sound, detection="wake")
    (woke,) = of(events.Woke, told)
    scores = of(events.WakeScored, told)
    assert max(score.score for score in scores) >= woke.score >= scores[0].threshold
    (closed,) = of(events.SpeechStopped, told)
    assert closed.reason is EndReason.NO_SPEECH
    assert closed.at_ms - woke.at_ms == pytest.approx(5000, abs=50)


async def test_one_box_plays_many_alike(box: Box) -> None:
    """Each is a conversation of its own, and none leaves anything behind."""
    sound = spoken("what time is it", before_ms=300, after_ms=300)
    first, second = [
        [replace(event, session_id="") for event in await played(box, sound)] for _ in range(2)
    ]
    closings = [of(events.SpeechStopped, told)[0].at_ms for told in (first, second)]
    assert closings[0] == closings[1]
    assert of(events.SpeechProbable, first) == of(events.SpeechProbable, second)
    assert not box.hub.is_watched_for(events.SpeechProbable)


async def test_leaving_early_ends_the_conversation(box: Box) -> None:
    async with aclosing(play(box, noise(10_000), box.rules())) as told:
        async for _ in told:
            break
    assert not box.hub.is_watched_for(events.SpeechProbable)
