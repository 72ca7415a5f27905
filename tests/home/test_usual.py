"""The answers that a house gives most often are those that it then gives."""

from datetime import datetime

import pytest

from airos_edge.home.commands import HouseCommands
from airos_edge.home.demo import demo_house
from airos_edge.home.house import House, Settings, VirtualDevices
from airos_edge.home.sentences import compile_sentences
from airos_edge.home.timers import Timers
from airos_edge.home.usual import usual_answers


async def _silent(timer: object) -> None:
    pass


def commands_of(settings: Settings, language: str = "en") -> tuple[HouseCommands, House]:
    house = House(settings, VirtualDevices(), publish=lambda event: None)
    sentences = compile_sentences(house, language)
    return HouseCommands(sentences, house, Timers(_silent), datetime.now), house


@pytest.mark.parametrize(
    "sentence",
    [
        "turn on the kitchen light",
        "turn off the coffee machine",
        "turn off all lights",
        "turn on the lights in the kitchen",
        "set the kitchen light to 20 percent",
        "set a timer for five minutes",
        "cancel the timer",
    ],
)
def test_what_is_often_asked_is_answered_so(sentence: str) -> None:
    commands, house = commands_of(demo_house("en"))
    understood = commands.understand(sentence, "kitchen")
    assert understood is not None
    assert commands.answer(understood) in usual_answers(commands, house)


def test_each_is_there_once_and_none_is_empty() -> None:
    answers = usual_answers(*commands_of(demo_house("en")))
    assert len(answers) == len(set(answers)) > 15
    assert all(answers)


def test_in_another_language_they_are_in_that_language() -> None:
    answers = usual_answers(*commands_of(demo_house("en"), "de"))
    assert "Licht eingeschaltet" in answers
    assert not [answer for answer in answers if answer.startswith("Turned")]


def test_a_house_with_nothing_in_it_knows_timers_only() -> None:
    answers = usual_answers(*commands_of(Settings()))
    assert answers[0] == "Timer cancelled"
    assert all("imer" in answer for answer in answers)
