"""How a word sounds that no dictionary has, in the letters of the CMU dictionary."""

import pytest

from airos_edge.engines import locate
from airos_edge.engines.pronounce import PHONES, pronounce
from airos_edge.engines.sphinx import DICTIONARY


@pytest.fixture(scope="module")
def dictionary() -> dict[str, str]:
    path = locate(DICTIONARY)
    assert path is not None
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("zigbee", "Z IH G B IY"),
        ("lampe", "L AE M P"),
        ("wohnzimmer", "W OW N Z IH M ER"),
        ("küche", "K UW CH"),
        ("wifi", "W AY F AY"),
        ("tom's", "T AA M Z"),
    ],
)
def test_a_name_is_pronounced_as_an_american_would_read_it(word: str, phones: str) -> None:
    assert pronounce(word) == phones


@pytest.mark.parametrize("word", ["kitchen", "light", "bedroom", "turn", "fifty", "switch", "fan"])
def test_an_english_word_sounds_as_the_dictionary_has_it(
    word: str, dictionary: dict[str, str]
) -> None:
    assert pronounce(word) == dictionary[word]


def test_every_phone_is_one_that_the_recogniser_knows(dictionary: dict[str, str]) -> None:
    known = {phone for phones in dictionary.values() for phone in phones.split()}
    assert {phone for phones in PHONES.values() for phone in phones.split()} <= known


def test_most_consonants_and_vowels_of_common_words_are_found(dictionary: dict[str, str]) -> None:
    words = [word for word in dictionary if word.isalpha()][::500]
    lengths = [abs(len(pronounce(word).split()) - len(dictionary[word].split())) for word in words]
    assert len(words) > 200
    assert sum(length > 1 for length in lengths) < 0.05 * len(words)


def test_what_has_no_sound_has_no_phones() -> None:
    assert pronounce("'") == ""
