"""How it is asked which was said, and how that may be answered."""

import pytest

from airos_edge.router.wording import as_question, names_of, plain, which
from tests.phrases import SAYS


@pytest.mark.parametrize(
    ("question", "sentences"),
    [
        (
            "Five or nine minutes?",
            ["set a timer for five minutes", "set a timer for nine minutes"],
        ),
        (
            "Five, nine or fifteen minutes?",
            [f"set a timer for {number} minutes" for number in ("five", "nine", "fifteen")],
        ),
        (
            "Twenty five or twenty nine minutes?",
            ["set a timer for twenty five minutes", "set a timer for twenty nine minutes"],
        ),
        (
            "Forty five or sixty five percent?",
            ["set the lamp to forty five percent", "set the lamp to sixty five percent"],
        ),
        (
            "One minute or nine minutes?",
            ["set a timer for one minute", "set a timer for nine minutes"],
        ),
        (
            "Nine minutes or nine minutes and ten seconds?",
            ["set a timer for nine minutes", "set a timer for nine minutes and ten seconds"],
        ),
        ("Five or nine minute?", ["set a five minute timer", "set a nine minute timer"]),
        ("On or off?", ["turn on the kitchen light", "turn off the kitchen light"]),
        ("On or off?", ["turn the fan on", "turn the fan off"]),
        ("Fan or lamp?", ["turn the fan on", "turn the lamp on"]),
        ("Fan or light?", ["turn on the bedroom fan", "turn on the bedroom light"]),
        ("Bedroom or desk lamp?", ["turn on the bedroom lamp", "turn on the desk lamp"]),
        (
            "Did you say turn on the lights, or turn on the kitchen lights?",
            ["turn on the lights", "turn on the kitchen lights"],
        ),
        (
            "Did you say turn on the bedroom lamp, or turn off the desk lamp?",
            ["turn on the bedroom lamp", "turn off the desk lamp"],
        ),
        (
            "Did you say cancel the timer, or cancel all timers?",
            ["cancel the timer", "cancel all timers"],
        ),
        ("Did you say stop, what time is it, or yes?", ["stop", "what time is it", "yes"]),
        ("Did you say is the fan on, or turn the fan on?", ["is the fan on", "turn the fan on"]),
    ],
)
def test_it_is_asked_for_what_differs_or_for_the_whole(question: str, sentences: list[str]) -> None:
    assert which(sentences, SAYS) == question


@pytest.mark.parametrize(
    ("sentences", "first", "second"),
    [
        (
            ["set a timer for five minutes", "set a timer for nine minutes"],
            ["five", "five minutes"],
            ["nine", "nine minutes"],
        ),
        (
            ["set a timer for one minute", "set a timer for nine minutes"],
            ["one minute", "one"],
            ["nine minutes", "nine"],
        ),
        (
            ["set a timer for nine minutes", "set a timer for nine hours"],
            ["nine minutes"],
            ["nine hours"],
        ),
        (
            ["set a timer for nine minutes", "set a timer for nine minutes and ten seconds"],
            ["nine minutes"],
            ["nine minutes and ten seconds"],
        ),
        (
            ["turn on the bedroom lamp", "turn on the desk lamp"],
            ["bedroom", "bedroom lamp", "the bedroom", "the bedroom lamp"],
            ["desk", "desk lamp", "the desk", "the desk lamp"],
        ),
        (["turn on the fan", "turn off the fan"], ["on"], ["off"]),
        (["turn on the lights", "turn on the kitchen lights"], [], []),
    ],
)
def test_each_is_named_by_what_is_its_own_and_by_its_place(
    sentences: list[str], first: list[str], second: list[str]
) -> None:
    assert names_of(sentences, SAYS) == [
        ["the first one", "the first", *first],
        ["the second one", "the second", *second],
    ]


def test_a_sentence_as_a_question() -> None:
    assert as_question("turn off all the lights", SAYS) == "Turn off all the lights?"
    assert as_question("Turn off all the lights.", SAYS) == "Turn off all the lights?"


def test_phrases_are_compared_without_case_and_punctuation() -> None:
    assert plain(" The first one, please! ") == "the first one please"
