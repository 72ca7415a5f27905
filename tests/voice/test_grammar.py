"""A grammar knows what can still come: a beginning, something that may go on, something whole."""

from itertools import product

import pytest

from airos_edge.voice.grammar import Grammar, Network, grammar_of
from airos_edge.voice.utterance import Judgement
from tests.grammars import all_sentences


def grammar(*sentences: str) -> Grammar:
    network = Network()
    for sentence in sentences:
        state = network.start
        for word in sentence.split():
            target = network.state()
            network.arc(state, word, target)
            state = target
        network.arc(state, None, network.final)
    return network.grammar()


@pytest.mark.parametrize(
    ("words", "judgement"),
    [
        ("", Judgement.PREFIX),
        ("turn on the", Judgement.PREFIX),
        ("turn on the lights", Judgement.OPEN),
        ("turn on the lights in", Judgement.PREFIX),
        ("turn on the lights in the kitchen", Judgement.COMPLETE),
        ("stop", Judgement.COMPLETE),
        ("lights", None),
        ("stop stop", None),
    ],
)
def test_words_are_judged_by_what_can_follow_them(words: str, judgement: Judgement | None) -> None:
    lights = grammar("turn on the lights", "turn on the lights in the kitchen", "stop")
    assert lights.judge(words.split()) is judgement


def test_it_says_what_was_put_in_and_nothing_else() -> None:
    given = {"a", "a b", "b a c", "b b c", "c a c", "c b c"}
    built = grammar(*given)
    assert set(all_sentences(built)) == given
    assert built.words == {"a", "b", "c"}


def test_it_is_deterministic_and_no_larger_than_it_must_be() -> None:
    many = [" ".join(words) for words in product("abc", "def", "ghi")]
    built = grammar(*many)
    assert len(built.arcs) == 4, "one state before each word, and one after the last"
    assert built.finals == {3}
    assert sorted(all_sentences(built)) == many


def test_ways_without_a_word_are_followed_wherever_they_lie() -> None:
    network = Network()
    begin, middle, end = network.state(), network.state(), network.state()
    network.arc(network.start, "please", begin)
    network.arc(network.start, None, begin)
    network.arc(begin, "go", middle)
    network.arc(middle, None, end)
    network.arc(middle, "now", end)
    network.arc(end, None, network.final)
    assert set(all_sentences(network.grammar())) == {"go", "go now", "please go", "please go now"}


def test_a_grammar_of_nothing_says_nothing() -> None:
    nothing = Network().grammar()
    assert list(all_sentences(nothing)) == []
    assert nothing.judge([]) is Judgement.PREFIX
    assert nothing.judge(["stop"]) is None


def test_neighbours_are_the_sentences_that_differ_in_one_word() -> None:
    known = grammar("light on", "light off", "the light on", "lamp off", "on", "light on now")
    assert set(known.neighbours(["light", "on"])) == {
        ("light", "off"),
        ("the", "light", "on"),
        ("on",),
        ("light", "on", "now"),
    }


def test_a_grammar_of_sentences_accepts_them_and_no_other() -> None:
    known = grammar_of([("stop",), ("stop", "it")])
    assert known.judge(["stop"]) is Judgement.OPEN
    assert known.judge(["stop", "it"]) is Judgement.COMPLETE
    assert known.judge(["it"]) is None
