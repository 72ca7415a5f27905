"""How quick an engine is: measured once, kept for its model and machine, and what follows from it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airos_edge.engines.asr_pocketsphinx import pocketsphinx
from airos_edge.engines.choosing import Choice
from airos_edge.engines.loading import Loaded
from airos_edge.engines.timing import (
    LONGEST_TRIAL_S,
    Machine,
    Timing,
    Timings,
    Trials,
    lacking,
    measured,
    said,
    sentence_of,
)
from airos_edge.engines.tts_espeak import open_espeak
from airos_edge.errors import EngineError
from airos_edge.models.stored import StoredModel
from airos_edge.voice.flow import Scope
from airos_edge.voice.grammar import grammar_of
from tests.fakes import FakeAsr, FakeTts, Fault, Said

BOARD = Machine("a board, 4 cores", 8_000_000_000)
LOADED = Loaded(3.2, 480_000_000)


@pytest.fixture
def choice(tmp_path: Path) -> Choice:
    path = tmp_path / "models" / "owl-small"
    return Choice("asr", "pocketsphinx", "", model=StoredModel("owl-small", "asr", "owl", path))


class Measure:
    """Counts how often it was asked, and never twice at once."""

    def __init__(self, *factors: float) -> None:
        self.asked: list[tuple[str, str]] = []
        self.at_once = self.most_at_once = 0
        self._factors = list(factors)

    async def __call__(self, port: Any, engine: Any, language: str) -> float:
        self.asked.append((port, language))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(1)
        self.at_once -= 1
        return self._factors.pop(0)


# ---- what is kept -----------------------------------------------------------------------------------


def test_what_was_timed_is_known_after_a_restart(tmp_path: Path, choice: Choice) -> None:
    file, timing = tmp_path / "state" / "timings.json", Timing(0.21, 3.2, 480_000_000)
    Timings(file, BOARD).keep(choice, "cpu int8", timing)
    assert Timings(file, BOARD).of(choice, "cpu int8") == timing
    assert json.loads(file.read_text()), "it can be read by people"


def test_it_holds_for_this_machine_this_model_and_this_precision_only(
    tmp_path: Path, choice: Choice
) -> None:
    file = tmp_path / "timings.json"
    Timings(file, BOARD).keep(choice, "cpu int8", Timing(0.21, 3.2, 0))
    assert Timings(file, replace(BOARD, name="another")).of(choice, "cpu int8") is None
    assert Timings(file, BOARD).of(choice, "cuda float16") is None
    assert choice.model is not None
    other = replace(choice, model=replace(choice.model, arrived_ns=7))
    assert Timings(file, BOARD).of(other, "cpu int8") is None, "another model of that name"


def test_what_two_have_timed_is_kept_of_both(tmp_path: Path, choice: Choice) -> None:
    file = tmp_path / "timings.json"
    first, second = Timings(file, BOARD), Timings(file, BOARD)
    first.keep(choice, "cpu", Timing(1, 1, 1))
    second.keep(choice, "cuda", Timing(2, 2, 2))
    assert len(json.loads(file.read_text())) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}'])
def test_a_file_that_is_spoilt_is_none(tmp_path: Path, choice: Choice, content: str) -> None:
    file = tmp_path / "timings.json"
    file.write_text(content)
    timings = Timings(file, BOARD)
    assert timings.of(choice) is None
    timings.keep(choice, "", Timing(1, 1, 1))
    assert Timings(file, BOARD).of(choice) == Timing(1, 1, 1)


def test_where_nothing_can_be_written_down_it_is_known_until_the_end(
    tmp_path: Path, choice: Choice, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("no directory")
    timings = Timings(tmp_path / "state" / "timings.json", BOARD)
    timings.keep(choice, "", Timing(1, 1, 1))
    assert timings.of(choice) == Timing(1, 1, 1)
    assert "what was timed is not kept" in caplog.text


def test_this_machine_has_a_name_and_memory() -> None:
    machine = Machine.this()
    assert "cores" in machine.name
    assert machine.memory_bytes > 100_000_000


# ---- the budget -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "timing", "told"),
    [
        ("asr", Timing(0.3, 9, 1), ""),
        ("asr", Timing(1.4, 9, 1), "owl-small takes 1.4 s for a second of speech: too slow here"),
        ("tts", Timing(0.5, 9, 1), ""),
        (
            "tts",
            Timing(0.6, 9, 1),
            "owl-small takes 0.6 s for a second of its voice: too slow here",
        ),
        ("asr", Timing(0.1, 9, 4_100_000_000), "owl-small holds 4.1 GB of 8.0 GB of memory"),
    ],
)
def test_what_is_slow_or_large_for_this_box_is_said(
    choice: Choice, port: Any, timing: Timing, told: str
) -> None:
    said = lacking(replace(choice, port=port), timing, BOARD)
    assert said.startswith(told)
    assert bool(said) == bool(told)


def test_what_is_known_is_told_in_a_line(choice: Choice) -> None:
    timings = Timings(None, BOARD)
    assert timings.told(choice) == ""
    timings.keep(choice, "", Timing(0.214, 3.21, 480_200_000))
    assert timings.told(choice) == "0.21 s for a second of sound, 480 MB, loaded in 3.2 s"
    assert timings.too_slow(choice) == ""
    timings.keep(choice, "", Timing(1.4, 3.2, 0))
    assert timings.told(choice) == timings.too_slow(choice) != ""


# ---- trials -----------------------------------------------------------------------------------------


async def test_it_is_timed_once_and_judged_each_time(choice: Choice) -> None:
    measure, timings = Measure(1.4), Timings(None, BOARD)
    trials = Trials(timings, measure)
    for _ in range(2):
        assert "1.4 s" in await trials.trial("de", "cpu", choice, FakeAsr("x"), LOADED)
    assert measure.asked == [("asr", "de")]
    assert timings.of(choice, "cpu") == Timing(1.4, 3.2, 480_000_000)


async def test_two_engines_are_timed_one_after_the_other(choice: Choice) -> None:
    measure = Measure(0.1, 0.2)
    trials = Trials(Timings(None, BOARD), measure)
    async with Scope() as scope:
        for task in [
            scope.start(trials.trial("en", precision, choice, FakeAsr("x"), LOADED), "trial")
            for precision in ("cpu", "cuda")
        ]:
            assert await task == ""
    assert measure.most_at_once == 1


async def test_it_is_timed_when_nobody_is_waited_on(choice: Choice) -> None:
    idle = asyncio.Event()

    async def when_idle(work: Callable[[], Coroutine[Any, Any, float]]) -> float:
        await idle.wait()
        return await work()

    measure = Measure(0.1)
    trials = Trials(Timings(None, BOARD), measure, when_idle)
    async with Scope() as scope:
        trial = scope.start(trials.trial("en", "", choice, FakeAsr("x"), LOADED), "trial")
        await asyncio.sleep(10)
        assert measure.asked == []
        idle.set()
        await trial


async def test_an_engine_elsewhere_is_not_timed(choice: Choice) -> None:
    measure = Measure()
    trials = Trials(Timings(None, BOARD), measure)
    away = replace(choice, engine="tcp://192.0.2.1:1", model=None)
    assert await trials.trial("en", "", away, FakeAsr("x"), LOADED) == ""
    assert measure.asked == []


# ---- measuring --------------------------------------------------------------------------------------


def clock_of(*times: float) -> Callable[[], float]:
    told = iter(times)
    return lambda: next(told)


async def test_a_recogniser_is_timed_with_three_seconds_that_have_ended() -> None:
    asr = FakeAsr("hello")
    assert await measured("asr", asr, "de", clock_of(10.0, 11.5)) == 0.5
    assert (asr.opened, asr.running) == (1, 0)
    assert asr.hints[0].language == "de"


async def test_a_voice_is_timed_with_a_sentence_of_its_language() -> None:
    tts = FakeTts(ms_per_character=100)
    factor = await measured("tts", tts, "de-at", clock_of(0.0, 1.8))
    assert tts.sentences == [sentence_of("de")]
    assert factor == pytest.approx(1.8 / (len(sentence_of("de")) * 0.1))
    assert tts.asked[0].language == "de-at"


async def test_what_never_ends_is_as_slow_as_it_was_waited_for() -> None:
    loop = asyncio.get_running_loop()
    factor = await measured("asr", FakeAsr(Said(Fault.STALL)), "en", loop.time)
    assert factor == pytest.approx(LONGEST_TRIAL_S / 3)


async def test_what_fails_or_makes_no_sound_is_not_timed() -> None:
    with pytest.raises(EngineError, match="broke"):
        await measured("asr", FakeAsr(Said(Fault.RAISE)), "en")

    class Mute(FakeTts):
        async def speak(self, text: AsyncIterator[str], how: Any) -> Any:
            async for _ in text:
                return
            yield

    with pytest.raises(EngineError, match="made no sound"):
        await measured("tts", Mute(), "en")


@pytest.mark.parametrize("language", ["en", "de-at", "zh", "sv", "xx"])
def test_the_recording_is_speech_where_espeak_speaks_it(
    language: str,
) -> None:
    sound = said(language)
    assert sound.ms == 3000
    loud = abs(sound.as_floats()).max() > 0.1
    assert loud == (language != "xx")


async def test_the_engines_that_come_with_the_box_are_quick_enough() -> None:
    asr = pocketsphinx(grammar_of([["turn", "on", "the", "light"]]))
    assert 0 < await measured("asr", asr, "en") < 3
    assert 0 < await measured("tts", open_espeak(None, 1.0), "en") < 3
