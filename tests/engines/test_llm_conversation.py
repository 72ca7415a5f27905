"""The items of a conversation, with no call that servers would refuse."""

from airos_edge.engines.llm_conversation import arguments_of, complete
from airos_edge.voice.history import Item


def said(role: str, text: str | None) -> Item:
    return Item(f"{role}_{text}", role=role, text=text)  # type: ignore[arg-type]


def call(call_id: str, arguments: str = "{}") -> Item:
    return Item(
        f"of_{call_id}", kind="function_call", name="f", call_id=call_id, arguments=arguments
    )


def result(call_id: str) -> Item:
    return Item(f"to_{call_id}", kind="function_call_output", call_id=call_id, text="done")


def test_messages_without_words_are_left_out() -> None:
    asked = said("user", "hello")
    assert list(complete([said("user", None), said("assistant", " "), asked])) == [asked]


def test_calls_made_together_come_before_their_results() -> None:
    items = [call("a"), call("b"), result("b"), result("a")]
    assert list(complete(items)) == [call("a"), call("b"), result("a"), result("b")]


def test_a_result_follows_its_call_whatever_was_said_between() -> None:
    items = [call("a"), said("user", "well?"), result("a")]
    assert list(complete(items)) == [call("a"), result("a"), said("user", "well?")]


def test_a_call_without_a_result_and_a_result_without_a_call_are_left_out() -> None:
    yes = said("user", "yes")
    assert list(complete([call("a"), yes, result("b")])) == [yes]


def test_arguments_that_are_none_are_an_empty_object() -> None:
    assert arguments_of(call("a", '{"on": true}')) == {"on": True}
    assert arguments_of(call("a", "[1]")) == arguments_of(call("a", "{on")) == {}
