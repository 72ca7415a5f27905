"""What was said once is said again at once, to the sample; and the next sentence is made while one is heard."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airos_edge.engines.choosing import Choice, choose
from airos_edge.engines.kept import AHEAD_MS, LONGEST, KeptTts, kept
from airos_edge.engines.opening import open_tts
from airos_edge.engines.settings import CloneSettings, TtsSettings
from airos_edge.engines.speech_store import SUFFIX
from airos_edge.engines.wanted import WantedTts
from airos_edge.errors import EngineError
from airos_edge.models.stored import StoredModel
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Place, Speaking, Speech
from tests.piper_model import piper_voice

ANSWER = "Turned on the kitchen light."
WORD_MS = 300


class Voice:
    """Says each word as so many milliseconds of a number that counts what it has made."""

    name = "voice"
    place = Place.LOCAL
    pause_ms = 200

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.running = 0
        self.fault: EngineError | None = None

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        self.running += 1
        try:
            async for sentence in text:
                self.asked.append(sentence)
                for word in re.findall(r"\s*\S+\s*|\s+", sentence):
                    await asyncio.sleep(0)
                    samples = WORD_MS * 22_050 // 1000
                    yield Speech(
                        AudioChunk(bytes([len(self.asked) % 256, 1]) * samples, 22_050), word
                    )
                if self.fault:
                    raise self.fault
        finally:
            self.running -= 1


@pytest.fixture
def model(tmp_path: Path) -> StoredModel:
    path = tmp_path / "models" / "hum"
    path.mkdir(parents=True)
    (path / "hum.onnx").write_bytes(b"weights")
    return StoredModel("hum", "tts", "piper", path)


def keeping(directory: Path, model: StoredModel, bare: Voice, **settings: Any) -> KeptTts:
    """The voice as a new process would have it."""
    choice = Choice("tts", "piper", "", model=model)
    wanted = WantedTts(TtsSettings(**settings), models=(model,))
    tts = kept(bare, choice, wanted, directory / "speech")
    assert isinstance(tts, KeptTts)
    return tts


async def _given(*sentences: str) -> AsyncIterator[str]:
    for sentence in sentences:
        yield sentence


async def speak(tts: Any, *sentences: str, **how: Any) -> list[Speech]:
    return [piece async for piece in tts.speak(_given(*sentences), Speaking(**how))]


def text_of(pieces: Sequence[Speech]) -> str:
    return "".join(piece.text for piece in pieces)


# ---- what is kept -------------------------------------------------------------------------------


async def test_what_is_said_again_is_what_was_made_and_the_voice_is_not_asked(
    tmp_path: Path, model: StoredModel
) -> None:
    voice = Voice()
    tts = keeping(tmp_path, model, voice)
    made = await speak(tts, ANSWER)
    again = await speak(tts, ANSWER)
    after_a_restart = await speak(keeping(tmp_path, model, voice), ANSWER)
    assert made == again == after_a_restart
    assert made == await speak(Voice(), ANSWER)
    assert voice.asked == [ANSWER]


async def test_a_sentence_is_known_in_any_answer(tmp_path: Path, model: StoredModel) -> None:
    voice = Voice()
    tts = keeping(tmp_path, model, voice)
    await speak(tts, "It is on.", " And off.")
    pieces = await speak(tts, "And off. ", "\nIt is on.\n")
    assert voice.asked == ["It is on.", "And off."]
    assert text_of(pieces) == "And off. \nIt is on.\n"


words = st.text("ab. \n,é你", max_size=8)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(words.filter(bool), max_size=4), min_size=1, max_size=4))
def test_what_comes_of_the_cache_is_always_the_text_and_the_sound_of_the_voice(
    tmp_path: Path, model: StoredModel, answers: list[list[str]]
) -> None:
    voice = Voice()

    async def all_twice() -> None:
        tts = keeping(tmp_path, model, voice)
        for answer in answers:
            made = await speak(tts, *answer)
            again = await speak(tts, *answer)
            assert text_of(made) == text_of(again) == "".join(answer)
            assert [piece.chunk.samples for piece in made] == [
                piece.chunk.samples for piece in again
            ]

    asyncio.run(all_twice())


@pytest.mark.parametrize(
    "change",
    [
        {"how": {"voice": "other"}},
        {"how": {"language": "de"}},
        {"how": {"speed": 1.5}},
        {"text": "Turned off the kitchen light."},
        {"settings": {"rate": 1.5}},
        {"settings": {"voice": "other"}},
        {"settings": {"clones": {"maria": CloneSettings("/maria.wav", "Hello.", "Maria")}}},
        {"touched": True},
        {"grown": True},
    ],
)
async def test_what_would_sound_otherwise_is_made(
    tmp_path: Path, model: StoredModel, change: dict[str, Any]
) -> None:
    voice = Voice()
    await speak(keeping(tmp_path, model, voice), ANSWER)
    weights = model.path / "hum.onnx"
    if "touched" in change:
        os.utime(weights, (1, 1))
    if "grown" in change:
        told = weights.stat()
        weights.write_bytes(b"other weights")
        os.utime(weights, ns=(told.st_atime_ns, told.st_mtime_ns))
    tts = keeping(tmp_path, model, voice, **change.get("settings", {}))
    await speak(tts, change.get("text", ANSWER), **change.get("how", {}))
    assert len(voice.asked) == 2


async def test_what_is_long_or_cut_off_or_failed_is_not_kept(
    tmp_path: Path, model: StoredModel
) -> None:
    voice = Voice()
    tts = keeping(tmp_path, model, voice)
    long = "very " * (LONGEST // 5) + "well."
    for _ in range(2):
        assert text_of(await speak(tts, long)) == long
    speech = tts.speak(_given(ANSWER), Speaking())
    await anext(speech)
    await speech.aclose()
    voice.fault = EngineError("voice", "is hoarse")
    with pytest.raises(EngineError, match="hoarse"):
        await speak(tts, ANSWER)
    voice.fault = None
    assert text_of(await speak(tts, ANSWER)) == ANSWER
    assert voice.asked == [long, long, ANSWER, ANSWER, ANSWER]
    assert voice.running == 0


async def test_two_that_ask_for_the_same_at_once_both_get_it(
    tmp_path: Path, model: StoredModel
) -> None:
    tts = keeping(tmp_path, model, Voice())
    first, second = await asyncio.gather(speak(tts, ANSWER), speak(tts, ANSWER))
    assert text_of(first) == text_of(second) == ANSWER
    assert await speak(tts, ANSWER) in (first, second)


async def test_a_spoilt_file_is_made_anew(tmp_path: Path, model: StoredModel) -> None:
    voice = Voice()
    made = await speak(keeping(tmp_path, model, voice), ANSWER)
    (path,) = (tmp_path / "speech").glob(f"*{SUFFIX}")
    assert ANSWER.encode() not in path.name.encode()
    path.write_bytes(b"1 00000000\n[]")
    again = await speak(keeping(tmp_path, model, voice), ANSWER)
    assert text_of(again) == text_of(made)
    assert len(voice.asked) == 2


async def test_with_no_room_everything_is_made_and_nothing_written(
    tmp_path: Path, model: StoredModel
) -> None:
    voice = Voice()
    tts = keeping(tmp_path, model, voice, cache_mb=0)
    for _ in range(2):
        assert text_of(await speak(tts, ANSWER)) == ANSWER
    assert len(voice.asked) == 2
    assert not (tmp_path / "speech").exists()


# ---- what is made ahead -------------------------------------------------------------------------


async def test_the_next_sentence_is_made_while_one_is_heard_but_not_all_of_them(
    tmp_path: Path, model: StoredModel
) -> None:
    voice = Voice()
    sentences = [f"Sentence {number} has five words." for number in range(20)]
    speech = keeping(tmp_path, model, voice).speak(_given(*sentences), Speaking())
    async with aclosing(speech):
        await anext(speech)
        await asyncio.sleep(1)
        most = AHEAD_MS / (5 * WORD_MS + voice.pause_ms) + 2
        assert 2 <= len(voice.asked) <= most
    assert voice.running == 0


async def test_between_two_sentences_there_is_the_pause_of_the_voice(
    tmp_path: Path, model: StoredModel
) -> None:
    tts = keeping(tmp_path, model, Voice())
    for _ in range(2):
        pieces = await speak(tts, "Yes.", " No.")
        assert [(round(piece.chunk.ms), piece.text) for piece in pieces] == [
            (WORD_MS, "Yes."),
            (200, ""),
            (WORD_MS, " No."),
        ]
    voice = Voice()
    voice.pause_ms = 0
    pieces = await speak(keeping(tmp_path / "other", model, voice), "Yes.", " No.")
    assert [piece.text for piece in pieces] == ["Yes.", " No."]


async def test_what_is_made_ahead_is_made_once_and_said_at_once(
    tmp_path: Path, model: StoredModel
) -> None:
    voice = Voice()
    tts = keeping(tmp_path, model, voice)
    for _ in range(2):
        await tts.make_ahead(ANSWER, Speaking())
    assert text_of(await speak(tts, ANSWER)) == ANSWER
    assert voice.asked == [ANSWER]


async def test_closing_ends_the_voice_at_once(tmp_path: Path, model: StoredModel) -> None:
    voice = Voice()
    speech = keeping(tmp_path, model, voice).speak(_given(ANSWER, ANSWER), Speaking())
    await anext(speech)
    await speech.aclose()
    assert voice.running == 0


# ---- whose speech is kept -----------------------------------------------------------------------


def test_only_a_voice_that_takes_time_and_stays_the_same_is_kept(
    tmp_path: Path, model: StoredModel
) -> None:
    voice, wanted = Voice(), WantedTts()
    assert kept(voice, choose("tts", "espeak"), wanted, tmp_path) is voice
    assert kept(voice, choose("tts", "tcp://192.0.2.1:1"), wanted, tmp_path) is voice
    assert kept(voice, choose("tts", "http://192.0.2.1:1/v1"), wanted, tmp_path) is not voice
    of_a_model = Choice("tts", "piper", "", model=model)
    assert kept(voice, of_a_model, wanted, tmp_path) is not voice


def test_what_the_voice_tells_of_itself_is_told(tmp_path: Path, model: StoredModel) -> None:
    voice = Voice()
    tts = keeping(tmp_path, model, voice)
    assert (tts.name, tts.place, tts.pause_ms) == ("voice", Place.LOCAL, 200)
    assert getattr(tts, "voices", None) is None
    assert tts.bare is voice


@pytest.mark.real_time
async def test_piper_says_a_sentence_that_it_knows_within_five_milliseconds(
    tmp_path: Path,
) -> None:
    model = piper_voice(tmp_path / "models", work=200)
    choice = Choice("tts", "piper", "", model=model)
    wanted = WantedTts(models=(model,))
    took_s = []
    made: list[Speech] = []
    for _ in range(8):  # the first makes it; each next one reads it from the disk
        tts = kept(open_tts(choice, wanted), choice, wanted, tmp_path / "speech")
        began = perf_counter()
        async with aclosing(tts.speak(_given(ANSWER), Speaking())) as speech:
            first = await anext(speech)
            took_s.append(perf_counter() - began)
            pieces = [first, *[piece async for piece in speech]]
        made = made or pieces
        assert pieces == made
    assert took_s[0] > 0.02
    assert sorted(took_s[1:])[3] < 0.005
    assert text_of(made) == ANSWER
    assert replace(made[0], text="") != made[0]
