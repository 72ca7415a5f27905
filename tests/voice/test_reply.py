"""One reply as the history and the face see it."""

import asyncio

import pytest

from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.events import ItemEnded, ItemStarted, Outcome, ReplyEnded, ReplyStarted
from airos_edge.voice.history import History, Item
from airos_edge.voice.ports import Call, Done, Left, Place, Prompt, Says, Speaking, Speech
from airos_edge.voice.reply import Reply
from tests.room import FakeMouth, Tape

SPOKEN = Prompt(speaking=Speaking())
COMPLETED = Outcome("completed")
INTERRUPTED = Outcome("cancelled", reason="turn_detected")


def sound(ms: float) -> AudioChunk:
    return AudioChunk(bytes(2 * samples_of(ms)))


class Desk:
    """A reply, its history and what it told."""

    def __init__(self, prompt: Prompt = SPOKEN) -> None:
        self.told = Tape()
        self.history = History()
        self.history.add(Item("item_0", role="user", text="hello"))
        self.reply = Reply("resp_1", prompt, self.history, self.told)

    @property
    def texts(self) -> list[str | None]:
        return [item.text for item in self.history][1:]


async def test_a_reply_is_told_in_order() -> None:
    desk = Desk()
    desk.reply.commit()
    desk.reply.say("Good ", sound(300))
    desk.reply.say("morning.", sound(500))
    desk.reply.end_message()
    desk.reply.end(COMPLETED)
    assert desk.told.names == [
        "ReplyStarted", "ItemStarted", "TextSaid", "TextSaid", "ItemEnded", "ReplyEnded",
    ]  # fmt: skip
    assert desk.texts == ["Good morning."]
    (ended,) = desk.told.of(ItemEnded)
    assert (ended.item.text, ended.item.status) == ("Good morning.", "completed")
    assert ended.previous_id == "item_0"


async def test_a_draft_that_ends_says_no_word() -> None:
    desk = Desk()
    desk.reply.end(Outcome("cancelled"))
    desk.reply.commit()
    desk.reply.say("Too late.", sound(100))
    assert desk.told.names == []
    assert desk.texts == []


async def test_only_the_first_end_counts() -> None:
    desk = Desk()
    desk.reply.commit()
    desk.reply.end(INTERRUPTED)
    desk.reply.end(COMPLETED)
    (ended,) = desk.told.of(ReplyEnded)
    assert (ended.outcome.status, ended.outcome.reason) == ("cancelled", "turn_detected")


async def test_nothing_is_said_after_the_end() -> None:
    desk = Desk()
    desk.reply.commit()
    desk.reply.say("Good ", sound(300))
    desk.reply.end(COMPLETED)
    before = len(desk.told.events)
    desk.reply.say("morning.", sound(500))
    desk.reply.call(Call("light"))
    desk.reply.end_message()
    assert len(desk.told.events) == before
    assert desk.texts == ["Good "]


async def test_a_call_follows_the_message_that_it_ends() -> None:
    desk = Desk()
    desk.reply.commit()
    desk.reply.say("One moment.", sound(300))
    desk.reply.call(Call("light", {"on": True}, "call_1"))
    desk.reply.end(COMPLETED)
    started = desk.told.of(ItemStarted)
    assert [event.output_index for event in started] == [0, 1]
    call = started[1].item
    assert (call.kind, call.name, call.arguments) == ("function_call", "light", '{"on": true}')
    assert call.call_id == "call_1"
    assert [event.item.status for event in desk.told.of(ItemEnded)] == ["completed"] * 2


async def test_a_call_that_waits_for_a_yes_is_a_request() -> None:
    desk = Desk()
    desk.reply.commit()
    desk.reply.call(Call("light", {"on": False}, "call_1", waits_for_yes=True))
    item = desk.told.of(ItemEnded)[0].item
    assert (item.kind, item.name, item.call_id) == ("approval_request", "light", "call_1")


async def speaking(desk: Desk) -> FakeMouth:
    """600 ms into a word of 300 and a word of 500."""
    desk.reply.commit()
    mouth = desk.reply.mouth = FakeMouth(Says("resp_1", desk.reply.begin_message()), lead_ms=1000)
    for word, ms in (("Good ", 300), ("morning.", 500)):
        desk.reply.say(word, sound(ms))
        await mouth.play(Speech(AudioChunk(bytes(ms * 32)), word))
    await asyncio.sleep(0.6)
    return mouth


async def test_interrupted_the_history_holds_what_was_heard() -> None:
    desk = Desk()
    mouth = await speaking(desk)
    desk.reply.end(INTERRUPTED)
    assert mouth.hushed_at == 0.6
    assert desk.texts == ["Good"]
    (ended,) = desk.told.of(ItemEnded)
    assert (ended.item.text, ended.item.status) == ("Good morning.", "incomplete")


async def test_a_reply_that_fails_while_it_speaks_is_silenced_and_remembered_as_heard() -> None:
    desk = Desk()
    mouth = await speaking(desk)
    desk.reply.end(Outcome("failed", error="tts: broke"))
    assert mouth.hushed_at == 0.6
    assert desk.texts == ["Good"]


async def test_a_message_that_a_client_deletes_while_it_is_spoken() -> None:
    desk = Desk()
    await speaking(desk)
    desk.history.delete(desk.reply.begin_message())
    desk.reply.say("And more.", sound(100))
    desk.reply.end(INTERRUPTED)
    assert desk.told.names[-2:] == ["ItemEnded", "ReplyEnded"]
    assert desk.texts == []


async def test_a_written_reply_has_no_sound() -> None:
    desk = Desk(Prompt())
    desk.reply.commit()
    desk.reply.say("Good morning.")
    desk.reply.end(INTERRUPTED)
    assert desk.texts == ["Good morning."], "what was written was read"
    assert not desk.told.of(ItemStarted)[0].item.spoken


async def test_its_outcome_says_who_answered_and_how_long_it_took() -> None:
    desk = Desk()
    await asyncio.sleep(1)
    desk.reply.stamp("respond")
    desk.reply.done = Done("commands", intent="HassTurnOn", slots={"name": "lamp"})
    desk.reply.goes(Place.EDGE)
    desk.reply.commit(since=0.4)
    await asyncio.sleep(0.5)
    desk.reply.stamp("done")
    desk.reply.stamp("respond")
    desk.reply.end(COMPLETED)
    outcome = desk.reply.outcome
    assert outcome is not None
    assert (outcome.tier, outcome.intent, outcome.left) == ("commands", "HassTurnOn", Left.LAN)
    assert outcome.stages_ms == pytest.approx({"respond": 600.0, "done": 1100.0})


async def test_a_commit_is_told_once() -> None:
    desk = Desk()
    desk.reply.commit()
    desk.reply.commit()
    assert len(desk.told.of(ReplyStarted)) == 1
