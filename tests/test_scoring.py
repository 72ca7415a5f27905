"""What a score says of a recording: by what the house understands, and by where its speech ends."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from airos_edge.box import Box, open_box
from airos_edge.config import Config
from airos_edge.engines import asr_pocketsphinx
from airos_edge.scoring import Score, score, speech_end_ms, summary
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.events import Event, SpeechProbable
from tests.room import LOUD, tone
from tests.speech import noise, spoken


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with open_box(Config(), demo=True, most_timers=0) as box:
        yield box


def joined(*sounds: AudioChunk) -> AudioChunk:
    return AudioChunk(b"".join(sound.pcm for sound in sounds))


async def test_what_means_the_same_is_right(box: Box) -> None:
    sound = spoken("turn on the kitchen light", before_ms=300, after_ms=1000)
    found = await score(box, sound, "switch the kitchen light on")
    assert (found.verdict, found.is_cut_off) == ("right", False)
    assert found.heard == ("turn on the kitchen light",)
    assert found.closing_ms == pytest.approx(150, abs=100)


async def test_another_command_is_wrong_and_says_what_was_heard(box: Box) -> None:
    sound = spoken("turn on the kitchen light", before_ms=300, after_ms=1000)
    found = await score(box, sound, "turn off the kitchen light")
    assert found.verdict == "wrong command"
    assert [act.intent for act in found.understood] == ["HassTurnOn"]


async def test_what_could_not_be_told_apart_is_asked_back(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asr_pocketsphinx, "CLOSE", 1.0)
    monkeypatch.setattr(asr_pocketsphinx, "certainty", lambda segments: 0.6)
    sound = spoken("set a timer for fifteen minutes", before_ms=300, after_ms=1000)
    found = await score(box, sound, "set a timer for fifteen minutes")
    assert found.verdict == "asked back"


async def test_nothing_heard_is_not_understood(box: Box) -> None:
    found = await score(box, noise(1000), "turn on the kitchen light")
    assert (found.verdict, found.heard) == ("not understood", ())
    assert (found.closing_ms, found.is_cut_off) == (None, False)


async def test_who_pauses_for_too_long_is_cut_off(box: Box) -> None:
    sound = joined(
        spoken("turn on the", before_ms=300, after_ms=3000), spoken("kitchen light", after_ms=1000)
    )
    found = await score(box, sound, "turn on the kitchen light")
    assert found.is_cut_off
    assert found.verdict != "right"


async def test_talk_is_to_be_ignored(box: Box) -> None:
    assert (await score(box, noise(1000), None)).verdict == "ignored"
    command = spoken("turn on the kitchen light", before_ms=300, after_ms=1000)
    found = await score(box, command, None)
    assert (found.verdict, found.closing_ms) == ("acted on talk", None)


# ---- where speech ends --------------------------------------------------------------------------


def probable(until_ms: int, length_ms: int) -> list[Event]:
    return [
        SpeechProbable(probability=0.9 if at_ms <= until_ms else 0.1, level_dbfs=-20, at_ms=at_ms)
        for at_ms in range(32, length_ms, 32)
    ]


def room(*parts: tuple[int, int]) -> AudioChunk:
    """Milliseconds and sample values, over the noise of a room."""
    pcm = b"".join(chunk.pcm for ms, value in parts for chunk in tone(ms, value))
    samples = np.frombuffer(pcm, "<i2") + np.random.default_rng(1).normal(0, 30, len(pcm) // 2)
    return AudioChunk(samples.astype("<i2").tobytes())


def test_speech_ends_where_it_is_loud_no_more_though_the_vad_hangs_over() -> None:
    sound = room((300, 0), (500, LOUD), (1000, 0))
    assert speech_end_ms(sound, probable(896, 1800), 0.5) == 800


def test_a_click_after_the_speech_is_not_its_end() -> None:
    sound = room((300, 0), (500, LOUD), (600, 0), (20, LOUD), (400, 0))
    assert speech_end_ms(sound, probable(896, 1800), 0.5) == 800


def test_where_no_speech_is_heard_it_has_no_end() -> None:
    assert speech_end_ms(room((1000, 0)), probable(0, 1000), 0.5) is None


# ---- the sum ------------------------------------------------------------------------------------


def test_a_summary_counts_commands_and_talk_apart() -> None:
    scores = [
        Score("a", "right", ("a",), (), 100, False),
        Score("b", "right", ("b",), (), 300, False),
        Score("c", "wrong command", ("d",), (), None, True),
        Score("d", "not understood", (), (), None, False),
        Score("e", "asked back", ("f",), (), None, False),
        Score(None, "ignored", (), (), None, False),
        Score(None, "acted on talk", ("a",), (), None, False),
    ]
    assert summary(scores) == {
        "commands": 5,
        "right": 2,
        "wrong_commands": 1,
        "asked_back": 1,
        "not_understood": 1,
        "cut_off": 1,
        "closing_p50_ms": 200,
        "closing_p95_ms": 290,
        "talk": 2,
        "acted_on_talk": 1,
    }
    assert summary([])["closing_p50_ms"] is None
