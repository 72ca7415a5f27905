"""Whisper while somebody speaks, at their end, in several languages, and when nobody listens any more."""

import asyncio
import gc
import logging
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from airos_edge.engines.asr_whisper import WhisperAsr, open_asr
from airos_edge.engines.settings import AsrSettings
from airos_edge.engines.wanted import WantedAsr
from airos_edge.engines.whisper import Phrase, Samples, Whisper
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.models.stored import StoredModel
from airos_edge.voice.audio import RATE_HZ, AudioChunk
from airos_edge.voice.flow import Scope
from airos_edge.voice.partials import Partials
from airos_edge.voice.ports import Hints, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from tests.speech import pieces
from tests.whisper_model import WORDS, Size, hiss, hum, make_whisper, quiet

pytestmark = pytest.mark.real_time

ENGLISH = Hints("en")


def utterance(
    sound: AudioChunk, speech_ms: int | None = None, wake_word: str | None = None
) -> Utterance:
    """A recording that has ended."""
    heard = Utterance("item", "speech", 1000, wake_word)
    for chunk in pieces(sound):
        heard.write(chunk)
    end(heard, round(sound.ms) if speech_ms is None else speech_ms)
    return heard


def end(heard: Utterance, speech_ms: int) -> None:
    heard.end(Ended(EndReason.SILENCE, heard.start_ms + speech_ms))


@pytest.fixture(autouse=True)
def _quick_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airos_edge.engines.rehearing.SLOW_S", 60.0)


@pytest.fixture
def asr(tiny_whisper: Path) -> Iterator[WhisperAsr]:
    yield from opened(tiny_whisper)


def opened(model: Path, **settings: object) -> Iterator[WhisperAsr]:
    told = AsrSettings(device="cpu", **settings)  # type: ignore[arg-type]
    asr = open_asr(WantedAsr(told, model=StoredModel("tiny", "asr", "whisper", model)))
    assert isinstance(asr, WhisperAsr)
    yield asr
    asr._lane.close()


async def transcribed(
    asr: WhisperAsr, heard: Utterance, hints: Hints = ENGLISH
) -> list[Transcript]:
    async with aclosing(asr.transcribe(heard, hints)) as transcripts:
        return [transcript async for transcript in transcripts]


async def final(asr: WhisperAsr, heard: Utterance, hints: Hints = ENGLISH) -> Transcript:
    *_, last = await transcribed(asr, heard, hints)
    assert last.final
    return last


def said(seconds: float) -> str:
    return " ".join(WORDS[: round(seconds * 2)])


async def turns() -> None:
    """Lets everybody do what they can at once."""
    for _ in range(5):
        await asyncio.sleep(0)


class Speaking:
    """Somebody speaks, and the model has heard what it wants to before they go on."""

    def __init__(self, asr: WhisperAsr, scope: Scope) -> None:
        self.heard = Utterance("item", "speech", 0)
        self.told: list[Transcript] = []
        self._lane = asr._lane
        self._task = scope.start(self._listen(asr), "listening")

    async def _listen(self, asr: WhisperAsr) -> None:
        async with aclosing(asr.transcribe(self.heard, Hints())) as transcripts:
            async for transcript in transcripts:
                self.told.append(transcript)

    async def say(self, sound: AudioChunk) -> None:
        for chunk in pieces(sound):
            self.heard.write(chunk)
            await self._settle()

    async def stop(self, speech_ms: int) -> Transcript:
        end(self.heard, speech_ms)
        await self._task
        return self.told[-1]

    async def _settle(self) -> None:
        while True:
            await turns()
            if self._lane.is_free:
                return
            await asyncio.sleep(0.001)

    @property
    def texts(self) -> list[str]:
        return [transcript.text for transcript in self.told]


async def test_what_was_said_is_heard(asr: WhisperAsr) -> None:
    transcripts = await transcribed(asr, utterance(hum(2.5)))
    assert transcripts == [
        Transcript("turn on the kitchen light", final=True, certainty=transcripts[-1].certainty)
    ]
    assert transcripts[-1].certainty == pytest.approx(1.0, abs=0.01)


async def test_partials_come_while_somebody_speaks(asr: WhisperAsr) -> None:
    async with Scope() as scope:
        speaking = Speaking(asr, scope)
        await speaking.say(hum(3.3, before_s=0.3))
        assert speaking.texts == ["turn", said(1.5), said(2), said(3)]
        assert (await speaking.stop(3600)).text == said(3.5)
    assert not any(partial.final for partial in speaking.told[:-1])


async def test_what_two_hearings_agree_on_is_told_to_who_cannot_take_it_back(
    asr: WhisperAsr,
) -> None:
    async with Scope() as scope:
        speaking = Speaking(asr, scope)
        await speaking.say(hum(3.3, before_s=0.3))
        await speaking.stop(3600)
    partials = Partials()
    deltas = [partials.next(text) for text in speaking.texts[:-1]]
    assert deltas == ["", "turn", " on the", " kitchen"]
    assert partials.rest(speaking.texts[-1]) == " light and then"


