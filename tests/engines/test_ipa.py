"""How a text sounds, as voices that were made with espeak-ng have learned it."""

import pytest

from airos_edge.engines.ipa import ipa
from airos_edge.errors import EngineError


@pytest.mark.parametrize(
    ("text", "voice", "sounds"),
    [
        ("Hello there, you.", "en-us", ["həlˈoʊ ðˈɛɹ, juː."]),
        ("Okay! Who? Me", "en-us", ["oʊkˈeɪ!", "hˈuː?", "mˌiː"]),
        ("Guten Tag.", "de", ["ɡˈuːtən tˈɑːk."]),
        ("你好，灯。", "cmn", ["ni2χˈɑu2, tˈə1ŋ."]),
        ("…", "en-us", []),
        ("", "en-us", []),
    ],
)
def test_each_sentence_comes_with_its_marks(text: str, voice: str, sounds: list[str]) -> None:
    assert [_plain(sentence) for sentence in ipa(text, voice)] == [_plain(one) for one in sounds]


def _plain(sounds: str) -> str:
    """What of it does not depend on espeak-ng's version: letters that are not stressed, and marks."""
    return "".join(letter for letter in sounds if letter in "bdfghklmnpstzχɡŋð,.!? ")


@pytest.mark.parametrize(("text", "marks"), [("It is 10:30.", "."), ("3.5 degrees!", "!")])
def test_a_mark_within_a_number_ends_nothing(text: str, marks: str) -> None:
    (sentence,) = ipa(text, "en-us")
    assert "".join(letter for letter in sentence if letter in ",.:;!?") == marks


def test_accents_are_letters_of_their_own() -> None:
    (sentence,) = ipa("bon", "fr")
    assert "\u0303" in sentence, "the tilde of a nasal"


def test_words_of_another_language_are_said_without_a_word_about_it() -> None:
    assert "(" not in "".join(ipa("Das Update ist da", "de"))


def test_a_voice_that_there_is_not_is_refused() -> None:
    with pytest.raises(EngineError, match="there is no voice 'xx'"):
        ipa("hello", "xx")
