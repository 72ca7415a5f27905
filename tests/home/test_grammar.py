"""Templates compiled to a grammar: the words that a sentence may have, and no others."""

from itertools import islice
from typing import Any

from hassil.intents import Intents, TextSlotList

from airos_edge.home.grammar import COURTESIES, compile_grammar
from airos_edge.voice.grammar import Grammar
from tests.grammars import all_sentences


def compiled(*templates: str, rules: dict[str, str] | None = None, **block: Any) -> Grammar:
    intents = Intents.from_dict(
        {
            "language": "en",
            "intents": {"Test": {"data": [{"sentences": list(templates), **block}]}},
            "expansion_rules": rules or {},
            "lists": {
                "count": {"range": {"from": 19, "to": 21}},
                "anything": {"wildcard": True},
            },
        }
    )
    names = [
        ("desk lamp", "desk lamp", {"domain": "light"}),
        ("TV-2", "TV-2", {"domain": "switch"}),
        ("fan", "fan", {"domain": "fan"}),
    ]
    lists = {"name": TextSlotList.from_tuples(names, allow_template=False, name="name")}
    return compile_grammar(intents, lists)


def sentences(*templates: str, **more: Any) -> set[str]:
    """Those that begin without a courtesy."""
    grammar = compiled(*templates, **more)
    return {
        sentence
        for sentence in islice(all_sentences(grammar), 1000)
        if not sentence.startswith(COURTESIES)
    }


def test_optional_parts_alternatives_and_rules_are_spelled_out() -> None:
    found = sentences("<turn> on [the] (lamp|light)", rules={"turn": "(turn|switch)"})
    assert found == {
        f"{turn} on {the}{lamp}"
        for turn in ("turn", "switch")
        for the in ("", "the ")
        for lamp in ("lamp", "light")
    }


def test_characters_that_are_optional_make_whole_words() -> None:
    assert sentences("light[s] out") == {"light out", "lights out"}
    assert sentences("never[ ]mind") == {"never mind", "nevermind"}


def test_parts_in_any_order_are_said_in_each() -> None:
    assert sentences("turn (on;the lamp)") == {"turn on the lamp", "turn the lamp on"}


def test_punctuation_and_capitals_are_not_spoken() -> None:
    assert sentences("What's on, please?") == {"what's on please"}


def test_numbers_are_spoken_as_words_and_a_percent_sign_not_at_all() -> None:
    assert sentences("to {count}[%| percent]") == {
        f"to {number}{percent}"
        for number in ("nineteen", "twenty", "twenty one")
        for percent in ("", " percent")
    }


def test_names_are_those_that_the_block_is_about() -> None:
    assert sentences("dim {name}", requires_context={"domain": ["light", "fan"]}) == {
        "dim desk lamp",
        "dim fan",
    }
    assert sentences("dim {name}", requires_context={"domain": "fan"}) == {"dim fan"}


def test_a_name_that_is_no_words_is_left_out_and_its_neighbours_are_not() -> None:
    assert sentences("dim {name}") == {"dim desk lamp", "dim fan"}


def test_of_a_list_of_anything_nothing_can_be_listened_for() -> None:
    assert sentences("play {anything}", "stop") == {"stop"}


def test_a_courtesy_may_come_before_every_sentence() -> None:
    grammar = compiled("stop")
    assert set(all_sentences(grammar)) == {
        "stop",
        "please stop",
        "can you stop",
        "could you stop",
    }
