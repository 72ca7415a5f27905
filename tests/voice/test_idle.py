"""Nobody speaks after a reply: when that is noticed, and what comes of it."""

import asyncio
from dataclasses import replace

import pytest

from airos_edge.voice import events
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.idle import NUDGE
from airos_edge.voice.ports import Call, Done, Text
from tests.fakes import FakeAsr, FakeResponder
from tests.room import Room

RULES = TurnRules(interrupt="stop", answer="always", idle_timeout_ms=6000)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_after_a_reply_was_heard_and_so_long_a_silence_the_box_speaks_unasked() -> None:
    responder = FakeResponder(lambda prompt: [Text("Still there?"), Done("fake")])
    async with Room(RULES, responder=responder) as room:
        await room.ask()
        await room.answered()
        heard_at = now()
        await room.quiet(5900)
        assert not room.told.of(events.IdleTimedOut)
        timed_out = await room.told.wait_for(events.IdleTimedOut)
        assert now() - heard_at == pytest.approx(6.0, abs=0.03)
        assert timed_out.end_ms - timed_out.start_ms == pytest.approx(5900, abs=40)
        assert await room.answered(2) == "Still there?"
        nudge, question, _ = list(room.session.history)[-3:]
        assert (nudge.role, nudge.text) == ("system", NUDGE)
        assert (question.id, question.role, question.text) == (timed_out.item_id, "user", "")
        assert responder.prompts[-1].items[-1] == nudge
    room.follows("Nobody speaks after an answer")


async def test_it_does_so_again_after_each_reply() -> None:
    async with Room(RULES) as room:
        room.session.respond()
        await room.told.wait_for(events.IdleTimedOut, 3)


async def test_before_the_first_reply_nothing_is_expected_of_anybody() -> None:
    async with Room(RULES) as room:
        await asyncio.sleep(60)
        assert room.told.names == []


async def test_speech_ends_the_waiting_until_its_own_reply() -> None:
    async with Room(RULES, asr=FakeAsr("a", "b")) as room:
        await room.ask()
        await room.answered()
        await room.quiet(5000)
        await room.speak(4000)
        assert not room.told.of(events.IdleTimedOut)
        await room.quiet(760)
        await room.answered(2)
        answered_at = now()
        await room.told.wait_for(events.IdleTimedOut)
        assert now() - answered_at == pytest.approx(6.0, abs=0.03)


async def test_speech_that_is_thrown_away_begins_the_waiting_anew() -> None:
    async with Room(RULES) as room:
        room.session.respond()
        await room.answered()
        await room.quiet(3000)
        await room.speak(600)
        room.session.clear()
        cleared_at = now()
        await room.told.wait_for(events.IdleTimedOut)
        assert now() - cleared_at == pytest.approx(6.0, abs=0.03)


async def test_talking_over_a_reply_is_no_silence() -> None:
    responder = FakeResponder(lambda prompt: [Text("word " * 100), Done("fake")])
    async with Room(replace(RULES, answer="never"), responder=responder) as room:
        room.session.respond()
        await room.told.wait_for(events.TextSaid)
        await room.ask()
        assert room.told.of(events.ReplyEnded)
        await asyncio.sleep(60)
        assert not room.told.of(events.IdleTimedOut)


async def test_while_a_client_is_at_a_call_nobody_is_waited_for() -> None:
    script = [[Call("weather", {}, "call_1")], [Text("Sunny.")]]
    responder = FakeResponder(lambda prompt: [*script.pop(0), Done("fake")])
    async with Room(RULES, responder=responder) as room:
        await room.ask()
        await room.answered()
        await asyncio.sleep(60)
        assert not room.told.of(events.IdleTimedOut)
        room.session.respond()
        await room.answered(2)
        await asyncio.sleep(5.9)
        assert not room.told.of(events.IdleTimedOut)


async def test_what_was_waited_counts_when_the_rules_change() -> None:
    async with Room(replace(RULES, idle_timeout_ms=None)) as room:
        room.session.respond()
        await room.answered()
        await asyncio.sleep(5)
        began = now()
        room.session.obey(RULES)
        await room.told.wait_for(events.IdleTimedOut)
        assert now() - began == pytest.approx(1.0, abs=0.01)
        room.session.obey(replace(RULES, idle_timeout_ms=None))
        await asyncio.sleep(60)
        assert len(room.told.of(events.IdleTimedOut)) == 1


async def test_an_ended_conversation_waits_for_nobody() -> None:
    async with Room(RULES) as room:
        room.session.respond()
        await room.answered()
    await asyncio.sleep(60)
    assert not room.told.of(events.IdleTimedOut)
