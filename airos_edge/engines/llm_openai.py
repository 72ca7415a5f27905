"""Chat completions as OpenAI made them and llama.cpp, Ollama, vLLM and many others serve them."""

from collections.abc import Mapping, Sequence
from typing import Any

from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_completion import Answer, Dialect, Model, open_model
from airos_edge.engines.llm_conversation import CHOICES, complete, forced, schema_of, text_of
from airos_edge.engines.llm_endpoint import complaint
from airos_edge.errors import EngineError
from airos_edge.secret import Secret
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Place, Prompt

THINK, END_OF_THOUGHT = "<think>", "</think>"


def open_llm(name: str, url: str, place: Place, settings: LlmSettings) -> Model:
    """Sends nothing. Raises EngineUnavailable."""
    return open_model(OPENAI, name, url, place, settings)


# ---- the question -------------------------------------------------------------------------------


def headers(key: Secret | None) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key.value}"} if key else {}


def body(prompt: Prompt, settings: LlmSettings, url: str) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "model": settings.model,
        "messages": messages(prompt.instructions, prompt.items, settings.sees),
        "stream": True,
        "stream_options": {"include_usage": True},
        _limit_of(url): settings.limit(prompt.max_tokens),
    }
    if settings.temperature is not None:
        asked["temperature"] = settings.temperature
    if prompt.tools:
        asked["tools"] = [_tool(tool) for tool in prompt.tools]
        asked["tool_choice"] = _choice(prompt.tool_choice)
        if not prompt.parallel_calls:
            asked["parallel_tool_calls"] = False
    return asked


def messages(
    instructions: str | None, items: Sequence[Item], sees: bool = False
) -> list[dict[str, Any]]:
    """A call joins the assistant's message before it, if there is one."""
    told: list[dict[str, Any]] = []
    if instructions:
        told.append({"role": "system", "content": instructions})
    for item in complete(items):
        if item.kind == "function_call_output":
            told.append({"role": "tool", "tool_call_id": item.call_id, "content": item.text or ""})
        elif item.kind == "message":
            told.append({"role": item.role, "content": _content(item, sees)})
        else:
            if not told or told[-1]["role"] != "assistant":
                told.append({"role": "assistant", "content": None})
            function = {"name": item.name, "arguments": item.arguments or "{}"}
            call = {"id": item.call_id, "type": "function", "function": function}
            told[-1].setdefault("tool_calls", []).append(call)
    return told


def _content(item: Item, sees: bool) -> Any:
    if not item.pictures or not sees:
        return text_of(item)
    said = [{"type": "text", "text": item.text}] if item.text else []
    shown = [
        {"type": "image_url", "image_url": {"url": picture.url, "detail": picture.detail}}
        for picture in item.pictures
    ]
    return [*said, *shown]


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The Realtime API has the same fields one level higher."""
    described = {"description": tool["description"]} if tool.get("description") else {}
    function = {"name": tool["name"], **described, "parameters": schema_of(tool)}
    return {"type": "function", "function": function}


def _choice(choice: str | Mapping[str, Any]) -> Any:
    name = forced(choice)
    return name if name in CHOICES else {"type": "function", "function": {"name": name}}


def _limit_of(url: str) -> str:
    """OpenAI's newer models refuse `max_tokens`; small servers ignore `max_completion_tokens`
    (abetlen/llama-cpp-python issue 1907, ggml-org/llama.cpp issue 13700)."""
    is_theirs = "://api.openai.com/" in f"{url}/"
    return "max_completion_tokens" if is_theirs else "max_tokens"


# ---- the answer ---------------------------------------------------------------------------------


def take(event: Any, answer: Answer) -> str:
    """Raises EngineError for an error that is told in the middle of a stream."""
    if event.get("error"):
        raise EngineError(answer.engine, complaint(event["error"]))
    if event.get("usage"):
        answer.input_tokens = event["usage"].get("prompt_tokens", 0)
        answer.output_tokens = event["usage"].get("completion_tokens", 0)
        details = event["usage"].get("prompt_tokens_details") or {}
        answer.cached_tokens = details.get("cached_tokens") or 0
    if not event.get("choices"):
        return ""
    choice = event["choices"][0]
    delta = choice.get("delta") or {}
    for piece in delta.get("tool_calls") or []:
        key, function = piece.get("index", 0), piece.get("function") or {}
        if function.get("name"):
            answer.begin_call(key, piece.get("id") or "", function["name"])
        answer.more_arguments(key, function.get("arguments") or "")
    if choice.get("finish_reason"):
        answer.why = "max_tokens" if choice["finish_reason"] == "length" else "stop"
    return _without_thoughts(str(delta.get("content") or ""), answer)


def _without_thoughts(text: str, answer: Answer) -> str:
    """Some servers leave them in the text, at its beginning, between two tags. The first is a token of its
    own; pieces may hold more than a token, and cut the second."""
    if answer.thought is None:
        if answer.written or not text.lstrip().startswith(THINK):
            return text if answer.written else text.lstrip()
        answer.thought = ""
    thought, end, said = (answer.thought + text).partition(END_OF_THOUGHT)
    answer.thought = None if end else thought[-len(END_OF_THOUGHT) :]
    return said.lstrip()


OPENAI = Dialect("/chat/completions", headers, body, take)
