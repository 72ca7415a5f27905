"""A prompt to an answer that was heard."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest

from airos_edge.voice import flow
from airos_edge.voice.events import ItemEnded, Outcome
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import GRACE_S, Scope
from airos_edge.voice.history import History, Item
from airos_edge.voice.ports import Call, Done, Left, Place, Prompt, Speaking, Text
from airos_edge.voice.reply import Reply
from airos_edge.voice.respond import STALL_LIMIT_S, respond
from tests.fakes import Do, FakeAsr, FakeResponder, FakeTools, FakeTts, Fault, Step, fake_engines
from tests.phrases import APOLOGY
from tests.room import FakeSpeaker, Tape

QUESTION = Item("item_0", role="user", text="hello")


class Desk:
    """One reply with its engines and its loudspeaker; `script` is what the responder does."""

    def __init__(self, *script: Step, speaking: bool = True, **parts: Any) -> None:
        self.told = Tape()
        self.speaker = FakeSpeaker()
        self.history = History()
        self.responder = FakeResponder(lambda prompt: script)
        self.tts = FakeTts()
        self.engines = fake_engines(**{"responder": self.responder, "tts": self.tts, **parts})
        prompt = Prompt((QUESTION,), speaking=Speaking() if speaking else None)
        self.reply = Reply("resp_1", prompt, self.history, self.told)

    async def responded(self, commit_after_s: float = 0) -> Outcome:
        async with Scope() as scope:
            task = scope.start(respond(self.reply, self.engines, Floor(self.speaker)), "reply")
            await asyncio.sleep(commit_after_s)
            self.reply.commit()
            await task
        assert self.responder.running == self.tts.running == 0
        assert self.reply.outcome is not None
        return self.reply.outcome

    @property
    def texts(self) -> list[str | None]:
        return [item.text for item in self.history]


async def test_it_is_spoken_sentence_by_sentence() -> None:
    desk = Desk(Text("It is late. "), 1000, Text("Good night to you."), Done("fake"))
    outcome = await desk.responded()
    assert (outcome.status, outcome.tier) == ("completed", "fake")
    assert desk.tts.sentences == ["It is late. Good night to you."]
    assert desk.speaker.text == outcome.text == "It is late. Good night to you."
    assert desk.texts == ["It is late. Good night to you."]


async def test_the_first_sentence_is_spoken_while_the_next_is_thought_of() -> None:
    desk = Desk(Text("It is late now. "), 3000, Text("Good night."), Done("fake"))
    await desk.responded()
    at = [at for mouth in desk.speaker.mouths for at, _ in mouth.played]
    assert at[0] == 0
    assert 3.0 in at


async def test_it_is_written_if_nobody_wants_to_hear_it() -> None:
    desk = Desk(Text("It is "), Text("late."), Done("fake"), speaking=False)
    outcome = await desk.responded()
    assert outcome.text == "It is late."
    assert desk.tts.opened == 0
    assert desk.speaker.mouths == []


async def test_speech_is_made_ahead_but_not_the_whole_reply() -> None:
    endless: Iterable[Step] = repeat(Text("And so it goes on. "))
    desk = Desk(tts=FakeTts(ms_per_character=100))
    desk.engines = fake_engines(responder=FakeResponder(lambda _: endless), tts=desk.engines.tts)
    async with Scope() as scope:
        scope.start(respond(desk.reply, desk.engines, Floor(desk.speaker)), "reply")
        desk.reply.commit()
        await asyncio.sleep(60)
        tts = desk.engines.tts
        assert isinstance(tts, FakeTts)
        assert len(tts.sentences) < 60 / 1.9 + 5
        assert len(desk.speaker.mouths[0].played) < 60 / 0.38 + 5


async def test_nothing_said_is_a_reply_without_items() -> None:
    desk = Desk(Done("fake"))
    outcome = await desk.responded()
    assert (outcome.status, outcome.items) == ("completed", ())
    assert desk.told.names == ["ReplyStarted", "ReplyEnded"]


async def test_a_reply_that_was_cut_short_says_so() -> None:
    outcome = await Desk(Text("It is"), Done("fake", why="max_tokens")).responded()
    assert (outcome.status, outcome.reason) == ("incomplete", "max_output_tokens")


async def test_a_clients_call_comes_after_what_was_said() -> None:
    desk = Desk(Text("One moment."), Call("door", {"open": True}), Done("fake"))
    outcome = await desk.responded()
    assert [item.kind for item in outcome.items] == ["message", "function_call"]
    assert outcome.status == "completed"


async def test_a_tool_is_called_after_the_commit_and_its_result_comes_back() -> None:
    tools = FakeTools("on", takes_ms=100)
    desk = Desk(Do(Call("light")), Text("Done."), Done("fake"), tools=tools)
    await desk.responded(commit_after_s=5)
    assert desk.responder.results == ["on"]
    assert tools.calls == [Call("light")]


async def test_who_says_done_has_ended_whatever_follows() -> None:
    desk = Desk(Text("It is late."), Done("fake"), Fault.STALL)
    outcome = await desk.responded()
    assert outcome.status == "completed"
    assert asyncio.get_running_loop().time() < 2


# ---- drafts -------------------------------------------------------------------------------------


async def test_a_draft_is_ready_at_its_commit() -> None:
    desk = Desk(1000, Text("It is late."), Done("fake"), tts=FakeTts(takes_ms=500))
    await desk.responded(commit_after_s=5)
    assert next(at for at, _ in desk.speaker.mouths[0].played) == 5


async def test_a_draft_may_take_its_time() -> None:
    desk = Desk(int(STALL_LIMIT_S * 3000), Text("It is late."), Done("fake"))
    outcome = await desk.responded(commit_after_s=STALL_LIMIT_S * 4)
    assert outcome.status == "completed"


async def test_a_drafts_words_do_not_go_beyond_the_lan_to_be_spoken() -> None:
    tts = FakeTts()
    tts.place = Place.CLOUD
    desk = Desk(Text("It is late."), Done("fake"), tts=tts)
    async with Scope() as scope:
        scope.start(respond(desk.reply, desk.engines, Floor(desk.speaker)), "reply")
        await asyncio.sleep(5)
        assert tts.opened == 0
        desk.reply.commit()
        await asyncio.sleep(5)
    assert desk.speaker.text == "It is late."


# ---- faults -------------------------------------------------------------------------------------

FATAL = [Fault.RAISE, Fault.CRASH, Fault.FOREIGN_CANCEL, Fault.STALL]


@pytest.mark.parametrize("fault", FATAL)
@pytest.mark.parametrize("commit_after_s", [0, 60])
async def test_a_responder_that_fails_is_apologised_for(fault: Fault, commit_after_s: int) -> None:
    desk = Desk(fault)
    outcome = await desk.responded(commit_after_s)
    assert outcome.status == "failed"
    assert "fake_responder" in (outcome.error or "")
    assert desk.speaker.text == APOLOGY
    assert asyncio.get_running_loop().time() < commit_after_s + STALL_LIMIT_S + GRACE_S + 3


@pytest.mark.parametrize("fault", FATAL)
async def test_an_apology_is_a_sentence_of_its_own(fault: Fault) -> None:
    desk = Desk(Text("The light in the kit"), fault)
    outcome = await desk.responded()
    assert outcome.status == "failed"
    assert desk.tts.sentences == ["The light in the kit\n", APOLOGY]


@pytest.mark.parametrize("commit", [True, False])
async def test_a_responder_that_outlives_its_reply_does_nothing_any_more(commit: bool) -> None:
    tools = FakeTools()
    desk = Desk(Fault.SWALLOW, Do(Call("light")), Text("Done."), Done("fake"), tools=tools)
    async with Scope() as scope:
        task = scope.start(respond(desk.reply, desk.engines, Floor(desk.speaker)), "reply")
        if commit:
            desk.reply.commit()
        await asyncio.sleep(1)
        desk.reply.end(Outcome("cancelled", reason="turn_detected"))
        task.cancel()
        await asyncio.sleep(60)
    assert tools.calls == []
    assert desk.responder.running == 0
    assert not flow.abandoned


@pytest.mark.parametrize("fault", FATAL)
async def test_a_voice_that_fails_ends_the_reply_as_it_was_heard(fault: Fault) -> None:
    tts = FakeTts(ms_per_character=100, fault=fault, after_words=3)
    desk = Desk(Text("One two three four five."), Done("fake"), tts=tts)
    outcome = await desk.responded()
    assert outcome.status == "failed"
    assert "fake_tts" in (outcome.error or "")
    assert tts.running == 0
    (heard,) = desk.texts
    assert "One two three".startswith(heard or "?")
    assert desk.told.of(ItemEnded)[0].item.status == "incomplete"


async def test_a_voice_that_cannot_begin_is_a_failed_reply() -> None:
    desk = Desk(Text("It is late."), Done("fake"), tts=FakeTts(fault=Fault.RAISE))
    outcome = await desk.responded()
    assert (outcome.status, outcome.items) == ("failed", ())


async def test_without_a_voice_a_spoken_reply_fails_and_says_where_to_look() -> None:
    outcome = await Desk(Text("It is late."), Done("fake"), tts=None).responded()
    assert outcome.status == "failed"
    assert "airos check" in (outcome.error or "")


async def test_a_tool_that_fails_is_the_responders_to_answer_for() -> None:
    desk = Desk(Do(Call("light")), Done("fake"), tools=FakeTools(fault=Fault.RAISE))
    outcome = await desk.responded()
    assert outcome.status == "failed"
    assert desk.speaker.text == APOLOGY


@pytest.mark.parametrize("fault", [*FATAL, Fault.SWALLOW])
@pytest.mark.parametrize("at", ["responder", "tts", "tool"])
async def test_cancelling_ends_everything_within_the_grace(
    fault: Fault, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script: tuple[Step, ...] = (Text("It is late now. "), Done("fake"))
    desk = {
        "responder": lambda: Desk(Text("It is late now. "), fault),
        "tts": lambda: Desk(*script, tts=FakeTts(fault=fault, after_words=1)),
        "tool": lambda: Desk(Do(Call("light")), *script, tools=FakeTools(fault=fault)),
    }[at]()
    loop = asyncio.get_running_loop()
    async with Scope() as scope:
        task = scope.start(respond(desk.reply, desk.engines, Floor(desk.speaker)), "reply")
        desk.reply.commit()
        await asyncio.sleep(0.3)
        desk.reply.end(Outcome("cancelled", reason="turn_detected"))
        task.cancel()
        cancelled_at_s = loop.time()
        told = len(desk.told.events)
        await asyncio.wait([task])
        assert loop.time() <= cancelled_at_s + 2 * GRACE_S + 0.01
        await asyncio.sleep(60)
    assert len(desk.told.events) == told
    played = chain.from_iterable(mouth.played for mouth in desk.speaker.mouths)
    assert all(at_s <= cancelled_at_s for at_s, _ in played)
    assert desk.responder.running == desk.tts.running == 0


async def test_without_a_voice_what_is_to_be_done_is_done_and_the_reply_fails() -> None:
    tools = FakeTools()
    desk = Desk(Do(Call("light")), Text("It is on."), Done("fake"), tools=tools, tts=None)
    desk.reply.commit()
    await respond(desk.reply, desk.engines, Floor(desk.speaker))
    assert [call.name for call in tools.calls] == ["light"]
    assert desk.reply.outcome is not None
    assert (desk.reply.outcome.status, desk.reply.outcome.text) == ("failed", "It is on.")
    assert "airos check" in str(desk.reply.outcome.error)


async def test_a_call_ends_what_is_said() -> None:
    desk = Desk(Text("Wait."), Call("door"), Text(" Never said."), Call("gate"), Done("fake"))
    desk.reply.commit()
    await respond(desk.reply, desk.engines, Floor(desk.speaker))
    assert desk.reply.outcome is not None
    items = [item.name or item.text for item in desk.reply.outcome.items]
    assert items == ["Wait.", "door", "gate"]


async def test_the_calls_of_a_reply_that_failed_are_not_to_be_made() -> None:
    desk = Desk(Call("door"), Fault.RAISE)
    desk.reply.commit()
    await respond(desk.reply, desk.engines, Floor(desk.speaker))
    assert desk.reply.outcome is not None
    assert desk.reply.outcome.status == "failed"
    assert [item.kind for item in desk.reply.outcome.items] == ["message"], "the apology alone"


async def test_what_ends_before_the_commit_waits_for_it() -> None:
    desk = Desk(Done("fake"))
    async with Scope() as scope:
        task = scope.start(respond(desk.reply, desk.engines, Floor(desk.speaker)), "reply")
        await asyncio.sleep(10)
        assert not task.done()
        assert desk.reply.outcome is None
        desk.reply.commit()
        await task
        assert desk.reply.outcome is not None


# ---- how far anything went --------------------------------------------------------------------------


@pytest.mark.parametrize(("went", "left"), [(None, Left.LAN), (Place.LOCAL, Left.NOTHING)])
async def test_a_recording_went_as_far_as_its_transcript_says_or_else_to_the_recogniser(
    went: Place | None, left: Left
) -> None:
    asr = FakeAsr("hello")
    asr.place = Place.EDGE
    desk = Desk(Text("It is late."), Done("fake"), asr=asr)
    asked = replace(QUESTION, spoken=True, went=went)
    desk.reply.prompt = replace(desk.reply.prompt, items=(asked,))
    assert (await desk.responded()).left is left


async def test_a_voice_that_is_made_of_several_tells_itself_how_far_its_text_goes() -> None:
    class Several(FakeTts):
        place = Place.EDGE
        goes_to = Place.LOCAL

        def telling(self, goes: Callable[[Place], None]) -> "Several":
            goes(self.goes_to)
            return self

    voice = Several()
    assert (await Desk(Text("It is late."), Done("fake"), tts=voice).responded()).left is (
        Left.NOTHING
    )
    voice.goes_to = Place.EDGE
    assert (await Desk(Text("It is late."), Done("fake"), tts=voice).responded()).left is Left.LAN
