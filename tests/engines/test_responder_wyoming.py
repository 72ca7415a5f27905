"""Answers from elsewhere."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.intent import Intent

from airos_edge.engines.responder_wyoming import open_responder
from airos_edge.errors import EngineError
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import Item
from airos_edge.voice.ports import ESCALATE, Call, Done, Place, Prompt, Text
from tests.wyoming.far_side import FarSide, far_side

pytestmark = pytest.mark.real_time

PROMPT = Prompt(
    items=(
        Item("first", role="user", text="hello"),
        Item("second", role="assistant", text="Yes?"),
        Item("third", role="user", text="lamp on"),
    )
)


class Gate:
    """`Act` of a turn that is committed when it is told."""

    def __init__(self, is_open: bool = True) -> None:
        self._open = asyncio.Event()
        if is_open:
            self.commit()

    def commit(self) -> None:
        self._open.set()

    def goes(self, place: Place) -> None:
        """What left is not this test's concern."""

    async def __call__(self, call: Call) -> str:
        raise AssertionError(call)

    async def committed(self) -> None:
        await self._open.wait()


async def replied(far: FarSide, gate: Gate | None = None) -> list[Text | Call | Done]:
    responder = open_responder("attic", far.uri, Place.EDGE)
    async with aclosing(responder.reply(PROMPT, gate or Gate())) as parts:
        return [part async for part in parts]


async def streams(far: FarSide, event: Event) -> bool:
    await far.say(HandledStart(), HandledChunk("It "), HandledChunk("is on."))
    await far.say(Handled("It is on."), HandledStop())
    return True


async def answers(far: FarSide, event: Event) -> bool:
    await far.say(Handled("It is on."))
    return True


async def declines(far: FarSide, event: Event) -> bool:
    await far.say(NotHandled("What lamp?"))
    return True


async def test_an_answer_comes_as_it_is_made() -> None:
    async with far_side(streams) as far:
        assert await replied(far) == [Text("It "), Text("is on."), Done("attic")]
        (asked,) = far.received
        assert asked.data["text"] == "lamp on"
        assert asked.data["context"] == {"conversation_id": "first"}


async def test_an_answer_that_is_not_streamed_is_an_answer() -> None:
    async with far_side(answers) as far:
        assert await replied(far) == [Text("It is on."), Done("attic")]


async def test_a_no_is_a_no() -> None:
    async with far_side(declines) as far:
        assert await replied(far) == [Text("What lamp?"), Done("attic", declined=True)]


async def test_nothing_is_asked_before_the_turn_is_committed() -> None:
    gate = Gate(is_open=False)
    async with far_side(answers) as far, Scope() as scope:
        reply = scope.start(replied(far, gate), "replying")
        await asyncio.sleep(0.05)
        assert far.received == []
        gate.commit()
        assert (await reply)[0] == Text("It is on.")


async def test_cancelling_closes_the_connection() -> None:
    async def never(far: FarSide, event: Event) -> bool:
        return True

    async with far_side(never) as far:
        async with Scope() as scope:
            scope.start(replied(far), "replying")
            await far.until("transcript")
        await far.left_alone()


async def test_what_goes_wrong_there_is_an_error() -> None:
    async def fails(far: FarSide, event: Event) -> bool:
        await far.say(Error("broke"))
        return True

    async def hangs_up(far: FarSide, event: Event) -> bool:
        return False

    async def names_an_intent(far: FarSide, event: Event) -> bool:
        await far.say(Intent("HassTurnOn"))
        return True

    async with far_side(fails) as far:
        for answer, why in (
            (fails, "broke"),
            (hangs_up, "closed the connection|was lost"),
            (names_an_intent, "does not answer"),
        ):
            far.answer = answer
            with pytest.raises(EngineError, match=why):
                await replied(far)


async def test_what_it_does_not_handle_is_passed_on_where_somebody_else_could_be_asked() -> None:
    prompt = replace(PROMPT, tools=({"type": "function", "name": ESCALATE},))
    async with far_side(declines) as far:
        responder = open_responder("attic", far.uri, Place.EDGE)
        async with aclosing(responder.reply(prompt, Gate())) as parts:
            assert [part async for part in parts] == [Call(ESCALATE), Done("attic")]
