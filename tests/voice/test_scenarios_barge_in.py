"""Talking over an answer, in every phase of it and under every rule; see docs/flow.md."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from airos_edge.voice import events, flow
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Outcome
from airos_edge.voice.flow import GRACE_S
from airos_edge.voice.ports import Done, Prompt, Text
from tests.fakes import FakeAsr, FakeResponder, FakeTts, Fault, Said, Step
from tests.room import Room, speech, wake_word

STOP = TurnRules(interrupt="stop")
LONG = Text("One two three four five six seven eight nine ten.")
"""2500 ms of speech."""


def once_then_echo(*first: Step) -> FakeResponder:
    """Plays the script for the first question; answers every other with its words."""

    def script(prompt: Prompt) -> list[Step]:
        if prompt.question == "first":
            return [*first, Done("fake")]
        return [Text(f"You said {prompt.question}."), Done("fake")]

    return FakeResponder(script)


def room_where(*first: Step, tts: FakeTts | None = None, rules: TurnRules | None = None) -> Room:
    asr = FakeAsr("first", "second")
    return Room(rules=rules, asr=asr, responder=once_then_echo(*first), tts=tts or FakeTts())


@asynccontextmanager
async def interrupted(room: Room, heading: str, heard: str | None) -> AsyncIterator[None]:
    """The block brings the first reply to where a second question comes in.

    That question is answered, and of the first reply the history holds the words that were
    `heard`; None: it has no item. (That no chunk comes after a hush the room sees to.)
    """
    async with room:
        await room.ask()
        yield
        await room.ask()
        assert await room.answered(2) == "You said second."
        first, second = [ended.outcome for ended in room.told.of(events.ReplyEnded)]
        assert (first.status, first.reason) == ("cancelled", "turn_detected")
        assert second.status == "completed"
        spoken = [] if heard is None else [heard]
        assert room.texts == ["first", *spoken, "second", "You said second."]
        room.nothing_is_open()
        room.follows(heading)


# ---- in every phase -----------------------------------------------------------------------------


async def test_during_recognition() -> None:
    asr = FakeAsr(Said("first", takes_ms=1000), "second")
    async with Room(asr=asr) as room:
        await room.ask()
        await room.ask()
        assert await room.answered() == "You said second."
        assert len(room.told.of(events.ReplyStarted)) == 1, "only who spoke last is answered"
        assert room.texts == ["first", "second", "You said second."]
        room.nothing_is_open()
        room.follows("Barge-in during recognition")


async def test_before_the_first_token() -> None:
    room = room_where(5000, LONG)
    async with interrupted(room, "Barge-in before the first token", heard=None):
        await room.quiet(500)
        assert room.speaker.mouths == []
    assert "One" not in room.speaker.text


async def test_between_sentences() -> None:
    room = room_where(Text("One two three. "), 5000, LONG)
    heading = "Barge-in between sentences"
    async with interrupted(room, heading, heard="One two three."):
        await room.quiet(2000)
        assert room.speaker.text == "One two three."
    assert room.speaker.text == "One two three.|You said second."


async def test_in_synthesis() -> None:
    room = room_where(LONG, tts=FakeTts(takes_ms=1000))
    async with interrupted(room, "Barge-in in synthesis", heard=None):
        await room.quiet(200)
        assert room.engines.tts.running == 1  # type: ignore[union-attr]
        assert room.speaker.mouths == []


async def test_in_play() -> None:
    room = room_where(LONG)
    async with interrupted(room, "Barge-in in play", heard="One two three four"):
        await room.quiet(720)


async def test_in_the_last_chunk() -> None:
    room = room_where(Text("Seven eight nineteen."), tts=FakeTts(ms_per_character=100))
    async with interrupted(room, "Barge-in in the last chunk", heard="Seven eight"):
        await room.quiet(1600)
        (mouth,) = room.speaker.mouths
        assert mouth.text == "Seven eight nineteen.", "all is played, not all is heard"


async def test_before_the_turns_task_has_run_at_all() -> None:
    async with Room(rules=STOP, asr=FakeAsr("second")) as room:
        await room.speak(80)
        room.session.respond()
        for chunk in speech(20):
            room.session.feed(chunk)
        assert room.session.replies.active is None
        await room.ask()
        assert await room.answered(2) == "You said second."
        assert room.engines.responder.opened == 1  # type: ignore[attr-defined]
        room.follows("Barge-in before the turn's task has run at all")


async def test_two_within_one_tick() -> None:
    async with room_where(LONG) as room:
        await room.ask()
        await room.quiet(500)
        assert room.session.interrupt("client_cancelled")
        assert not room.session.interrupt("client_cancelled")
        assert not room.session.interrupt("turn_detected")
        await room.ask()
        assert await room.answered(2) == "You said second."
        assert [ended.outcome.reason for ended in room.told.of(events.ReplyEnded)] == [
            "client_cancelled",
            None,
        ]
        room.follows("Two interruptions within one tick")


async def test_while_the_last_cancel_still_waits() -> None:
    room = room_where(Text("One two three four. "), Fault.SWALLOW)
    async with room:
        await room.ask()
        await room.quiet(500)
        assert room.session.interrupt("client_cancelled")
        await asyncio.sleep(GRACE_S / 4)
        assert room.engines.responder.running == 1  # type: ignore[attr-defined]
        room.session.respond(
            Prompt(room.session.prompt().items, speaking=room.session.manner.speaking)
        )
        await asyncio.sleep(GRACE_S / 4)
        assert room.session.interrupt("client_cancelled")
        await room.ask()
        assert await room.answered(3) == "You said second."
        await room.quiet(15_000)
        assert not flow.abandoned
        room.nothing_is_open()
        room.follows("Barge-in while the last cancel still waits")


# ---- under every rule ---------------------------------------------------------------------------


async def test_rule_stop_silences_at_the_first_sound() -> None:
    room = room_where(LONG, rules=STOP)
    async with interrupted(room, "Rule stop", heard="One two three"):
        await room.quiet(720)
    assert room.speaker.mouths[0].ducks == []


async def test_rule_duck_is_quieter_first_and_stops_when_it_is_speech() -> None:
    room = room_where(LONG)
    async with interrupted(room, "Rule duck", heard="One two three four"):
        await room.quiet(720)
    assert room.speaker.mouths[0].ducks == [15.0]


async def test_rule_wake_goes_on_for_anything_but_its_wake_word() -> None:
    rules = TurnRules(detection="wake", interrupt="wake")
    async with room_where(LONG, rules=rules) as room:
        await room.play(wake_word())
        await room.ask()
        await room.speak(600)
        assert room.session.replies.active is not None, "somebody talks, but not to us"
        await room.play(wake_word())
        assert room.session.replies.active is None
        await room.ask()
        assert await room.answered(2) == "You said second."
        room.follows("Rule wake")


async def test_a_wake_word_in_what_was_taken_for_speech_begins_the_question() -> None:
    asr = FakeAsr("first", "hey jarvis", "second")
    async with Room(asr=asr, responder=once_then_echo(LONG)) as room:
        await room.ask()
        await room.quiet(500)
        await room.play(wake_word())
        await room.ask()
        assert await room.answered(2) == "You said second."
        assert room.texts == ["first", "One two three", "second", "You said second."]
        room.follows("A wake word where speech is heard, too")


async def test_rule_never_answers_when_the_reply_has_ended() -> None:
    async with room_where(LONG, rules=TurnRules(interrupt="never")) as room:
        await room.ask()
        await room.quiet(500)
        await room.ask()
        assert await room.answered(2) == "You said second."
        outcomes: list[Outcome] = [ended.outcome for ended in room.told.of(events.ReplyEnded)]
        assert [outcome.status for outcome in outcomes] == ["completed", "completed"]
        assert room.speaker.text == f"{LONG.text}|You said second."
        room.follows("Rule never")


async def test_a_cough_while_speaking_is_talked_over() -> None:
    asr = FakeAsr("first", "")
    async with Room(asr=asr, responder=once_then_echo(LONG)) as room:
        await room.ask()
        await room.quiet(500)
        await room.speak(160)
        await room.quiet(1500)
        assert await room.answered() == LONG.text
        assert room.speaker.text == LONG.text
        assert room.speaker.mouths[0].ducks == [15.0, 0.0]
        assert room.texts == ["first", LONG.text, ""]
        room.follows("A cough while speaking")


async def test_a_cough_right_after_the_question_does_not_cost_its_answer() -> None:
    for takes_ms in (0, 200, 600, 1500):
        asr = FakeAsr(Said("first", takes_ms=takes_ms), "")
        async with Room(asr=asr, responder=once_then_echo(Text("Right."))) as room:
            await room.ask()
            await room.speak(160)
            await room.quiet(3000)
            assert room.speaker.text == "Right."
            assert [ended.outcome.status for ended in room.told.of(events.ReplyEnded)] == [
                "completed"
            ]
