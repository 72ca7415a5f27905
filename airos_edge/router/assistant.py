"""What a model is told of the box that it speaks for, and the way out that it is offered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airos_edge.voice.ports import Prompt


@dataclass(frozen=True, slots=True)
class Settings:
    """The `assistant` section."""

    instructions: str | None = None
    """What models are told of who they are; None: `USUAL`. A Realtime client may tell them otherwise."""


USUAL = (
    "You are {name}, the voice assistant of a house. What you write is spoken aloud: answer in one or two "
    "short sentences of plain words, without Markdown, lists, links and emoji, and say more only if you "
    "are asked for it. Answer in the language of the question; where that is unclear, in '{language}'."
)
"""There is no time of day in it: a server need not read again what it has read the last time."""

ESCALATE = "escalate"
ESCALATE_TOOL: Mapping[str, Any] = {
    "type": "function",
    "name": ESCALATE,
    "description": "Call this, and say nothing, if you cannot answer the question or do what is asked: "
    "somebody who knows more is then asked instead of you.",
    "parameters": {"type": "object", "properties": {}},
}


def instructions(settings: Settings, name: str, language: str) -> str:
    return settings.instructions or USUAL.format(name=name, language=language)


def may_escalate(prompt: Prompt) -> bool:
    """Whether another may be asked instead: who is asked alone has to answer as well as it can."""
    return any(tool.get("name") == ESCALATE for tool in prompt.tools)
