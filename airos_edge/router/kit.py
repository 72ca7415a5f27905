"""The tools that a model may use for one reply: the client's, the box's own, and the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airos_edge.errors import EngineError
from airos_edge.tools.toolbox import Tool, Toolbox
from airos_edge.voice.ports import ESCALATE, Act, Call, Place, Prompt

MOST_ROUNDS = 8
"""How often a model may call tools of ours before it has to answer with what it knows."""

ESCALATE_TOOL: Mapping[str, Any] = {
    "type": "function",
    "name": ESCALATE,
    "description": "Call this, and say nothing, if you cannot answer the question or do what is asked: "
    "somebody who knows more is then asked instead of you.",
    "parameters": {"type": "object", "properties": {}},
}


class Escalated(Exception):
    """A tier wants the next one to be asked."""


class NoTools:
    """The toolbox of a box that has none."""

    async def offered(self, reach: Place) -> Sequence[Tool]:
        return ()

    def needs_yes(self, call: Call) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Sorted:
    """The calls of a completion: those that are made, and those at which the reply ends, as they are the
    client's, or wait for a yes. Of the latter only the first: one question at a time."""

    mine: Sequence[Call]
    ending: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Kit:
    """Make it with `kit_for`. A client's tool comes before one of ours that has its name."""

    prompt: Prompt
    ours: Mapping[str, Tool]
    toolbox: Toolbox
    is_last: bool
    """Nobody else could be asked, so there is no way out."""

    def offer(self, rounds: int) -> Prompt:
        """The prompt with all of them. What had to be called has been after the first round; at last there
        has to be an answer."""
        own = ({"type": "function", **_described(tool)} for tool in self.ours.values())
        way_out = () if self.is_last else (ESCALATE_TOOL,)
        choice = self.prompt.tool_choice
        if rounds == MOST_ROUNDS:
            choice = "none"
        elif rounds and choice != "none":
            choice = "auto"
        return replace(self.prompt, tools=(*self.prompt.tools, *own, *way_out), tool_choice=choice)

    def sort(self, calls: Sequence[Call]) -> Sorted:
        """Raises Escalated, if one of them is the way out."""
        if not self.is_last and any(call.name == ESCALATE for call in calls):
            raise Escalated
        names = _names(self.prompt)
        theirs = [call for call in calls if call.name in names]
        others = [call for call in calls if call.name not in names]
        waiting = [] if self.prompt.safe_only else list(filter(self._needs_yes, others))
        mine = [call for call in others if call not in waiting]
        asked = [replace(call, waits_for_yes=True) for call in waiting[:1]]
        return Sorted(mine, [*asked, *theirs])

    async def make(self, call: Call, act: Act) -> str:
        """The result for the model, which is also told what went wrong."""
        if call.name not in self.ours:
            return f"There is no tool {call.name!r}."
        if self._needs_yes(call):  # of what is `safe_only`: nobody is asked who is not known
            return "That is not done from there. Say so."
        try:
            await act.committed()
            act.goes(self.ours[call.name].place)
            return await act(call)
        except EngineError as error:
            return f"It failed: {error}"

    def _needs_yes(self, call: Call) -> bool:
        return call.name in self.ours and self.toolbox.needs_yes(call)


async def kit_for(prompt: Prompt, toolbox: Toolbox | None, is_last: bool) -> Kit:
    """`toolbox` None: of the client's tools only."""
    toolbox = toolbox or NoTools()
    theirs = _names(prompt)
    offered = () if prompt.tool_choice == "none" else await toolbox.offered(prompt.reach)
    may_be_used = [tool for tool in offered if tool.is_safe or not prompt.safe_only]
    ours = {tool.name: tool for tool in may_be_used if tool.name not in theirs}
    return Kit(prompt, ours, toolbox, is_last)


def _names(prompt: Prompt) -> set[str]:
    return {str(tool.get("name")) for tool in prompt.tools}


def _described(tool: Tool) -> Mapping[str, Any]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
