"""How a call that needs a yes is asked for, and made or not; see docs/flow.md."""

from collections.abc import Callable, Iterable

import pytest

from airos_edge.languages.phrases import Phrases
from airos_edge.router.approval import Approving
from airos_edge.voice import events
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Call, Done, Place, Prompt, Text
from tests.fakes import FakeAsr, FakeResponder, FakeTools, Said, Step
from tests.phrases import GIVEN_UP, NO, NOT_HEARD, YES
from tests.room import Room, wake_word

WAKE = TurnRules(detection="wake")
ALL_OFF = Call("all_off", {"floor": 1}, "call_1", waits_for_yes=True)
QUESTION = "Shall I turn off all the lights?"
NOT_SURE = Said("yes", sure=False)
YES_OR_GUESS = Said("yes", alternatives=("guess",))


class Words:
    def place_of(self, call: Call) -> Place:
        return Place.EDGE

    def in_words(self, call: Call, says: Phrases) -> str:
        return "turn off all the lights"


def model(prompt: Prompt) -> Iterable[Step]:
    """Calls a tool that needs a yes; says what came of it, and of anything else what it was."""
    last = prompt.items[-1]
    if last.kind == "function_call_output":
        return [Text(f"They are off: {last.text}."), Done("model")]
    if "lights" in prompt.question:
        return [ALL_OFF, Done("model", input_tokens=7)]
    return [Text(f"You said {prompt.question}."), Done("model")]


def wordy_model(prompt: Prompt) -> Iterable[Step]:
    """Talks for a while before it calls."""
    return [Text("They use quite some power all night. "), *model(prompt)]


class Talk(Room):
    """A room where a model answers whose tool needs a yes."""

    def __init__(
        self,
        *heard: Said | str,
        rules: TurnRules | None = None,
        script: Callable[[Prompt], Iterable[Step]] = model,
    ) -> None:
        self.house = FakeTools("done")
        self.model = FakeResponder(script)
        asr = FakeAsr("turn off the lights", *heard)
        super().__init__(rules, asr=asr, responder=Approving(self.model, Words()), tools=self.house)


async def test_a_yes_makes_the_call_and_the_model_goes_on_with_its_result() -> None:
    async with Talk("yes please") as talk:
        await talk.ask()
        assert await talk.answered() == QUESTION
        assert talk.house.calls == []
        outcome = talk.told.of(events.ReplyEnded)[0].outcome
        assert outcome.items[-1].kind == "approval_request"
        assert (outcome.expects, outcome.input_tokens) == ((*YES, *NO), 7)
        await talk.ask()
        assert await talk.answered(2) == "They are off: done."
        assert talk.house.calls == [Call("all_off", {"floor": 1}, "call_1")]
        kinds = [item.kind for item in talk.model.prompts[-1].items]
        assert kinds[-3:] == ["message", "function_call", "function_call_output"]
        assert "approval_request" not in kinds
        talk.follows("A tool that needs a yes")


async def test_a_yes_over_the_question_is_one() -> None:
    async with Talk("yes") as talk:
        await talk.ask()
        await talk.quiet(1200)
        await talk.ask()
        assert await talk.answered(2) == "They are off: done."
        assert talk.texts[1] == "Shall I turn off all the"
        talk.follows("A yes over the question")


async def test_a_yes_before_the_question_in_a_reply_that_goes_on_is_none() -> None:
    async with Talk("yes", rules=TurnRules(interrupt="never"), script=wordy_model) as talk:
        await talk.ask()
        await talk.ask()
        await talk.answered(2)
        assert QUESTION in (talk.texts[1] or "")
        assert talk.house.calls == []


async def test_a_yes_before_anything_of_the_question_was_heard_is_none() -> None:
    async with Talk("yes") as talk:
        await talk.ask()
        await talk.ask()
        assert await talk.answered(2) == "You said yes."
        assert talk.house.calls == []


async def test_the_answer_needs_no_wake_word_and_the_recogniser_expects_it() -> None:
    async with Talk("yes", rules=WAKE) as talk:
        await talk.play(wake_word())
        await talk.ask()
        await talk.answered()
        await talk.ask()
        await talk.answered(2)
        assert len(talk.house.calls) == 1
        first, second = talk.engines.asr.hints  # type: ignore[union-attr]
        assert (first.expecting, second.expecting) == ((), (*YES, *NO))


@pytest.mark.parametrize(
    ("answer", "said"),
    [("no", GIVEN_UP), ("No, don't.", GIVEN_UP), ("what time is it", "You said what time is it.")],
)
async def test_without_a_yes_nothing_is_done_then_or_later(answer: str, said: str) -> None:
    async with Talk(answer, "yes") as talk:
        await talk.ask()
        await talk.answered()
        await talk.ask()
        assert await talk.answered(2) == said
        await talk.ask()
        assert await talk.answered(3) == "You said yes."
        assert talk.house.calls == []


@pytest.mark.parametrize("perhaps", [NOT_SURE, YES_OR_GUESS])
async def test_what_was_not_surely_a_yes_is_asked_for_once_more(perhaps: Said) -> None:
    async with Talk(perhaps, "yes") as talk:
        await talk.ask()
        await talk.answered()
        await talk.ask()
        assert await talk.answered(2) == f"{NOT_HEARD} {QUESTION}"
        assert talk.house.calls == []
        await talk.ask()
        assert await talk.answered(3) == "They are off: done."


async def test_it_is_not_asked_for_for_ever() -> None:
    async with Talk(NOT_SURE) as talk:
        for count, said in enumerate([QUESTION, f"{NOT_HEARD} {QUESTION}", GIVEN_UP], start=1):
            await talk.ask()
            assert await talk.answered(count) == said
        assert talk.house.calls == []


async def test_a_cough_before_the_answer_changes_nothing() -> None:
    async with Talk("", "yes") as talk:
        await talk.ask()
        await talk.answered()
        await talk.ask()
        await talk.ask()
        assert await talk.answered(2) == "They are off: done."
