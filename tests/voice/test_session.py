"""One conversation: what may happen at the same time, and what comes of it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from airos_edge.errors import BusyError, EngineUnavailable, ReachError
from airos_edge.voice import events
from airos_edge.voice.ear import PATIENCE_MS, Ear
from airos_edge.voice.endpoint import Answering, Interrupt, TurnRules
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import GRACE_S
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Done, Prompt, Says, Speech, Text
from airos_edge.voice.session import Session
from airos_edge.voice.utterance import Judgement
from airos_edge.voice.waking import Waking, WordSettings
from tests.fakes import (
    At,
    FakeAsr,
    FakeLease,
    FakeResponder,
    FakeTts,
    FakeVad,
    FakeWake,
    Fault,
    Said,
    Step,
    fake_engines,
)
from tests.room import FakeMouth, FakeSpeaker, Room, speech, wake_word

LONG = Text("One two three four five six seven eight nine ten.")
"""2500 ms of speech."""
PUSH = TurnRules(detection="push")


def statuses(room: Room) -> list[str]:
    return [ended.outcome.status for ended in room.told.of(events.ReplyEnded)]


def questions(room: Room) -> list[str]:
    responder = room.engines.responder
    assert isinstance(responder, FakeResponder)
    return [prompt.question for prompt in responder.prompts]


def slow(prompt: Prompt) -> list[Step]:
    return [Text(f"{prompt.question}? {LONG.text}"), Done("fake")]


def typed(text: str) -> Item:
    return Item(f"item_{text}", role="user", text=text)


# ---- which question is answered -----------------------------------------------------------------


async def test_of_two_questions_in_quick_succession_the_last_is_answered_and_both_are_known() -> (
    None
):
    async with Room(asr=FakeAsr(Said("first", takes_ms=1000), "second")) as room:
        await room.ask()
        await room.ask()
        await room.answered()
        await room.quiet(3000)
        assert questions(room) == ["second"]
        prompt = room.engines.responder.prompts[0]  # type: ignore[attr-defined]
        assert [item.text for item in prompt.items] == ["first", "second"]


@pytest.mark.parametrize(("rule", "answers"), [("understood", 0), ("always", 1), ("never", 0)])
async def test_what_held_no_word_for_us_is_answered_where_everything_is(
    rule: Answering, answers: int
) -> None:
    async with Room(TurnRules(answer=rule), asr=FakeAsr("")) as room:
        await room.ask()
        await room.quiet(3000)
        assert len(room.told.of(events.ReplyEnded)) == answers


async def test_words_that_come_late_do_not_interrupt_the_answer_to_a_later_question() -> None:
    asr = FakeAsr(Said("first", takes_ms=3000), "second")
    async with Room(asr=asr, responder=FakeResponder(slow)) as room:
        await room.ask(160)
        await room.ask()
        await room.quiet(5000)
        assert room.texts[:2] == ["first", "second"]
        assert statuses(room) == ["completed"]
        assert questions(room) == ["second"]


async def test_what_was_said_after_a_question_is_not_what_is_answered() -> None:
    asr = FakeAsr(Said("first", takes_ms=1500), "")
    async with Room(asr=asr) as room:
        await room.ask()
        await room.speak(160)
        await room.quiet(3000)
        assert questions(room) == ["first"]


async def test_noise_that_was_nothing_gives_the_turn_back() -> None:
    asr = FakeAsr(Said("first", takes_ms=2000), "")
    async with Room(asr=asr) as room:
        await room.ask()
        await room.speak(400)
        await room.quiet(3000)
        assert questions(room) == ["first"]
        assert statuses(room) == ["completed"]


@pytest.mark.parametrize("takes_ms", range(300, 2100, 300))
async def test_noise_right_after_a_question_does_not_cost_its_answer(takes_ms: int) -> None:
    asr = FakeAsr(Said("first", takes_ms=takes_ms), "")
    async with Room(asr=asr) as room:
        await room.ask()
        await room.speak(400)
        await room.quiet(6000)
        assert questions(room) == ["first"]
        assert statuses(room) == ["completed"]


async def test_a_false_wake_word_does_not_cost_the_answer_to_the_question_before_it() -> None:
    asr = FakeAsr(Said("first", takes_ms=900), "")
    async with Room(TurnRules(detection="wake"), asr=asr) as room:
        await room.play(wake_word())
        await room.ask()
        await room.play(wake_word())
        await room.quiet(9000)
        assert "first" in questions(room)


async def test_a_mistake_in_the_recogniser_costs_its_question_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Mistaken(FakeAsr):
        def transcribe(self, heard, hints):  # type: ignore[no-untyped-def]
            raise ValueError("before the first step")

    async with Room(asr=Mistaken("")) as room:
        await room.ask()
        await room.answered()
        room.lease.engines = fake_engines()
        await room.ask()
        await room.answered(2)
        assert statuses(room) == ["failed", "completed"]
        assert len(room.told.of(events.TranscriptionFailed)) == 1
    assert "before the first step" in caplog.text


async def test_words_of_the_system_that_come_after_a_question_still_count() -> None:
    async with Room(asr=FakeAsr(Said("first", takes_ms=500))) as room:
        await room.ask()
        room.session.add(Item("item_system", role="system", text="be brief"))
        await room.answered()
        prompt = room.engines.responder.prompts[0]  # type: ignore[attr-defined]
        assert [item.text for item in prompt.items] == ["be brief", "first"]


async def test_a_prompt_is_made_in_the_manner_of_the_session() -> None:
    tool = {"type": "function", "name": "f"}
    manner = Prompt(instructions="be brief", tools=(tool,), max_tokens=9, place="kitchen")
    async with Room(manner=manner) as room:
        room.session.add(typed("hello"))
        room.session.respond()
        await room.answered()
        prompt = room.engines.responder.prompts[0]  # type: ignore[attr-defined]
        assert prompt == replace(manner, items=(typed("hello"),))


@pytest.mark.parametrize("rule", ["stop", "duck", "wake", "never"])
async def test_a_follow_up_question_is_the_one_that_is_answered(rule: Interrupt) -> None:
    """Asked for by the assistant, it needs no confirming; it interrupts by the rule alone."""
    rules = TurnRules(detection="wake", interrupt=rule)
    async with Room(rules, responder=FakeResponder(slow)) as room:
        room.session.respond()
        await room.quiet(300)
        room.session.open("follow_up", patience_ms=2000)
        await room.quiet(40)
        assert statuses(room) == (["cancelled"] if rule in ("stop", "duck") else [])
        await room.quiet(6000)


@pytest.mark.parametrize("rule", ["wake", "never"])
async def test_confirmed_speech_stops_nothing_where_the_rule_is_another(rule: Interrupt) -> None:
    asr = FakeAsr(Said("second", takes_ms=5000))
    async with Room(TurnRules(interrupt=rule), asr=asr, responder=FakeResponder(slow)) as room:
        room.session.respond()
        await room.quiet(300)
        await room.speak(600)
        assert statuses(room) == []
        await room.quiet(200)
        assert room.speaker.mouths[0].ducks == []


async def test_where_nothing_may_interrupt_every_question_is_answered_in_its_turn() -> None:
    asr = FakeAsr("first", "second", "third")
    rules = TurnRules(interrupt="never")
    async with Room(rules, asr=asr, responder=FakeResponder(slow)) as room:
        for _ in range(3):
            await room.ask(300)
        await room.quiet(12_000)
        assert questions(room) == ["first", "second", "third"]
        assert statuses(room) == ["completed"] * 3


async def test_a_wake_word_and_nothing_after_it_is_a_question_without_words() -> None:
    async with Room(TurnRules(detection="wake"), asr=FakeAsr("")) as room:
        await room.play(wake_word())
        await room.ask()
        assert await room.answered() == "You said ."


async def test_a_question_whose_item_was_deleted_is_still_no_reason_to_stop() -> None:
    async with Room(asr=FakeAsr(Said("first", takes_ms=500))) as room:
        await room.ask()
        room.session.delete(room.told.of(events.QuestionEnded)[0].item.id)
        await room.answered()
        assert statuses(room) == ["completed"]


# ---- drafts -------------------------------------------------------------------------------------

COMPLETE = Said("turn it on", [At(500, "turn it on", Judgement.COMPLETE)], takes_ms=100)


async def test_a_draft_for_the_final_words_is_adopted() -> None:
    responder = FakeResponder(lambda prompt: [600, Text("Right."), Done("fake")])
    async with Room(asr=FakeAsr(COMPLETE), responder=responder) as room:
        await room.speak(600)
        assert responder.running == 1
        assert "ReplyStarted" not in room.told.names
        await room.quiet(260)
        assert await room.answered() == "Right."
        assert responder.opened == 1
        stages = room.told.of(events.ReplyEnded)[0].outcome.stages_ms
        assert stages["respond"] < 600, "thinking began before the question had ended"


async def test_a_draft_for_other_words_is_thrown_away_when_they_change() -> None:
    said = Said(
        "turn it on now",
        [At(300, "turn it on", Judgement.COMPLETE), At(500, "turn it on now", Judgement.OPEN)],
    )
    responder = FakeResponder(lambda prompt: [5000, Text("Right."), Done("fake")])
    async with Room(asr=FakeAsr(said), responder=responder) as room:
        await room.speak(400)
        assert responder.running == 1
        await room.speak(200)
        assert responder.running == 0
        await room.quiet(800)
        assert questions(room) == ["turn it on", "turn it on now"]
        await room.answered()


async def test_a_draft_is_thrown_away_when_the_history_has_changed() -> None:
    async with Room(asr=FakeAsr(COMPLETE)) as room:
        await room.speak(600)
        room.session.add(typed("in the kitchen"))
        await room.quiet(260)
        await room.answered()
        prompts = room.engines.responder.prompts  # type: ignore[attr-defined]
        assert len(prompts) == 2
        assert [item.text for item in prompts[1].items] == ["in the kitchen", "turn it on"]


async def test_a_draft_is_thrown_away_with_its_recording() -> None:
    responder = FakeResponder(lambda prompt: [5000, Text("Right."), Done("fake")])
    async with Room(asr=FakeAsr(COMPLETE), responder=responder) as room:
        await room.speak(600)
        room.session.clear()
        await room.quiet(260)
        assert responder.running == 0
        assert room.told.of(events.ReplyStarted) == []


async def test_a_draft_that_died_is_thought_out_anew() -> None:
    class Fragile(FakeResponder):
        def reply(self, prompt, act):  # type: ignore[no-untyped-def]
            if not self.prompts:
                self.prompts.append(prompt)
                raise RuntimeError("a mistake before the first step")
            return super().reply(prompt, act)

    async with Room(asr=FakeAsr(COMPLETE), responder=Fragile()) as room:
        await room.speak(600)
        await room.quiet(260)
        assert await room.answered() == "You said turn it on."
        assert statuses(room) == ["completed"]


async def test_without_leave_to_answer_nothing_is_drafted() -> None:
    async with Room(TurnRules(answer="never"), asr=FakeAsr(COMPLETE)) as room:
        await room.ask()
        assert questions(room) == []


async def test_a_draft_whose_engines_lie_too_far_away_tells_so_when_it_is_committed() -> None:
    async with Room(asr=FakeAsr(COMPLETE)) as room:
        await room.speak(400)
        room.lease.error = ReachError("llm", "its place is cloud")
        await room.speak(200)
        assert "ReplyStarted" not in room.told.names
        await room.quiet(260)
        await room.answered()
        (ended,) = room.told.of(events.ReplyEnded)
        assert ended.outcome.status == "failed"
        assert "cloud" in str(ended.outcome.error)


# ---- replies that were asked for ----------------------------------------------------------------


async def test_a_reply_that_is_asked_for_waits_for_all_the_words_there_are_to_come() -> None:
    rules = replace(PUSH, answer="never")
    asr = FakeAsr(Said("first", takes_ms=900), Said("second", takes_ms=200))
    async with Room(rules, asr=asr) as room:
        for _ in range(2):
            await room.speak(400)
            room.session.commit()
        room.session.respond()
        assert await room.answered() == "You said second."
        prompt = room.engines.responder.prompts[0]  # type: ignore[attr-defined]
        assert [item.text for item in prompt.items] == ["first", "second"]


async def test_words_that_failed_once_do_not_fail_every_reply_from_then_on() -> None:
    rules = replace(PUSH, answer="never")
    async with Room(rules, asr=FakeAsr(Said(Fault.RAISE))) as room:
        await room.speak(400)
        room.session.commit()
        room.session.respond()
        await room.answered()
        room.session.add(typed("hello"))
        room.session.respond()
        await room.answered(2)
        assert statuses(room) == ["failed", "completed"]


async def test_one_reply_at_a_time() -> None:
    async with Room() as room:
        room.session.respond()
        with pytest.raises(BusyError):
            room.session.respond()
        await room.answered()
        room.session.respond()
        await room.answered(2)


async def test_a_reply_is_interrupted_by_its_name() -> None:
    speaker = FakeSpeaker()
    async with Room(responder=FakeResponder(slow)) as room:
        spoken = room.session.respond()
        apart = room.session.respond(apart=Floor(speaker))
        await asyncio.sleep(1)
        assert room.session.interrupt("client_cancelled", apart.id)
        assert not room.session.interrupt("client_cancelled", apart.id)
        assert not room.session.interrupt("client_cancelled", "resp_nobody")
        assert room.session.replies.active is spoken
        await room.answered(2)
        assert statuses(room) == ["cancelled", "completed"]
        assert speaker.mouths[0].hushed_at == pytest.approx(1.0)


async def test_audio_that_is_committed_but_not_to_be_answered_interrupts_nobody() -> None:
    rules = replace(PUSH, answer="never")
    async with Room(rules, asr=FakeAsr("aside"), responder=FakeResponder(slow)) as room:
        room.session.respond()
        await room.speak(600)
        room.session.commit()
        await room.answered()
        assert statuses(room) == ["completed"]
        assert "aside" in room.texts


async def test_short_words_that_are_not_to_be_answered_leave_the_reply_as_loud_as_it_was() -> None:
    rules = TurnRules(answer="never")
    async with Room(rules, asr=FakeAsr("yes"), responder=FakeResponder(slow)) as room:
        room.session.respond()
        await room.quiet(500)
        await room.speak(160)
        await room.quiet(3000)
        assert statuses(room) == ["completed"]
        assert room.speaker.mouths[0].ducks == [15.0, 0.0]


async def test_it_stays_quiet_while_the_next_cough_is_not_judged_yet() -> None:
    asr = FakeAsr(Said("", takes_ms=300), "")
    async with Room(asr=asr, responder=FakeResponder(slow)) as room:
        room.session.respond()
        await room.speak(160)
        await room.quiet(760)
        await room.speak(160)
        assert room.told.of(events.Transcribed) == []
        await room.quiet(140)
        assert len(room.told.of(events.Transcribed)) == 1
        assert room.speaker.mouths[0].ducks == [15.0]
        await room.quiet(2000)
        assert room.speaker.mouths[0].ducks == [15.0, 0.0]


# ---- replies that ask ---------------------------------------------------------------------------

WAKE = TurnRules(detection="wake")


def asks(prompt: Prompt) -> list[Step]:
    """The first time; then it answers."""
    if any(item.role == "assistant" for item in prompt.items):
        return [Text(f"{prompt.question} it is."), Done("fake")]
    return [Text("Five or nine minutes, or even ten?"), Done("fake", expects=("five", "nine"))]


def expecting(room: Room) -> list[tuple[str, ...]]:
    assert isinstance(room.engines.asr, FakeAsr)
    return [hints.expecting for hints in room.engines.asr.hints]


def openings(room: Room) -> list[str]:
    return [started.opened_by for started in room.told.of(events.SpeechStarted)]


async def test_the_answer_to_a_question_of_ours_is_listened_for_once() -> None:
    asr = FakeAsr("a timer", "five", "thanks")
    async with Room(asr=asr, responder=FakeResponder(asks)) as room:
        await room.ask()
        ended = await room.told.wait_for(events.ReplyEnded)
        assert ended.outcome.expects == ("five", "nine")
        for count in (2, 3):
            await room.ask()
            await room.answered(count)
        assert expecting(room) == [(), ("five", "nine"), ()]


@pytest.mark.parametrize(
    ("after_ms", "expected"),
    [(PATIENCE_MS - 500, ("five", "nine")), (PATIENCE_MS + 500, ())],
)
async def test_the_answer_is_not_waited_for_for_ever(
    after_ms: int, expected: tuple[str, ...]
) -> None:
    async with Room(asr=FakeAsr("a timer", "five"), responder=FakeResponder(asks)) as room:
        await room.ask()
        await room.answered()
        await room.quiet(after_ms)
        await room.ask()
        assert expecting(room)[1] == expected
        await room.answered(2)


async def test_a_cough_is_no_answer_and_the_answer_after_it_still_counts() -> None:
    asr = FakeAsr("a timer", "", "five")
    async with Room(asr=asr, responder=FakeResponder(asks)) as room:
        await room.ask()
        await room.answered()
        await room.ask(160)
        await room.ask()
        await room.answered(2)
        assert expecting(room) == [(), ("five", "nine"), ("five", "nine")]


async def test_an_answer_that_is_pushed_to_talk_is_listened_for_too() -> None:
    async with Room(PUSH, asr=FakeAsr("a timer", "five"), responder=FakeResponder(asks)) as room:
        for count in (1, 2):
            await room.speak(600)
            room.session.commit()
            await room.answered(count)
        assert expecting(room) == [(), ("five", "nine")]


async def test_a_reply_apart_asks_nobody() -> None:
    async with Room(WAKE, responder=FakeResponder(asks)) as room:
        room.session.respond(apart=Floor(FakeSpeaker()))
        await room.answered()
        await room.play(wake_word())
        await room.quiet(100)
        assert (openings(room), expecting(room)) == (["wake"], [()])


async def test_only_an_ear_that_waits_for_its_wake_word_is_opened_for_the_answer() -> None:
    for rules, opened in ((WAKE, ["follow_up"]), (TurnRules(), []), (PUSH, [])):
        async with Room(rules, responder=FakeResponder(asks)) as room:
            room.session.respond()
            await room.answered()
            assert openings(room) == opened


async def test_a_question_that_was_not_heard_out_opens_no_ear() -> None:
    async with Room(WAKE, responder=FakeResponder(asks)) as room:
        room.session.respond()
        await room.quiet(500)
        room.session.interrupt("client_cancelled")
        assert statuses(room) == ["cancelled"]
        await room.quiet(1000)
        assert openings(room) == []


async def test_a_wake_word_said_over_the_question_begins_its_answer() -> None:
    asr = FakeAsr("a timer", "five")
    async with Room(WAKE, asr=asr, responder=FakeResponder(asks)) as room:
        await room.play(wake_word())
        await room.ask()
        await room.quiet(300)
        await room.play(wake_word())
        assert statuses(room) == ["cancelled"]
        await room.ask()
        assert await room.answered(2) == "five it is."
        assert openings(room) == ["wake", "wake"]
        assert expecting(room) == [(), ("five", "nine")]


async def test_no_ear_is_opened_where_the_next_question_waits_for_its_turn() -> None:
    rules = replace(WAKE, interrupt="never")
    asr = FakeAsr("a timer", "five")
    async with Room(rules, asr=asr, responder=FakeResponder(asks)) as room:
        room.session.respond()
        await room.play(wake_word())
        await room.ask(400)
        assert await room.answered(2) == "a timer it is."
        assert openings(room) == ["wake"]


# ---- what is not certain ------------------------------------------------------------------------


async def test_what_was_perhaps_said_is_in_the_history_and_in_the_prompt() -> None:
    said = Said("five", alternatives=("nine",), sure=False)
    async with Room(asr=FakeAsr(said)) as room:
        await room.ask()
        await room.answered()
        item = next(iter(room.session.history))
        assert (item.alternatives, item.sure) == (("nine",), False)
        assert room.engines.responder.prompts[-1].items == (item,)  # type: ignore[attr-defined]


@pytest.mark.parametrize("doubt", [{"alternatives": ("nine",)}, {"sure": False}])
async def test_a_draft_for_words_that_were_certain_is_thrown_away_when_they_are_not(
    doubt: dict[str, Any],
) -> None:
    said = replace(COMPLETE, **doubt)
    responder = FakeResponder(lambda prompt: [600, Text("Right."), Done("fake")])
    async with Room(asr=FakeAsr(said), responder=responder) as room:
        await room.speak(600)
        assert responder.running == 1
        await room.quiet(260)
        await room.answered()
        asked = [prompt.items[-1] for prompt in responder.prompts]
        certainty = [(item.alternatives, item.sure) for item in asked]
        assert certainty == [((), True), (said.alternatives, said.sure)]


async def test_a_reply_that_is_asked_for_knows_what_was_perhaps_said() -> None:
    said = Said("five", takes_ms=500, alternatives=("nine",))
    async with Room(replace(PUSH, answer="never"), asr=FakeAsr(said)) as room:
        await room.speak(400)
        room.session.commit()
        room.session.respond()
        await room.answered()
        prompt = room.engines.responder.prompts[0]  # type: ignore[attr-defined]
        assert prompt.items[-1].alternatives == ("nine",)


# ---- faults round it ----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [EngineUnavailable("asr", "gone"), ReachError("asr", "far")])
async def test_engines_that_cannot_be_had_are_no_matter_before_a_question_has_ended(
    error: Exception,
) -> None:
    async with Room() as room:
        room.lease.error = error  # type: ignore[assignment]
        await room.speak(600)
        assert room.told.names == ["SpeechStarted", "SpeechConfirmed"]
        room.session.clear()
        await room.quiet(100)
        assert room.told.names == [
            "SpeechStarted",
            "SpeechConfirmed",
            "SpeechStopped",
            "QuestionDropped",
        ]


class DeadMouth(FakeMouth):
    """A client's that went away while it was played to."""

    def __init__(self, says: Says, error: BaseException) -> None:
        super().__init__(says, lead_ms=0)
        self._error = error

    async def play(self, speech: Speech) -> None:
        raise self._error


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), asyncio.CancelledError()])
async def test_a_mouth_that_breaks_fails_its_reply_and_no_other(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def open_mouth(says: Says) -> FakeMouth:
        is_first = not room.speaker.mouths
        mouth = DeadMouth(says, error) if is_first else FakeMouth(says, lead_ms=0)
        room.speaker.mouths.append(mouth)
        return mouth

    room = Room()
    room.floor._open_mouth = open_mouth
    async with room:
        room.session.respond()
        await room.answered()
        await room.ask()
        await room.answered(2)
        assert statuses(room) == ["failed", "completed"]
    assert "was broken off" in caplog.text


# ---- the end ------------------------------------------------------------------------------------


async def test_leaving_a_session_ends_everything_in_it() -> None:
    asr = FakeAsr("first", Said("second", takes_ms=5000))
    speaker = FakeSpeaker()
    async with Room(TurnRules(interrupt="never"), asr=asr, responder=FakeResponder(slow)) as room:
        await room.ask()
        room.session.respond(apart=Floor(speaker))
        await room.ask(300)
        await room.speak(300)
    assert statuses(room) == ["cancelled", "cancelled"]
    before = len(room.told.events)
    await asyncio.sleep(60)
    assert len(room.told.events) == before


async def test_leaving_does_not_wait_for_ever() -> None:
    responder = FakeResponder(lambda prompt: [Fault.SWALLOW])
    room = Room(responder=responder, tts=FakeTts())
    async with room.session:
        room.session.respond()
        await asyncio.sleep(1)
    assert asyncio.get_running_loop().time() <= 1 + 2 * GRACE_S + 0.01


async def test_leaving_while_questions_wait_for_their_turn_answers_none() -> None:
    rules = TurnRules(interrupt="never")
    async with Room(rules, asr=FakeAsr("a", "b"), responder=FakeResponder(slow)) as room:
        await room.ask(300)
        await room.ask(300)
        await room.quiet(100)
    assert len(room.told.of(events.ReplyStarted)) == 1


# ---- what is told of the ear --------------------------------------------------------------------


async def test_an_event_says_how_much_had_been_heard_and_a_closing_why() -> None:
    complete = At(300, "turn it on", Judgement.COMPLETE)
    async with Room(asr=FakeAsr(Said("turn it on", [complete]))) as room:
        await room.quiet(500)
        await room.speak(600)
        await room.quiet(500)
        (started,) = room.told.of(events.SpeechStarted)
        (confirmed,) = room.told.of(events.SpeechConfirmed)
        (stopped,) = room.told.of(events.SpeechStopped)
    frame_ms, chunk_ms = 32, 20
    assert started.at_ms == pytest.approx(500 + 96, abs=frame_ms + chunk_ms)
    assert confirmed.item_id == started.item_id
    assert started.at_ms <= confirmed.at_ms <= 500 + 250 + frame_ms + chunk_ms
    assert stopped.judgement is Judgement.COMPLETE
    assert stopped.at_ms - stopped.end_ms == pytest.approx(100, abs=frame_ms + chunk_ms)


async def test_a_cough_is_not_confirmed() -> None:
    async with Room() as room:
        await room.ask(120)
        assert room.told.of(events.SpeechStopped)
        assert not room.told.of(events.SpeechConfirmed)


# ---- the history --------------------------------------------------------------------------------


async def test_a_client_may_say_late_how_much_it_played() -> None:
    async with Room(tts=FakeTts(ms_per_character=100)) as room:
        await room.ask()
        assert await room.answered() == "You said hello."
        item = room.told.of(events.ItemStarted)[0].item
        room.session.truncate(item.id, 950)
        assert room.told.events[-1] == events.ItemTruncated(
            session_id="sess_1", at_ms=1360, item_id=item.id, heard_ms=950, text="You said"
        )
        assert room.texts == ["hello", "You said"]


async def test_an_item_that_is_deleted_while_it_is_spoken() -> None:
    async with Room(responder=FakeResponder(slow)) as room:
        await room.ask()
        await room.quiet(500)
        room.session.delete(room.told.of(events.ItemStarted)[0].item.id)
        for chunk in speech(300):
            room.session.feed(chunk)
        assert statuses(room) == ["cancelled"]
        assert room.texts == ["hello"]


async def test_leaving_it_lets_go_of_what_its_wake_words_hold() -> None:
    class Held(FakeWake):
        is_closed = False

        async def aclose(self) -> None:
            self.is_closed = True

    held = Held()
    ear = Ear(TurnRules(detection="wake"), FakeVad(), Waking(held, {"hey_jarvis": WordSettings()}))
    borrow = FakeLease(fake_engines()).borrow
    async with Session("sess_1", ear, Floor(FakeSpeaker()), borrow, lambda event: None, Prompt()):
        assert not held.is_closed
    assert held.is_closed
