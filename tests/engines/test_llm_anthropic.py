"""Anthropic's messages: what a prompt becomes."""

from typing import Any

import pytest

from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_anthropic import NOTHING_ASKED, body, headers
from airos_edge.secret import Secret
from airos_edge.voice.history import Item
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
