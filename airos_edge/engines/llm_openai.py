"""Chat completions as OpenAI made them and llama.cpp, Ollama, vLLM and many others serve them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from airos_edge.engines.completion import LONGEST_ANSWER, Calls, Endpoint, complaint, open_endpoint
from airos_edge.engines.conversation import complete, schema_of
from airos_edge.engines.llm import LlmSettings
from airos_edge.errors import EngineError
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Act, Call, Done, Place, Prompt, Text


def open_llm(name: str, url: str, place: Place, settings: LlmSettings) -> "OpenAi":
    """Raises EngineUnavailable."""
    key = settings.api_key
    headers = {"Authorization": f"Bearer {key.value}"} if key else {}
    return OpenAi(open_endpoint(name, url, settings.model, place, key, headers), place, settings)


class OpenAi:
    """A model that makes one completion of a prompt; what it calls is for others to make."""

    def __init__(self, endpoint: Endpoint, place: Place, settings: LlmSettings) -> None:
        self.name = endpoint.name
        self.place = place
        self._endpoint = endpoint
        self._settings = settings

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        """Text as it comes, then the calls, then Done. Raises EngineError. Cancelling hangs up."""
        answer = _Answer(self.name)
        events = self._endpoint.events("/chat/completions", self._body(prompt))
        async with aclosing(events):
            async for event in events:
                if event is None:
                    answer.why = answer.why or "stop"
                    break
                for text in answer.take(event):
                    yield Text(text)
                if answer.size > LONGEST_ANSWER:
                    answer.why = "length"
                    break
        if answer.why is None:
            raise self._endpoint.failed("broke off in the middle of its answer")
        if answer.why != "length":
            for call in answer.calls.whole():
                yield call
        why = "max_tokens" if answer.why == "length" else "stop"
        tokens = answer.usage.get("prompt_tokens", 0), answer.usage.get("completion_tokens", 0)
        yield Done(self.name, why, input_tokens=tokens[0], output_tokens=tokens[1])

    async def aclose(self) -> None:
        await self._endpoint.aclose()

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        settings = self._settings
        body: dict[str, Any] = {
            "model": settings.model,
            "messages": messages(prompt.instructions, prompt.items),
            "stream": True,
            "stream_options": {"include_usage": True},
            _limit_of(self._endpoint.url): settings.limit(prompt.max_tokens),
        }
        if settings.temperature is not None:
            body["temperature"] = settings.temperature
        if prompt.tools:
            body["tools"] = [_tool(tool) for tool in prompt.tools]
            body["tool_choice"] = _choice(prompt.tool_choice)
        return body


class _Answer:
    """What the events have told until now."""

    def __init__(self, engine: str) -> None:
        self.why: str | None = None
        self.usage: Mapping[str, int] = {}
        self.calls = Calls(engine)
        self._engine = engine
        self._written = 0

    @property
    def size(self) -> int:
        return self._written + self.calls.size

    def take(self, event: Any) -> Sequence[str]:
        """The text in it. Raises EngineError for an error told in the middle, or for no event at all."""
        try:
            if event.get("error"):
                raise EngineError(self._engine, complaint(event["error"]))
            self.usage = event.get("usage") or self.usage
            texts = [self._choice(choice) for choice in (event.get("choices") or [])[:1]]
        except (AttributeError, KeyError, TypeError) as error:
            raise EngineError(self._engine, f"sent an event of no known form: {error}") from error
        return [text for text in texts if text]

    def _choice(self, choice: Mapping[str, Any]) -> str:
        self.why = choice.get("finish_reason") or self.why
        delta = choice.get("delta") or {}
        for piece in delta.get("tool_calls") or []:
            key, function = piece.get("index", 0), piece.get("function") or {}
            if function.get("name"):
                self.calls.begin(key, piece.get("id") or "", function["name"])
            self.calls.more(key, function.get("arguments") or "")
        text = delta.get("content") or ""
        self._written += len(text)
        return str(text)


def messages(instructions: str | None, items: Sequence[Item]) -> list[dict[str, Any]]:
    """A call joins the assistant's message before it, if there is one."""
    told: list[dict[str, Any]] = []
    if instructions:
        told.append({"role": "system", "content": instructions})
    for item in complete(items):
        if item.kind == "function_call_output":
            told.append({"role": "tool", "tool_call_id": item.call_id, "content": item.text or ""})
        elif item.kind == "message":
            told.append({"role": item.role, "content": item.text})
        else:
            if not told or told[-1]["role"] != "assistant":
                told.append({"role": "assistant", "content": None})
            function = {"name": item.name, "arguments": item.arguments or "{}"}
            call = {"id": item.call_id, "type": "function", "function": function}
            told[-1].setdefault("tool_calls", []).append(call)
    return told


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The Realtime API has the same fields one level higher."""
    function = {"name": tool["name"], "parameters": schema_of(tool)}
    if tool.get("description"):
        function["description"] = tool["description"]
    return {"type": "function", "function": function}


def _choice(choice: str | Mapping[str, Any]) -> Any:
    if isinstance(choice, str) or choice.get("type") != "function":
        return choice if isinstance(choice, str) else "auto"
    return {"type": "function", "function": {"name": choice["name"]}}


def _limit_of(url: str) -> str:
    """OpenAI's newer models refuse `max_tokens`; small servers ignore `max_completion_tokens`
    (abetlen/llama-cpp-python issue 1907, ggml-org/llama.cpp issue 13700)."""
    is_theirs = "://api.openai.com/" in f"{url}/"
    return "max_completion_tokens" if is_theirs else "max_tokens"
