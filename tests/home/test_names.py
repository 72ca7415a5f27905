"""How names and numbers are said."""

import pytest

from airos_edge.home.names import can_be_said, forms, number_words, said


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("Kitchen Light", "kitchen light"),
        ("TV-2", "tv two"),
        ("TV2", "tv two"),
        ("lamp 15", "lamp fifteen"),
        ("lamp 007", "lamp zero zero seven"),
        ("room 101", "room one zero one"),
        ("2nd floor", "second floor"),
        ("Tom’s kids' lamp", "tom's kids lamp"),
        ("A/C & heating", "a c and heating"),
        ("Ku\u0308che", "küche"),
        ("  LED_strip (hall) ", "led strip hall"),
        ("🙂!", ""),
    ],
)
def test_a_name_is_said_in_words(name: str, spoken: str) -> None:
    assert said(name) == spoken


def test_a_name_has_the_forms_that_are_written_and_the_one_that_is_said() -> None:
    assert forms("TV-2") == ("TV-2", "tv 2", "tv two")
    assert forms("lamp") == ("lamp",)


def test_what_has_no_latin_letters_cannot_be_said() -> None:
    assert can_be_said("Küche 2")
    assert not can_be_said("卧室灯")
    assert not can_be_said("лампа")
    assert not can_be_said("!")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (20, "twenty"),
        (42, "forty two"),
        (100, "one hundred"),
        (317, "three hundred seventeen"),
        (-5, "minus five"),
    ],
)
def test_numbers_are_spoken_without_hyphens(number: int, words: str) -> None:
    assert number_words(number) == words
