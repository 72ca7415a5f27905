"""How it goes when it is not certain what was said; see docs/flow.md. The real house, no sound."""

import pytest

from airos_edge.router.commands import Commands
from airos_edge.voice import events
from airos_edge.voice.ear import PATIENCE_MS
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.utterance import Judgement
from tests.fakes import At, FakeAsr, Said
from tests.home.people import People
from tests.phrases import GIVEN_UP, NO_COMMAND
from tests.room import Room, wake_word

WAKE = TurnRules(detection="wake")
FIVE_OR_NINE = Said(
    "set a timer for five minutes",
    [At(500, "set a timer for five minutes", Judgement.COMPLETE)],
    alternatives=("set a timer for nine minutes",),
)
ASKED = "Five or nine minutes?"
ALL_OFF = "turn off all the lights"
MAYBE_ALL_OFF = Said(ALL_OFF, [At(500, ALL_OFF, Judgement.COMPLETE)], sure=False)
ALL_LIGHTS = ["kitchen light", "floor lamp", "ceiling light"]


def room(people: People, rules: TurnRules, *heard: Said | str) -> Room:
    responder = Commands(people.commands)
    return Room(rules, responder=responder, tools=people.commands.call, asr=FakeAsr(*heard))


async def wakes_and_asks(room: Room) -> None:
    await room.play(wake_word())
    await room.ask()


async def test_what_was_meant_is_answered_without_a_wake_word() -> None:
    async with People() as people, room(people, WAKE, FIVE_OR_NINE, "nine") as talk:
        await wakes_and_asks(talk)
        assert await talk.answered() == ASKED
        assert people.timers.running == [], (
            "the draft for the words that were not certain did nothing"
        )
        await talk.quiet(2000)
        await talk.ask()
        assert await talk.answered(2) == "Timer set for nine minutes"
        assert [timer.seconds for timer in people.timers.running] == [540]
        first, second = talk.engines.asr.hints  # type: ignore[union-attr]
        assert first.expecting == ()
        assert {"nine", "nine minutes", "the second one", "no"} <= set(second.expecting)
        talk.follows("Asked back and answered")


async def test_a_question_back_that_nobody_answers_is_over_without_a_word() -> None:
    async with People() as people, room(people, WAKE, FIVE_OR_NINE, "nine") as talk:
        await wakes_and_asks(talk)
        await talk.answered()
        await talk.quiet(PATIENCE_MS + 200)
        talk.follows("Asked back, and nobody answers")
        await talk.ask()
        await talk.quiet(1000)
        assert len(talk.told.of(events.SpeechStarted)) == 2, "it waits for its wake word again"


async def test_what_is_grave_is_done_after_a_yes_said_over_the_question() -> None:
    async with People() as people, room(people, TurnRules(), MAYBE_ALL_OFF, "yes") as talk:
        await people.ask("turn on the lights")
        await talk.ask()
        assert people.on() == ALL_LIGHTS
        await talk.ask()
        assert await talk.answered(2) == "Turned off all of the lights"
        assert people.on() == []
        first, second = talk.engines.asr.hints  # type: ignore[union-attr]
        assert (first.expecting, "yes" in second.expecting) == ((), True)
        assert talk.texts[:3] == [ALL_OFF, "Turn off all the", "yes"]
        talk.follows("Grave, and not sure")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("no", GIVEN_UP),
        ("never mind", ""),
        ("what is love", NO_COMMAND),
        ("turn off the kitchen light", "Turned off the light"),
    ],
)
async def test_what_is_grave_is_not_done_without_a_yes(answer: str, said: str) -> None:
    async with People() as people, room(people, WAKE, MAYBE_ALL_OFF, answer) as talk:
        await people.ask("turn on the lights")
        await wakes_and_asks(talk)
        assert await talk.answered() == "Turn off all the lights?"
        await talk.ask()
        assert await talk.answered(2) == said
        assert {"floor lamp", "ceiling light"} <= set(people.on())


async def test_an_answer_that_is_not_certain_is_asked_for_again() -> None:
    again = Said("nine", alternatives=("five",))
    async with People() as people, room(people, WAKE, FIVE_OR_NINE, again, "nine") as talk:
        await wakes_and_asks(talk)
        await talk.answered()
        await talk.ask()
        assert await talk.answered(2) == "Nine or five minutes?"
        await talk.ask()
        assert await talk.answered(3) == "Timer set for nine minutes"
        assert [timer.seconds for timer in people.timers.running] == [540]
