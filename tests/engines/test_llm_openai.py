"""Chat completions: what a prompt becomes."""

from typing import Any

import pytest

from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_completion import Answer
from airos_edge.engines.llm_conversation import UNSEEN
from airos_edge.engines.llm_openai import body, headers, messages, take
from airos_edge.secret import Secret
from airos_edge.voice.history import Item, Part
from airos_edge.voice.ports import Prompt

TALK = (
    Item("1", role="system", text="Be kind."),
    Item("2", role="user", text="lamp on", spoken=True),
    Item("3", role="assistant", text="One moment."),
    Item("4", kind="function_call", name="lamp", call_id="c1", arguments='{"on": true}'),
    Item("5", kind="function_call", name="fan", call_id="c2"),
    Item("6", kind="function_call_output", call_id="c1", text="on"),
    Item("7", kind="function_call_output", call_id="c2", text="off"),
    Item("8", role="user", text="thanks"),
)
TOOL = {
    "type": "function",
    "name": "lamp",
    "description": "The lamp.",
    "parameters": {"type": "object"},
}
URL = "http://127.0.0.1:8080/v1"


def asked(prompt: Prompt, url: str = URL) -> dict[str, Any]:
    return body(prompt, LlmSettings(model="tiny", max_tokens=50), url)


def test_a_conversation_becomes_messages_and_calls_join_what_was_said_before_them() -> None:
    lamp = {"name": "lamp", "arguments": '{"on": true}'}
    fan = {"name": "fan", "arguments": "{}"}
    assert messages("Be brief.", TALK) == [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "lamp on"},
        {
            "role": "assistant",
            "content": "One moment.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": lamp},
                {"id": "c2", "type": "function", "function": fan},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "on"},
        {"role": "tool", "tool_call_id": "c2", "content": "off"},
        {"role": "user", "content": "thanks"},
    ]


def test_a_call_of_which_nothing_was_said_is_a_message_of_its_own() -> None:
    told = messages(None, TALK[3:4] + TALK[5:6])
    assert [message["role"] for message in told] == ["assistant", "tool"]
    assert told[0]["content"] is None


def test_tools_and_their_choice() -> None:
    request = asked(Prompt(tools=(TOOL, {"type": "function", "name": "fan"})))
    assert request["tool_choice"] == "auto"
    lamp = {"name": "lamp", "description": "The lamp.", "parameters": {"type": "object"}}
    fan = {"name": "fan", "parameters": {"type": "object", "properties": {}}}
    assert [tool["function"] for tool in request["tools"]] == [lamp, fan]
    chosen = asked(Prompt(tools=(TOOL,), tool_choice={"type": "function", "name": "lamp"}))
    assert chosen["tool_choice"] == {"type": "function", "function": {"name": "lamp"}}
    assert "tools" not in asked(Prompt())


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "max_tokens"),
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://api.openai.com.example.org/v1", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_server_knows(url: str, name: str) -> None:
    assert asked(Prompt(), url)[name] == 50


def test_the_key_is_a_bearers() -> None:
    assert headers(Secret("sk")) == {"Authorization": "Bearer sk"}
    assert headers(None) == {}


# ---- pictures, and one call at a time -----------------------------------------------------------

PICTURE = Part("image", url="data:image/png;base64,AAAA", detail="low")
SHOWN = Item("1", role="user", text="what is this", parts=(Part("text", "what is this"), PICTURE))


def test_a_model_that_sees_is_shown_the_picture() -> None:
    shown = {"type": "image_url", "image_url": {"url": PICTURE.url, "detail": "low"}}
    assert messages(None, (SHOWN,), sees=True)[0]["content"] == [
        {"type": "text", "text": "what is this"},
        shown,
    ]
    alone = Item("1", role="user", text="", parts=(PICTURE,))
    assert messages(None, (alone,), sees=True)[0]["content"] == [shown]


def test_another_is_told_that_there_was_one() -> None:
    assert messages(None, (SHOWN,)) == [{"role": "user", "content": f"what is this\n{UNSEEN}"}]


def test_one_call_at_a_time_is_asked_for_where_it_is_wanted() -> None:
    one = Prompt(TALK, tools=(TOOL,), parallel_calls=False)
    assert asked(one)["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in asked(Prompt(TALK, tools=(TOOL,)))
    assert "parallel_tool_calls" not in asked(Prompt(TALK, parallel_calls=False))


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ({"type": "mcp", "server_label": "files"}, "required"),
        (
            {"type": "mcp", "server_label": "files", "name": "read"},
            {"type": "function", "function": {"name": "files__read"}},
        ),
    ],
)
def test_a_servers_tool_may_be_what_has_to_be_called(choice: Any, theirs: Any) -> None:
    assert asked(Prompt(TALK, tools=(TOOL,), tool_choice=choice))["tool_choice"] == theirs


def test_what_it_took_is_noted_and_what_of_it_was_known() -> None:
    answer = Answer("tiny")
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 64},
    }
    take({"choices": [], "usage": usage}, answer)
    assert (answer.input_tokens, answer.output_tokens, answer.cached_tokens) == (100, 7, 64)
    take({"usage": {"prompt_tokens": 100, "prompt_tokens_details": None}}, answer)
    assert answer.cached_tokens == 0
