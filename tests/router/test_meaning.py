"""What is meant where it is not certain what was said, and what answers mean that the box asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from airos_edge.router.meaning import LOOK_BACK, NOTHING, Saying, meant
from airos_edge.voice.history import Item
from tests.phrases import GIVEN_UP, NO, NO_COMMAND, NOT_HEARD, YES

ASKED = "Five or nine minutes?"
ALL_OFF = "Turn off all the lights?"


@dataclass(frozen=True)
class Sentence:
    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    is_effect: bool = True
    language: str = "en"

    @property
    def is_grave(self) -> bool:
        return self.intent == "AllOff"


class House:
    """Understands timers of some minutes, and all lights off."""

    def __init__(self) -> None:
        self.understood = 0

    def understand(
        self, text: str, place: str | None, language: str | None = None
    ) -> Sentence | None:
        self.understood += 1
        for number in ("five", "nine", "ten", "twelve"):
            if text in (f"timer for {number} minutes", f"start timer for {number} minutes"):
                return Sentence("Timer", {"minutes": number})
        return {
            "turn off all the lights": Sentence("AllOff"),
            "never mind": Sentence("Nevermind", is_effect=False),
        }.get(text)

    def meaning(self, understood: Sentence) -> tuple[Any, ...]:
        return understood.intent, *understood.slots.values()

    def answer(self, understood: Sentence, result: str) -> str:
        return ""

    def sorry(self, understood: Sentence) -> str:
        return ""


def said(text: str, *alternatives: str, sure: bool = True) -> Item:
    return Item("", role="user", text=text, spoken=True, alternatives=alternatives, sure=sure)


def answered(text: str) -> Item:
    return Item("", role="assistant", text=text, spoken=True)


FIVE_OR_NINE = said("timer for five minutes", "timer for nine minutes")
MAYBE_ALL_OFF = said("turn off all the lights", sure=False)


def meaning(*items: Item) -> str:
    """The intent and its values, or what is said instead."""
    found = meant(items, House(), None)
    if isinstance(found, Saying):
        return found.text
    return " ".join((found.intent, *found.slots.values()))


# ---- asking back --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "result"),
    [
        (said("timer for five minutes"), "Timer five"),
        (said("timer for five minutes", sure=False), "Timer five"),
        (said("turn off all the lights"), "AllOff"),
        (MAYBE_ALL_OFF, ALL_OFF),
        (FIVE_OR_NINE, ASKED),
        (said("timer for five minutes", "start timer for five minutes"), "Timer five"),
        (said("timer for five minutes", "tie for five minutes"), "Timer five"),
        (said("tie for five minutes", "timer for five minutes"), "Timer five"),
        (said("tie for five", "die for five"), NO_COMMAND),
        (
            said("timer for five minutes", "turn off all the lights"),
            "Did you say timer for five minutes, or turn off all the lights?",
        ),
        (
            said(*(f"timer for {number} minutes" for number in ("five", "nine", "ten", "twelve"))),
            "Five, nine or ten minutes?",
        ),
        (
            said("turn off all the lights", "turn off all the lights", sure=False),
            ALL_OFF,
        ),
    ],
)
def test_what_may_mean_several_things_is_asked_and_what_means_one_is_done(
    item: Item, result: str
) -> None:
    assert meaning(item) == result


def test_a_question_knows_its_answers() -> None:
    saying = meant([FIVE_OR_NINE], House(), None)
    assert isinstance(saying, Saying)
    nine = [phrase for phrase, meant in saying.answers.items() if meant == "timer for nine minutes"]
    assert nine == ["the second one", "the second", "nine", "nine minutes"]
    assert [phrase for phrase, meant in saying.answers.items() if meant == NOTHING] == list(NO)


# ---- the answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("five", "Timer five"),
        ("Nine minutes.", "Timer nine"),
        ("the first one", "Timer five"),
        ("the second", "Timer nine"),
        ("timer for nine minutes", "Timer nine"),
        ("timer for twelve minutes", "Timer twelve"),
        ("turn off all the lights", "AllOff"),
        ("no", GIVEN_UP),
        ("never mind", "Nevermind"),
        ("yes", NO_COMMAND),
        ("twelve", NO_COMMAND),
        ("", NOT_HEARD),
    ],
)
def test_an_answer_chooses_or_gives_up_or_is_what_it_always_is(answer: str, result: str) -> None:
    assert meaning(FIVE_OR_NINE, answered(ASKED), said(answer)) == result


@pytest.mark.parametrize("answer", YES)
def test_what_is_grave_is_done_when_it_was_confirmed(answer: str) -> None:
    assert meaning(MAYBE_ALL_OFF, answered(ALL_OFF), said(answer)) == "AllOff"


@pytest.mark.parametrize(("answer", "result"), [("no", GIVEN_UP), ("five", NO_COMMAND)])
def test_what_is_grave_is_not_done_without(answer: str, result: str) -> None:
    assert meaning(MAYBE_ALL_OFF, answered(ALL_OFF), said(answer)) == result


@pytest.mark.parametrize("heard", ["Five", "Five or nine", ASKED])
def test_a_question_that_was_interrupted_was_asked(heard: str) -> None:
    assert meaning(FIVE_OR_NINE, answered(heard), said("nine")) == "Timer nine"


@pytest.mark.parametrize(
    "items",
    [
        [said("nine")],
        [FIVE_OR_NINE, said("nine")],
        [FIVE_OR_NINE, answered(""), said("nine")],
        [FIVE_OR_NINE, answered("Done"), said("nine")],
        [said("timer for five minutes"), answered(ASKED), said("nine")],
        [FIVE_OR_NINE, answered(ASKED), said("nine"), answered("Done"), said("nine")],
        [FIVE_OR_NINE, answered(ASKED), answered("Dinner!"), said("nine")],
    ],
)
def test_where_nothing_was_asked_nothing_is_answered(items: list[Item]) -> None:
    assert meaning(*items) == NO_COMMAND


def test_a_cough_and_words_of_the_system_do_not_come_between_question_and_answer() -> None:
    system = Item("", role="system", text="be brief")
    assert meaning(FIVE_OR_NINE, answered(ASKED), said(""), system, said("nine")) == "Timer nine"


# ---- an answer that is not certain either -------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (said("five", "nine"), ASKED),
        (said("five", "no"), "Did you say five, or no?"),
        (said("five", "the first one"), "Timer five"),
        (said("five", sure=False), "Timer five"),
    ],
)
def test_an_answer_may_be_asked_for_again(answer: Item, again: str) -> None:
    assert meaning(FIVE_OR_NINE, answered(ASKED), answer) == again


@pytest.mark.parametrize(("answer", "result"), [("five", "Timer five"), ("no", GIVEN_UP)])
def test_the_second_answer_counts(answer: str, result: str) -> None:
    again = "Did you say five, or no?"
    items = (FIVE_OR_NINE, answered(ASKED), said("five", "no"), answered(again), said(answer))
    assert meaning(*items) == result


def test_what_is_grave_is_not_done_by_a_yes_that_is_not_sure() -> None:
    yes = said("yes", sure=False)
    once = (MAYBE_ALL_OFF, answered(ALL_OFF), yes)
    assert meaning(*once) == ALL_OFF
    assert meaning(*once, answered(ALL_OFF), said("yes")) == "AllOff"


def test_after_two_questions_it_is_given_up() -> None:
    yes = said("yes", sure=False)
    twice = (MAYBE_ALL_OFF, answered(ALL_OFF), yes, answered(ALL_OFF), yes)
    assert meaning(*twice) == NOT_HEARD
    assert meaning(*twice, answered(NOT_HEARD), said("yes")) == NO_COMMAND


def test_talk_that_may_be_one_command_after_the_other_is_asked_about_twice() -> None:
    talk = [MAYBE_ALL_OFF, answered(ALL_OFF), FIVE_OR_NINE]
    assert meaning(*talk) == ASKED
    talk += [answered(ASKED), MAYBE_ALL_OFF]
    assert meaning(*talk) == NOT_HEARD
    talk += [answered(NOT_HEARD), MAYBE_ALL_OFF]
    assert meaning(*talk) == ALL_OFF, "and then afresh"


def test_a_long_talk_is_not_gone_through() -> None:
    house = House()
    asked = [MAYBE_ALL_OFF, answered(ALL_OFF)] * 500
    meant([*asked, MAYBE_ALL_OFF], house, None)
    assert house.understood <= LOOK_BACK
