"""Texts in parts that a voice can say."""

from hypothesis import given
from hypothesis import strategies as st

from airos_edge.engines.sherpa_parts import LONG_LETTERS, LONGEST, parts


def test_what_is_short_is_one_part() -> None:
    assert [*parts("Hello there.")] == ["Hello there."]
    assert [*parts("")] == []


def test_what_is_long_is_parted_after_a_space_or_a_mark() -> None:
    text = "a" * (LONGEST - 20) + ", " + "b" * 40 + " c"
    assert [*parts(text)] == ["a" * (LONGEST - 20) + ", ", "b" * 40 + " c"]


def test_a_word_that_is_too_long_is_parted_within() -> None:
    assert [len(part) for part in parts("a" * (LONGEST + 1))] == [LONGEST, 1]


def test_digits_and_signs_count_for_what_they_are_spoken_in() -> None:
    most = LONGEST // LONG_LETTERS
    assert [len(part) for part in parts("7" * 100)] == [most, 100 - most]
    assert [len(part) for part in parts("灯" * 100)] == [most, 100 - most]


@given(st.text(st.sampled_from("ab ,.7灯\n"), max_size=3000))
def test_joined_they_are_the_text_and_none_is_too_long(text: str) -> None:
    made = [*parts(text)]
    assert "".join(made) == text
    assert all(0 < len(part) <= LONGEST for part in made)