async def test_who_falls_silent_is_heard_before_the_end_and_not_again_at_it(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Scope() as scope:
        speaking = Speaking(asr, scope)
        await speaking.say(hum(2.5, before_s=0.3, after_s=0.7))
        assert speaking.texts[-1] == said(2.5)
        monkeypatch.setattr(Whisper, "phrases", None)  # to hear it again would fail
        end_of_it = await speaking.stop(2800)
    assert (end_of_it.text, end_of_it.final) == (said(2.5), True)


async def test_a_slow_model_hears_nobody_before_they_fall_silent(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    asr._rehearer._took_s = 1.5
    monkeypatch.setattr("airos_edge.engines.rehearing.SLOW_S", 0.0)  # and stays slow
    async with Scope() as scope:
        speaking = Speaking(asr, scope)
        await speaking.say(hum(2.5, before_s=0.3))
        assert not speaking.told
        await speaking.say(quiet(0.3))
        assert speaking.texts == [said(2.5)]
        await speaking.stop(2800)
    assert len(speaking.told) == 2


async def test_who_goes_on_after_a_silence_is_heard_again(asr: WhisperAsr) -> None:
    async with Scope() as scope:
        speaking = Speaking(asr, scope)
        await speaking.say(hum(1.0, before_s=0.3, after_s=0.4))
        await speaking.say(hum(0.5))
        assert (await speaking.stop(2200)).text == said(1.5)


async def test_a_silent_room_is_not_heard_and_says_nothing(asr: WhisperAsr) -> None:
    async with Scope() as scope:
        speaking = Speaking(asr, scope)
        await speaking.say(quiet(3.0))
        assert not speaking.told
        assert (await speaking.stop(3000)) == Transcript("", final=True)


async def test_what_is_no_question_is_not_heard(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Whisper, "phrases", None)
    heard = Utterance("item", "speech", 0)
    heard.write(hum(1.0))
    heard.end(Ended(EndReason.DISCARDED, 1000))
    assert await transcribed(asr, heard) == [Transcript("", final=True)]


async def test_nothing_at_all_is_nothing(asr: WhisperAsr) -> None:
    heard = Utterance("item", "push", 0)
    heard.end(Ended(EndReason.COMMIT, 0))
    assert await transcribed(asr, heard) == [Transcript("", final=True)]


async def test_the_wake_word_is_no_part_of_it(asr: WhisperAsr) -> None:
    assert (await final(asr, utterance(hum(2.5), wake_word="hey_turn"))).text == (
        "on the kitchen light"
    )


@pytest.mark.parametrize("seconds", [34, 60])
async def test_what_is_longer_than_a_window_is_heard(asr: WhisperAsr, seconds: int) -> None:
    text = (await final(asr, utterance(hum(seconds)))).text
    eights = seconds // 4
    assert text.startswith(" ".join([said(4)] * eights))


async def test_of_what_is_long_the_beginning_is_not_heard_again(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[float] = []
    phrases = Whisper.phrases

    def measured(self: Whisper, samples: Samples, *rest: Any) -> Iterator[Phrase]:
        lengths.append(len(samples) / RATE_HZ)
        yield from phrases(self, samples, *rest)

    monkeypatch.setattr(Whisper, "phrases", measured)
    async with Scope() as scope:
        speaking = Speaking(asr, scope)
        await speaking.say(hum(44, before_s=0.3))
        text = (await speaking.stop(44300)).text
    assert max(lengths) < 25
    assert len(lengths) > 50
    # Its phrases are of eight words, of four seconds; what is left of the sound begins one anew.
    assert text.startswith(" ".join([said(4)] * 10))


# ---- languages ----------------------------------------------------------------------------------


async def test_the_language_is_heard_where_several_may_be_spoken(asr: WhisperAsr) -> None:
    hints = Hints("en", languages=("en", "de-at", "fr"))
    assert (await final(asr, utterance(hiss(2.0)), hints)).language == "de-at"
    assert (await final(asr, utterance(hum(2.0)), hints)).language == "en"


async def test_a_language_that_is_not_spoken_here_is_not_heard(asr: WhisperAsr) -> None:
    hints = Hints("fr", languages=("fr", "en"))
    assert (await final(asr, utterance(hiss(0.5)), hints)).language == "en"


async def test_where_one_is_spoken_none_is_looked_for(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Whisper, "language_of", None)
    assert (await final(asr, utterance(hiss(2.0)), Hints("de"))).language is None


async def test_a_language_that_the_model_does_not_know_is_an_error(asr: WhisperAsr) -> None:
    with pytest.raises(EngineError, match="hears no such language, not 'tlh'"):
        await final(asr, utterance(hum(1.0)), Hints("tlh"))


def test_a_model_of_english_only_says_so_when_it_is_opened(tmp_path: Path) -> None:
    model = StoredModel("tiny", "asr", "whisper", make_whisper(tmp_path, Size(multilingual=False)))
    with pytest.raises(EngineUnavailable, match="hears English only, not 'de'"):
        open_asr(WantedAsr(language="de", model=model))
    asr = open_asr(WantedAsr(language="en-gb", model=model))
    assert asr.name == "whisper"


async def test_the_library_does_not_write_a_line_for_each_recording(
    asr: WhisperAsr, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await final(asr, utterance(hum(1.0)))
    assert [record for record in caplog.records if record.name == "faster_whisper"] == []


def test_without_a_model_it_cannot_be_opened() -> None:
    with pytest.raises(EngineUnavailable, match="has no model"):
        open_asr(WantedAsr())


# ---- many, and those who go ---------------------------------------------------------------------


async def test_several_speak_at_once(asr: WhisperAsr) -> None:
    seconds = (1.0, 2.0, 2.5, 3.0)
    finals = await asyncio.gather(*(final(asr, utterance(hum(long))) for long in seconds))
    assert [one.text for one in finals] == [said(long) for long in seconds]


async def test_partials_wait_for_nobody_and_nobody_waits_behind_them(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold(monkeypatch)
    async with Scope() as scope:
        first = scope.start(final(asr, utterance(hum(1.0))), "first")
        await turns()
        heard = Utterance("second", "speech", 0)
        told: list[Transcript] = []

        async def listen() -> None:
            async with aclosing(asr.transcribe(heard, Hints())) as transcripts:
                async for transcript in transcripts:
                    told.append(transcript)

        second = scope.start(listen(), "second")
        for chunk in pieces(hum(2.5)):
            heard.write(chunk)
            await asyncio.sleep(0)
        assert not told
        end(heard, 2500)
        go_on.set()
        assert (await first).text == said(1.0)
        await second
    assert [one.text for one in told] == [said(2.5)]


async def test_cancelled_it_is_free_for_the_next_after_the_window_that_it_is_at(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold(monkeypatch)
    async with Scope() as scope:
        first = scope.start(final(asr, utterance(hum(60))), "first")
        waiting = scope.start(final(asr, utterance(hum(1.0))), "waiting")
        await turns()
        assert not asr._lane.is_free
        first.cancel()
        waiting.cancel()
        await asyncio.wait([first, waiting])
        assert first.cancelled()
        assert waiting.cancelled()
        go_on.set()
        assert (await final(asr, utterance(hum(1.5)))).text == said(1.5)


def hold(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Whatever is heard waits, in its thread, until the event is set."""
    go_on, phrases = threading.Event(), Whisper.phrases

    def held(self: Whisper, *what: Any) -> Iterator[Phrase]:
        assert go_on.wait(10)
        yield from phrases(self, *what)

    monkeypatch.setattr(Whisper, "phrases", held)
    return go_on


async def test_an_engine_that_fails_is_an_error_and_works_again(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("CUDA failed with error out of memory")

    with monkeypatch.context() as broken:
        broken.setattr("faster_whisper.WhisperModel.transcribe", fails)
        with pytest.raises(EngineError, match="failed on cpu, int8: CUDA failed with error out of"):
            await final(asr, utterance(hum(1.0)))
    assert (await final(asr, utterance(hum(1.0)))).text == said(1.0)


@pytest.mark.timeout(300)  # seconds of computing, on a machine that may have others to do
async def test_five_hundred_runs_leave_nothing_behind(
    tiny_whisper: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Threads that wait for each other are slow where others compute too.
    monkeypatch.setattr("airos_edge.engines.whisper._threads", lambda: 1)
    monkeypatch.setattr("airos_edge.engines.whisper.BEAM", 1)
    heard = utterance(hum(0.5))
    for asr in opened(tiny_whisper):
        for _ in range(50):
            await final(asr, heard)
        before = resident_bytes()
        for _ in range(500):
            assert (await final(asr, heard)).text == said(0.5)
        assert resident_bytes() - before < 8 * 1024 * 1024


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_model_that_is_closed_is_given_up(tiny_whisper: Path) -> None:
    (asr,) = opened(tiny_whisper)
    model = weakref.ref(asr._whisper._model)
    await asr.aclose()
    del asr
    gc.collect()
    assert model() is None


async def test_the_houses_names_are_told_with_each_recording(
    asr: WhisperAsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    phrases = Whisper.phrases

    def noted(self: Whisper, *what: Any) -> Iterator[Phrase]:
        told.append(what[-1])
        return phrases(self, *what)

    monkeypatch.setattr(Whisper, "phrases", noted)
    for names in (("lantern",), ("lamp", "hall")):
        await final(asr, utterance(hum(1.0)), Hints(names=names))
        assert told[-1] == names
