"""Anthropic's Messages API, streamed (https://platform.claude.com/docs/build-with-claude/streaming)."""

from collections.abc import Mapping, Sequence
from typing import Any

from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_completion import Answer, Dialect, Model, open_model
from airos_edge.engines.llm_conversation import arguments_of, complete, schema_of
from airos_edge.engines.llm_endpoint import complaint
from airos_edge.errors import EngineError
from airos_edge.secret import Secret
from airos_edge.voice.history import Item
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
        "messages": messages(prompt.items),
        "stream": True,
        "max_tokens": settings.limit(prompt.max_tokens),
    }
    if system:
        asked["system"] = system
    if settings.temperature is not None:
        asked["temperature"] = settings.temperature
    if prompt.tools:
        asked["tools"] = [_tool(tool) for tool in prompt.tools]
        asked["tool_choice"] = _choice(prompt.tool_choice)
    return asked


def messages(items: Sequence[Item]) -> list[dict[str, Any]]:
    """User and assistant in turn, each with all the blocks that are theirs; results are the user's."""
    told: list[dict[str, Any]] = []
    for item in complete(items):
        if item.role == "system":
            continue
        role = item.role or ("assistant" if item.kind == "function_call" else "user")
        if not told and role == "assistant":
            told.append(_message("user", {"type": "text", "text": NOTHING_ASKED}))
        if told and told[-1]["role"] == role:
            told[-1]["content"].append(_block(item))
        else:
            told.append(_message(role, _block(item)))
    return told or [_message("user", {"type": "text", "text": NOTHING_ASKED})]


def _message(role: str, block: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": [block]}


def _block(item: Item) -> dict[str, Any]:
    if item.kind == "function_call":
        arguments = arguments_of(item)
        return {"type": "tool_use", "id": item.call_id, "name": item.name, "input": arguments}
    if item.kind == "function_call_output":
        return {"type": "tool_result", "tool_use_id": item.call_id, "content": item.text or ""}
    return {"type": "text", "text": item.text}


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": tool["description"]} if tool.get("description") else {}
    return {"name": tool["name"], **described, "input_schema": schema_of(tool)}


def _choice(choice: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(choice, str):
        return {"type": {"required": "any"}.get(choice, choice)}
    if choice.get("type") != "function":
        return {"type": "auto"}
    return {"type": "tool", "name": choice["name"]}


# ---- the answer ---------------------------------------------------------------------------------


def take(event: Any, answer: Answer) -> str:
    """Raises EngineError for an error that is told in the middle of a stream, and for a refusal."""
    match event["type"]:
        case "error":
            raise EngineError(answer.engine, complaint(event["error"]))
        case "message_start":
            answer.input_tokens = event["message"]["usage"]["input_tokens"]
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
