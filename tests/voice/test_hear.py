"""A recording to its words."""

import asyncio
import logging

import pytest

from airos_edge.errors import EngineError
from airos_edge.voice.events import TranscriptChanged
from airos_edge.voice.flow import GRACE_S, Scope
from airos_edge.voice.hear import RECOGNISE_LIMIT_S, hear
from airos_edge.voice.ports import Hints, Transcript
from airos_edge.voice.utterance import Ended, EndReason, Judgement, Utterance
from tests.fakes import At, FakeAsr, Fault, Said, fake_engines
from tests.room import Tape, speech


async def recorded(
    asr: FakeAsr | None, told: Tape, reason: EndReason = EndReason.SILENCE, ms: int = 1000
) -> Transcript | None:
    """What is heard of so many milliseconds, recorded as fast as one speaks."""
    utterance = Utterance("item_1", "speech", 0)
    async with Scope() as scope:
        hearing = scope.start(hear(utterance, fake_engines(asr=asr), Hints(), told), "hearing")
        for chunk in speech(ms):
            await asyncio.sleep(chunk.ms / 1000)
            utterance.write(chunk)
        utterance.end(Ended(reason, ms))
        return await hearing


async def test_partials_are_told_and_the_final_is_given() -> None:
    partials = [
        At(300, "turn on", Judgement.PREFIX),
        At(600, "turn on the light", Judgement.COMPLETE),
    ]
    told = Tape()
    said = Said("turn on the light", partials, alternatives=("turn on the lights",), sure=False)
    assert await recorded(FakeAsr(said), told) == Transcript(
        "turn on the light", final=True, alternatives=("turn on the lights",), sure=False
    )
    assert told.events == [
        TranscriptChanged(item_id="item_1", text="turn on", judgement=Judgement.PREFIX),
        TranscriptChanged(item_id="item_1", text="turn on the light", judgement=Judgement.COMPLETE),
    ]


async def test_a_judgement_reaches_the_ear_before_it_is_told() -> None:
    utterance = Utterance("item_1", "speech", 0)
    judged = []
    asr = FakeAsr(Said("stop", [At(20, "stop", Judgement.COMPLETE)]))
    async with Scope() as scope:
        scope.start(
            hear(
                utterance,
                fake_engines(asr=asr),
                Hints(),
                lambda _: judged.append(utterance.judgement),
            ),
            "hearing",
        )
        utterance.write(speech(20)[0])
        await asyncio.sleep(1)
    assert judged == [Judgement.COMPLETE]
    assert asr.running == 0


async def test_a_recording_that_is_no_question_is_none_and_ends_the_recogniser() -> None:
    asr = FakeAsr(Said("hello", takes_ms=5000))
    assert await recorded(asr, Tape(), EndReason.DISCARDED) is None
    assert asr.running == 0
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)


@pytest.mark.parametrize("fault", [Fault.RAISE, Fault.CRASH, Fault.FOREIGN_CANCEL])
async def test_a_recogniser_that_fails_is_an_error(fault: Fault) -> None:
    for said in (Said(fault), Said("hello", [At(100, fault)])):
        asr = FakeAsr(said)
        with pytest.raises(EngineError, match="fake_asr"):
            await recorded(asr, Tape())
        assert asr.running == 0


async def test_a_recogniser_that_fails_early_is_no_matter_if_it_was_no_question(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asr = FakeAsr(Said("hello", [At(100, Fault.RAISE)]))
    assert await recorded(asr, Tape(), EndReason.DISCARDED) is None
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.SWALLOW])
async def test_a_recogniser_that_never_ends_is_given_up(
    fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fakes.SWALLOWS_S", 2 * RECOGNISE_LIMIT_S)
    with pytest.raises(EngineError, match=r"fake_asr: no transcript after 15 s"):
        await recorded(FakeAsr(Said(fault)), Tape())
    ended_s = asyncio.get_running_loop().time() - 1
    assert RECOGNISE_LIMIT_S <= ended_s <= RECOGNISE_LIMIT_S + GRACE_S + 0.001


async def test_a_recogniser_that_ends_without_a_final_is_an_error() -> None:
    class Mute(FakeAsr):
        async def transcribe(self, heard, hints):  # type: ignore[no-untyped-def]
            return
            yield

    with pytest.raises(EngineError, match="ended without a final transcript"):
        await recorded(Mute(), Tape())


async def test_without_a_recogniser_the_error_says_where_to_look() -> None:
    with pytest.raises(EngineError, match="airos check"):
        await recorded(None, Tape())


async def test_an_early_final_waits_for_the_end_of_the_recording() -> None:
    class Quick(FakeAsr):
        async def transcribe(self, heard, hints):  # type: ignore[no-untyped-def]
            async for _ in heard:
                yield Transcript("hello", final=True)

    assert await recorded(Quick(), Tape()) == Transcript("hello", final=True)
    assert asyncio.get_running_loop().time() == pytest.approx(1.0)


async def test_cancelling_ends_the_recogniser() -> None:
    asr = FakeAsr("hello")
    async with Scope() as scope:
        hearing = scope.start(recorded(asr, Tape()), "hearing")
        await asyncio.sleep(0.5)
        hearing.cancel()
        await asyncio.wait([hearing])
    assert (asr.opened, asr.running) == (1, 0)
