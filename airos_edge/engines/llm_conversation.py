"""The items of a conversation as the makers of models want them: no call without its result."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from airos_edge.voice.history import Item

UNSEEN = "(A picture, which you cannot see.)"
CHOICES = ("auto", "none", "required")


def complete(items: Sequence[Item]) -> Iterator[Item]:
    """What there is to read in them: messages with words, and calls, each run of them before its results.

    A call without a result is left out, since servers refuse it: it was interrupted, or waits for a yes.
    """
    results = {item.call_id: item for item in items if item.kind == "function_call_output"}
    for kind, run in groupby(items, lambda item: item.kind):
        if kind == "message":
            yield from (item for item in run if (item.text or "").strip() or item.pictures)
        elif kind == "function_call":
            calls = [item for item in run if item.call_id in results]
            yield from calls
            yield from (results[item.call_id] for item in calls)


def text_of(item: Item) -> str:
    """What a message says to who sees no pictures."""
    return "\n".join(filter(None, (item.text, *([UNSEEN] * len(item.pictures)))))


def forced(choice: str | Mapping[str, Any]) -> str:
    """`auto`, `none`, `required`, or the name of the tool that is to be called; of a server's tools, where
    none of them is named, any."""
    if isinstance(choice, str):
        return choice
    if choice.get("type") == "mcp":
        name = choice.get("name")
        return f"{choice['server_label']}__{name}" if name else "required"
    return str(choice["name"])


def arguments_of(call: Item) -> Mapping[str, Any]:
    """As an object; what a client put into its history may be none."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def schema_of(tool: Mapping[str, Any]) -> Any:
    """The parameters of a Realtime tool; one that has none takes an empty object."""
    return tool.get("parameters") or {"type": "object", "properties": {}}
