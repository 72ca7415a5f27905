"""What breaks in a turn ends that turn, and the next one is fine; see docs/flow.md."""

import asyncio

import pytest

from airos_edge.errors import EngineUnavailable
from airos_edge.voice import events, flow
from airos_edge.voice.flow import GRACE_S
from airos_edge.voice.hear import RECOGNISE_LIMIT_S
from airos_edge.voice.ports import Done, Prompt, Text
from airos_edge.voice.respond import STALL_LIMIT_S
from tests.fakes import At, FakeAsr, FakeResponder, FakeTts, Fault, Said, Step, fake_engines
from tests.phrases import APOLOGY
from tests.room import Room

FATAL = [Fault.RAISE, Fault.CRASH, Fault.FOREIGN_CANCEL]


def for_first(*script: Step) -> FakeResponder:
    """Plays the script for the first question; answers every other with its words."""

    def steps(prompt: Prompt) -> list[Step]:
        answer: Step = Text(f"You said {prompt.question}.")
        return list(script) if prompt.question == "first" else [answer, Done("fake")]

    return FakeResponder(steps)


async def the_next_turn_is_fine(room: Room, failed: str = "failed") -> None:
    await room.answered()
    assert room.told.of(events.ReplyEnded)[0].outcome.status == failed
    room.nothing_is_open()
    await room.ask()
    assert await room.answered(2) == "You said second."
    assert room.told.of(events.ReplyEnded)[1].outcome.status == "completed"


async def test_an_engine_that_cannot_be_loaded() -> None:
    async with Room(asr=FakeAsr("second")) as room:
        room.lease.error = EngineUnavailable("whisper", "its model is missing")
        await room.ask()
        await room.answered()
        room.lease.error = None
        await the_next_turn_is_fine(room)
        (failed,) = room.told.of(events.TranscriptionFailed)
        assert failed.message == "whisper: its model is missing"
        room.follows("An engine that cannot be loaded")


@pytest.mark.parametrize("fault", [*FATAL, Fault.STALL])
@pytest.mark.parametrize("early", [True, False])
async def test_a_recogniser_that_fails(fault: Fault, early: bool) -> None:
    broken = Said("first", [At(200, fault)]) if early else Said(fault)
    async with Room(asr=FakeAsr(broken, "second")) as room:
        await room.ask()
        await the_next_turn_is_fine(room)
        assert room.texts == [None, APOLOGY, "second", "You said second."]
        assert "fake_asr" in room.told.of(events.TranscriptionFailed)[0].message
        room.follows("A recogniser that fails")
    assert asyncio.get_running_loop().time() < RECOGNISE_LIMIT_S + GRACE_S + 10


@pytest.mark.parametrize("fault", [*FATAL, Fault.STALL])
async def test_a_responder_that_fails(fault: Fault) -> None:
    room = Room(asr=FakeAsr("first", "second"), responder=for_first(Text("The light in "), fault))
    async with room:
        await room.ask()
        await the_next_turn_is_fine(room)
        assert room.speaker.mouths[0].text == f"The light in \n{APOLOGY}"
        room.follows("A responder that fails")
    assert asyncio.get_running_loop().time() < STALL_LIMIT_S + 10


@pytest.mark.parametrize("fault", [*FATAL, Fault.STALL])
async def test_a_voice_that_fails(fault: Fault) -> None:
    room = Room(
        asr=FakeAsr("first", "second"), tts=FakeTts(100, fault=fault, after_words=2), lead_ms=1000
    )
    async with room:
        await room.ask()
        await room.answered()
        room.lease.engines = room.engines = fake_engines(asr=room.engines.asr)
        await the_next_turn_is_fine(room)
        heard = room.session.history.get(room.told.of(events.ItemStarted)[0].item.id).text
        assert heard == "You said"
        room.follows("A voice that fails")


@pytest.mark.parametrize("engine", ["responder", "tts"])
async def test_an_engine_that_swallows_its_cancelling(engine: str) -> None:
    asr = FakeAsr("first", "second")
    voice = FakeTts(fault=Fault.SWALLOW, after_words=6)
    room = {
        "responder": lambda: Room(
            asr=asr, responder=for_first(Text("1 2 3 4 5 6. "), Fault.SWALLOW)
        ),
        "tts": lambda: Room(asr=asr, responder=for_first(Text("1 2 3 4 5 6 7.")), tts=voice),
    }[engine]()
    async with room:
        await room.ask()
        await room.quiet(300)
        room.session.interrupt("client_cancelled")
        await asyncio.sleep(GRACE_S + 0.1)
        assert len(flow.abandoned) == 1
        await room.ask()
        assert await room.answered(2) == "You said second."
        await room.quiet(10_000)
        assert not flow.abandoned, "it has ended at last, and nobody heard what it said"
        assert room.told.of(events.ReplyEnded)[0].outcome.reason == "client_cancelled"
        room.follows("An engine that swallows its cancelling")
