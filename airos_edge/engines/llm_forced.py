"""A call that a model has to make, where its server can hold what it writes to a JSON schema.

llama.cpp's own `tool_choice: required` lets a model write before it calls, as long as it likes, and of a tool
that is named it takes no notice (`common_chat_tool_choice_parse_oaicompat`, common/chat.cpp). So the answer as
a whole is held to the schema of a call, and is read as one.
"""

import json
from collections.abc import Mapping
from typing import Any

from airos_edge.engines import llm_openai
from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_completion import Answer, Dialect
from airos_edge.engines.llm_conversation import CHOICES, forced, schema_of
from airos_edge.errors import EngineError
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Prompt


def must_call(prompt: Prompt) -> bool:
    return bool(prompt.tools) and forced(prompt.tool_choice) not in ("auto", "none")


def body(prompt: Prompt, settings: LlmSettings, url: str) -> dict[str, Any]:
    """All the tools are told, as always: so the server need not read them again."""
    asked = llm_openai.body(prompt, settings, url)
    name = forced(prompt.tool_choice)
    tools = [tool for tool in prompt.tools if name in CHOICES or tool["name"] == name]
    if not tools:
        raise EngineError(settings.model, f"is to call a tool {name!r} that it is not given")
    calls = [_call(tool, f"#/anyOf/{place}") for place, tool in enumerate(tools)]
    form = {"type": "json_schema", "json_schema": {"name": "call", "schema": {"anyOf": calls}}}
    return asked | {"tool_choice": "none", "response_format": form}


def _call(tool: Mapping[str, Any], path: str) -> dict[str, Any]:
    arguments = _moved(schema_of(tool), f"{path}/properties/arguments")
    return {
        "type": "object",
        "properties": {
            "name": {"const": tool["name"]},
            "arguments": {"additionalProperties": False, **arguments},
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _moved(schema: Any, path: str) -> Any:
    """The schema within a larger one: what it refers to is then at another place."""
    if isinstance(schema, list):
        return [_moved(one, path) for one in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _moved(one, path) for key, one in schema.items()}
    if isinstance(reference := moved.get("$ref"), str) and reference.startswith("#"):
        moved["$ref"] = path + reference[1:]
    return moved


def take(event: Any, answer: Answer) -> str:
    """What it writes is the call; there is nothing to say. Raises EngineError for what is none."""
    text = llm_openai.take(event, answer)
    answer.withheld += text
    answer.written += len(text)
    if answer.why == "stop" and answer.withheld:
        written, answer.withheld = answer.withheld, ""
        try:
            told = json.loads(written)
            answer.begin_call(0, new_id("call"), told["name"])
            answer.more_arguments(0, json.dumps(told["arguments"]))
        except (ValueError, KeyError, TypeError) as error:
            raise EngineError(answer.engine, f"was to call, and wrote {written[:100]!r}") from error
    return ""


FORCED = Dialect(llm_openai.OPENAI.path, llm_openai.headers, body, take)
