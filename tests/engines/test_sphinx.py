"""What the decoder listens for: the grammar's sentences, their beginnings, and that something else was said."""

from itertools import pairwise

import pytest

from airos_edge.engines.sphinx import HOUSE, WOKEN, Sphinx, open_sphinx
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.grammar import grammar_of
from tests.speech import noise, spoken

SENTENCES = ("turn on the light", "turn off the light", "what time is it", "stop")


@pytest.fixture(scope="module")
def sphinx() -> Sphinx:
    return open_sphinx(grammar_of(text.split() for text in SENTENCES), ("hey_jarvis",))


def hear(sphinx: Sphinx, sound: AudioChunk, search: str = HOUSE) -> list[str]:
    pcm = sound.pcm + noise(500).pcm
    sphinx.begin(search, pcm)
    sphinx.feed(pcm)
    sphinx.end()
    return sphinx.words()


def say(text: str) -> AudioChunk:
    return spoken(text, before_ms=300, after_ms=300)


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_is_heard_as_itself(sphinx: Sphinx, text: str) -> None:
    assert hear(sphinx, say(text)) == text.split()


def test_a_sentence_that_breaks_off_is_heard_as_far_as_it_goes(sphinx: Sphinx) -> None:
    assert hear(sphinx, say("what time is")) == ["what", "time", "is"]


@pytest.mark.parametrize("text", ["turn on the television", "she bought some flowers yesterday"])
def test_what_is_no_sentence_ends_in_other_speech(sphinx: Sphinx, text: str) -> None:
    words = hear(sphinx, say(text))
    assert words[-1].startswith("++")
    assert any(part.is_other_speech for part in sphinx.segments())


def test_silence_is_neither_words_nor_other_speech(sphinx: Sphinx) -> None:
    assert hear(sphinx, noise(1500)) == []
    assert not any(part.is_word for part in sphinx.segments())


def test_segments_follow_each_other_in_frames_of_10_ms(sphinx: Sphinx) -> None:
    hear(sphinx, say("what time is it"))
    words = [part for part in sphinx.segments() if part.is_word]
    assert [part.word for part in words] == ["what", "time", "is", "it"]
    assert all(before.end < after.start for before, after in pairwise(words))
    assert 25 < words[0].start < 45
    assert all(part.score < 0 < part.frames for part in words)


def test_with_a_wake_word_in_front_only_its_own_search_hears_the_sentence(sphinx: Sphinx) -> None:
    sound = say("hey jarvis turn off the light")
    assert hear(sphinx, sound, WOKEN) == ["turn", "off", "the", "light"]
    assert hear(sphinx, sound) != ["turn", "off", "the", "light"]


def test_a_passing_search_hears_its_own_sentences_also_of_words_never_met(sphinx: Sphinx) -> None:
    passing = sphinx.listen_for(grammar_of([("yes",), ("no",), ("the", "first", "one")]))
    assert hear(sphinx, say("yes"), passing) == ["yes"]
    again = sphinx.listen_for(grammar_of([("five", "minutes"), ("nine", "minutes")]))
    assert hear(sphinx, say("nine minutes"), again) == ["nine", "minutes"]
    assert hear(sphinx, say("stop")) == ["stop"]


def test_a_search_of_nothing_else_takes_everything_for_one_of_its_sentences(sphinx: Sphinx) -> None:
    two = grammar_of([("turn", "on", "the", "light"), ("stop",)])
    sound = say("turn on the television")
    assert hear(sphinx, sound, sphinx.listen_for(two))[-1].startswith("++")
    closed = sphinx.listen_for(two, nothing_else=True)
    assert hear(sphinx, sound, closed) == ["turn", "on", "the", "light"]


def test_an_utterance_is_heard_the_same_whatever_was_heard_before_it(sphinx: Sphinx) -> None:
    first = hear(sphinx, say("turn on the light")), sphinx.score()
    hear(sphinx, noise(2000, lsb=3000))
    hear(sphinx, spoken("what time is it", "en-gb+f4", noise_lsb=300))
    assert (hear(sphinx, say("turn on the light")), sphinx.score()) == first


def test_without_espeak_the_words_of_the_dictionary_are_still_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(word: str, accent: str) -> str:
        raise EngineUnavailable("espeak", "its library cannot be loaded")

    sound = say("stop")
    monkeypatch.setattr("airos_edge.engines.sphinx.pronounce", missing)
    assert hear(open_sphinx(grammar_of([("stop",), ("go",)])), sound) == ["stop"]


def test_what_fits_better_has_the_higher_score(sphinx: Sphinx) -> None:
    sound = say("turn off the light")
    both = grammar_of([("turn", "off", "the", "light"), ("turn", "on", "the", "light")])
    hear(sphinx, sound, sphinx.listen_for(both))
    right = sphinx.score()
    hear(sphinx, sound, sphinx.listen_for(grammar_of([("turn", "on", "the", "light")])))
    assert right > sphinx.score()
