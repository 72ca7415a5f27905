"""Anthropic's messages: what a prompt becomes."""

from typing import Any

import pytest

from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_anthropic import NOTHING_ASKED, body, headers, messages, take
from airos_edge.engines.llm_completion import Answer
from airos_edge.engines.llm_conversation import UNSEEN
from airos_edge.secret import Secret
from airos_edge.voice.history import Item, Part
from airos_edge.voice.ports import Prompt
from tests.engines.test_llm_openai import TALK, TOOL, URL


def asked(prompt: Prompt) -> dict[str, Any]:
    return body(prompt, LlmSettings(model="tiny", max_tokens=50), URL)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def test_a_conversation_becomes_turns_of_blocks() -> None:
    request = asked(Prompt(TALK, instructions="Be brief."))
    assert request["system"] == "Be brief.\n\nBe kind."
    assert request["messages"] == [
        {"role": "user", "content": [text("lamp on")]},
        {
            "role": "assistant",
            "content": [
                text("One moment."),
                {"type": "tool_use", "id": "c1", "name": "lamp", "input": {"on": True}},
                {"type": "tool_use", "id": "c2", "name": "fan", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "on"},
                {"type": "tool_result", "tool_use_id": "c2", "content": "off"},
                text("thanks"),
            ],
        },
    ]


def test_the_user_has_the_first_word_even_where_nothing_was_asked() -> None:
    assert asked(Prompt())["messages"] == [{"role": "user", "content": [text(NOTHING_ASKED)]}]
    greeted = asked(Prompt((Item("1", role="assistant", text="Hello."),)))["messages"]
    assert [message["role"] for message in greeted] == ["user", "assistant"]
    assert "system" not in asked(Prompt())


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "name": "lamp"}, {"type": "tool", "name": "lamp"}),
    ],
)
def test_tools_and_their_choice(choice: Any, theirs: dict[str, str]) -> None:
    request = asked(Prompt(tools=(TOOL,), tool_choice=choice))
    assert request["tool_choice"] == theirs
    described = {"name": "lamp", "description": "The lamp.", "input_schema": {"type": "object"}}
    assert request["tools"] == [described]


def test_the_key_and_the_version_are_headers() -> None:
    assert headers(Secret("sk")) == {"x-api-key": "sk", "anthropic-version": "2023-06-01"}
    assert headers(None) == {"anthropic-version": "2023-06-01"}


# ---- pictures, and one call at a time -----------------------------------------------------------

PICTURE = Part("image", url="data:image/webp;base64,AAAA")
SHOWN = Item("1", role="user", text="what is this", parts=(Part("text", "what is this"), PICTURE))


def test_a_model_that_sees_is_shown_the_picture_before_the_words() -> None:
    source = {"type": "base64", "media_type": "image/webp", "data": "AAAA"}
    assert messages((SHOWN,), sees=True)[0]["content"] == [
        {"type": "image", "source": source},
        {"type": "text", "text": "what is this"},
    ]


def test_another_is_told_that_there_was_one() -> None:
    assert messages((SHOWN,))[0]["content"] == [{"type": "text", "text": f"what is this\n{UNSEEN}"}]


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("auto", {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_one_call_at_a_time_is_part_of_the_choice(choice: str, theirs: Any) -> None:
    prompt = Prompt((SHOWN,), tools=({"name": "lamp"},), tool_choice=choice, parallel_calls=False)
    asked = body(prompt, LlmSettings(model="tiny"), "")
    assert asked["tool_choice"] == theirs


def test_what_was_read_before_is_part_of_what_was_read() -> None:
    answer = Answer("tiny")
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 64,
        "cache_creation_input_tokens": 26,
    }
    take({"type": "message_start", "message": {"usage": usage}}, answer)
    assert (answer.input_tokens, answer.cached_tokens) == (100, 64)
