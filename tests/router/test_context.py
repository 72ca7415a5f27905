"""What of a conversation is put before who is asked."""

import pytest

from airos_edge.errors import PromptError
from airos_edge.router.context import TOKENS_PER_ITEM, TOKENS_PER_PICTURE, fitted, tokens_of
from airos_edge.voice.history import Item, Part
from airos_edge.voice.ports import Prompt, Truncation

TEN = "x" * 4 * (10 - TOKENS_PER_ITEM)


def said(*ids: str, role: str = "user") -> tuple[Item, ...]:
    """Items of ten tokens each."""
    return tuple(Item(one, role=role, text=TEN) for one in ids)  # type: ignore[arg-type]


def kept(prompt: Prompt, reads_tokens: int | None) -> str:
    return "".join(item.id for item in fitted(prompt, reads_tokens, "model").items)


def cut_to(most: int, retention: float | None = 1.0) -> Truncation:
    return Truncation(retention, most)


def test_what_fits_is_left_as_it_is() -> None:
    prompt = Prompt(said("a", "b", "c"))
    assert fitted(prompt, 30, "model") is prompt
    assert fitted(prompt, None, "model") is prompt


def test_the_oldest_is_left_out_as_far_as_has_to_be() -> None:
    prompt = Prompt(said(*"abcdefgh"), truncation=Truncation(1.0))
    assert kept(prompt, 50) == "defgh"


def test_instructions_and_tools_take_their_share_but_not_of_what_a_client_allows_after_them() -> (
    None
):
    told = "x" * 4 * 20
    prompt = Prompt(said(*"abcdefgh"), instructions=told, truncation=Truncation(1.0))
    assert kept(prompt, 70) == "defgh"
    limited = Prompt(said(*"abcdefgh"), instructions=told, truncation=cut_to(50))
    assert kept(limited, 1000) == "defgh"


def test_more_than_has_to_be_is_left_out_so_that_the_beginning_stays_for_a_while() -> None:
    ids = "abcdefghijklmnopq"
    begins = [
        kept(Prompt(said(*ids[:count]), truncation=cut_to(100, 0.5)), None)[0]
        for count in range(10, 18)
    ]
    assert begins == ["a", "g", "g", "g", "g", "g", "g", "m"]


def test_the_question_and_what_came_after_it_are_never_left_out() -> None:
    call = Item("c", kind="function_call", name="f", call_id="1", arguments=TEN)
    result = Item("r", kind="function_call_output", call_id="1", text=TEN)
    prompt = Prompt((*said("a", "q"), call, result), truncation=cut_to(10, 0.0))
    assert kept(prompt, None) == "qcr"


def test_a_result_is_left_out_with_its_call() -> None:
    call = Item("c", kind="function_call", name="f", call_id="1", arguments=TEN)
    result = Item("r", kind="function_call_output", call_id="1", text=TEN)
    prompt = Prompt((*said("a"), call, result, *said("b", "q")), truncation=cut_to(35))
    assert kept(prompt, None) == "bq"


def test_where_nothing_may_be_left_out_it_fails() -> None:
    prompt = Prompt(said(*"abcdef"), truncation=Truncation(None))
    assert fitted(prompt, 60, "model") is prompt
    with pytest.raises(PromptError, match="longer than 50 tokens") as raised:
        fitted(prompt, 50, "model")
    assert raised.value.code == "context_length_exceeded"


def test_pictures_and_other_alphabets_take_more() -> None:
    assert tokens_of(Item("a", text="четыре слова")) > tokens_of(Item("a", text="four words ."))
    picture = Item("a", text="", parts=(Part("image", url="data:image/png;base64,AAAA"),))
    assert tokens_of(picture) == TOKENS_PER_ITEM + TOKENS_PER_PICTURE
