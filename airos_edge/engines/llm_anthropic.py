"""Anthropic's Messages API, streamed (https://platform.claude.com/docs/build-with-claude/streaming)."""

from collections.abc import Mapping, Sequence
from typing import Any

from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_completion import Answer, Dialect, Model, open_model
from airos_edge.engines.llm_conversation import (
    CHOICES,
    arguments_of,
    complete,
    forced,
    schema_of,
    text_of,
)
from airos_edge.engines.llm_endpoint import complaint
from airos_edge.errors import EngineError
from airos_edge.secret import Secret
from airos_edge.voice.history import Item, Part
from airos_edge.voice.ports import Place, Prompt

VERSION = "2023-06-01"
NOTHING_ASKED = "(The conversation begins.)"
"""The first message has to be the user's."""


def open_llm(name: str, url: str, place: Place, settings: LlmSettings) -> Model:
    """Sends nothing. Raises EngineUnavailable."""
    return open_model(ANTHROPIC, name, url, place, settings)


# ---- the question -------------------------------------------------------------------------------


def headers(key: Secret | None) -> Mapping[str, str]:
    return {"anthropic-version": VERSION} | ({"x-api-key": key.value} if key else {})


def body(prompt: Prompt, settings: LlmSettings, url: str) -> dict[str, Any]:
    told = [item.text for item in prompt.items if item.role == "system"]
    system = "\n\n".join(text for text in (prompt.instructions, *told) if text)
    asked: dict[str, Any] = {
        "model": settings.model,
        "messages": messages(prompt.items, settings.sees),
        "stream": True,
        "max_tokens": settings.limit(prompt.max_tokens),
    }
    if system:
        asked["system"] = system
    if settings.temperature is not None:
        asked["temperature"] = settings.temperature
    if prompt.tools:
        asked["tools"] = [_tool(tool) for tool in prompt.tools]
        asked["tool_choice"] = _choice(prompt.tool_choice, prompt.parallel_calls)
    return asked


def messages(items: Sequence[Item], sees: bool = False) -> list[dict[str, Any]]:
    """User and assistant in turn, each with all the blocks that are theirs; results are the user's."""
    told: list[dict[str, Any]] = []
    for item in complete(items):
        if item.role == "system":
            continue
        role = item.role or ("assistant" if item.kind == "function_call" else "user")
        if not told and role == "assistant":
            told.append(_message("user", [_text(NOTHING_ASKED)]))
        if told and told[-1]["role"] == role:
            told[-1]["content"] += _blocks(item, sees)
        else:
            told.append(_message(role, _blocks(item, sees)))
    return told or [_message("user", [_text(NOTHING_ASKED)])]


def _message(role: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": role, "content": blocks}


def _blocks(item: Item, sees: bool) -> list[dict[str, Any]]:
    """Pictures come before what is said of them, as Anthropic advises."""
    if item.kind == "function_call":
        arguments = arguments_of(item)
        return [{"type": "tool_use", "id": item.call_id, "name": item.name, "input": arguments}]
    if item.kind == "function_call_output":
        return [{"type": "tool_result", "tool_use_id": item.call_id, "content": item.text or ""}]
    if not item.pictures or not sees:
        return [_text(text_of(item))]
    said = [_text(item.text)] if item.text else []
    return [*map(_picture, item.pictures), *said]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _picture(picture: Part) -> dict[str, Any]:
    head, _, data = picture.url.partition(";base64,")
    kind = head.removeprefix("data:")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": tool["description"]} if tool.get("description") else {}
    return {"name": tool["name"], **described, "input_schema": schema_of(tool)}


def _choice(choice: str | Mapping[str, Any], parallel: bool) -> dict[str, Any]:
    name = forced(choice)
    if name == "none":
        return {"type": name}
    one = {} if parallel else {"disable_parallel_tool_use": True}
    if name in CHOICES:
        return {"type": {"required": "any"}.get(name, name), **one}
    return {"type": "tool", "name": name, **one}


# ---- the answer ---------------------------------------------------------------------------------


def take(event: Any, answer: Answer) -> str:
    """Raises EngineError for an error that is told in the middle of a stream, and for a refusal."""
    match event["type"]:
        case "error":
            raise EngineError(answer.engine, complaint(event["error"]))
        case "message_start":
            usage = event["message"]["usage"]
            answer.cached_tokens = usage.get("cache_read_input_tokens") or 0
            written = usage.get("cache_creation_input_tokens") or 0
            answer.input_tokens = usage["input_tokens"] + answer.cached_tokens + written
        case "content_block_start" if event["content_block"]["type"] == "tool_use":
            block = event["content_block"]
            answer.begin_call(event["index"], block["id"], block["name"])
        case "content_block_delta":
            return _delta(event["index"], event["delta"], answer)
        case "message_delta":
            answer.output_tokens = event["usage"]["output_tokens"]
            _end(event["delta"].get("stop_reason"), answer)
    return ""


def _delta(key: int, delta: Mapping[str, Any], answer: Answer) -> str:
    """Others than these two are of thinking, which is nobody's to hear."""
    if delta["type"] == "input_json_delta":
        answer.more_arguments(key, delta["partial_json"])
    return str(delta["text"]) if delta["type"] == "text_delta" else ""


def _end(reason: str | None, answer: Answer) -> None:
    if reason == "refusal" and not answer.size:
        raise EngineError(answer.engine, "refuses to answer that")
    if reason is not None:
        answer.why = "max_tokens" if reason == "max_tokens" else "stop"


ANTHROPIC = Dialect("/messages", headers, body, take)
