"""The tools that a model may use for one reply: the client's, the box's own, and the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airos_edge.errors import EngineError
from airos_edge.tools.toolbox import Tool, Toolbox
from airos_edge.voice.ports import ESCALATE, Act, Call, Place, Prompt
from airos_edge.voice.served import ServedTool

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
    client's, or of a server that it asked for, or wait for a yes. Of the box's own that wait only the first: one
    question at a time."""

    mine: Sequence[Call]
    ending: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Kit:
    """Make it with `kit_for`. A client's tool comes before one of a server that has its name, and that one
    before one of ours."""

    prompt: Prompt
    served: Mapping[str, ServedTool]
    ours: Mapping[str, Tool]
    toolbox: Toolbox
    is_last: bool
    """Nobody else could be asked, so there is no way out."""

    def offer(self, rounds: int) -> Prompt:
        """The prompt with all of them. What had to be called has been after the first round; at last there
        has to be an answer."""
        theirs = self.prompt.tools
        served, own = map(_described, self.served.values()), map(_described, self.ours.values())
        way_out = () if self.is_last else (ESCALATE_TOOL,)
        choice = self.prompt.tool_choice
        if isinstance(choice, Mapping) and choice.get("type") == "mcp" and not rounds:
            wanted = [tool for tool in self.served.values() if _is_meant(tool, choice)]
            if wanted:  # else it has not listed its tools, or has none
                return replace(
                    self.prompt, tools=tuple(map(_described, wanted)), tool_choice="required"
                )
        if rounds == MOST_ROUNDS:
            choice = "none"
        elif rounds and choice != "none":
            choice = "auto"
        return replace(self.prompt, tools=(*theirs, *served, *own, *way_out), tool_choice=choice)

    def sort(self, calls: Sequence[Call]) -> Sorted:
        """Raises Escalated, if one of them is the way out."""
        if not self.is_last and any(call.name == ESCALATE for call in calls):
            raise Escalated
        names = _names(self.prompt)
        theirs = [call for call in calls if call.name in names]
        served = [self._open(call) for call in calls if call.name in self.served]
        others = [call for call in calls if call.name not in names | self.served.keys()]
        waiting = [] if self.prompt.safe_only else list(filter(self._needs_yes, others))
        mine = [call for call in others if call not in waiting]
        asked = [replace(call, waits_for_yes=True) for call in waiting[:1]]
        return Sorted(mine, [*asked, *served, *theirs])

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

    def _open(self, call: Call) -> Call:
        """With what its client is to see of it. It may ask to be asked, and cannot undo what the owner wants."""
        call = replace(call, served=self.served[call.name])
        waits = self.served[call.name].asks or self.toolbox.needs_yes(call)
        return replace(call, waits_for_yes=waits)

    def _needs_yes(self, call: Call) -> bool:
        return call.name in self.ours and self.toolbox.needs_yes(call)


async def kit_for(prompt: Prompt, toolbox: Toolbox | None, is_last: bool) -> Kit:
    """`toolbox` None: of the client's tools only."""
    toolbox = toolbox or NoTools()
    theirs = _names(prompt)
    if prompt.tool_choice == "none":
        return Kit(prompt, {}, {}, toolbox, is_last)
    shown = (tool for server in prompt.served for tool in server.tools)
    within = (tool for tool in shown if tool.place <= prompt.reach)
    served = {tool.name: tool for tool in within if tool.name not in theirs}
    named = {server.server for server in prompt.served}
    may_be_used = [
        tool
        for tool in await toolbox.offered(prompt.reach)
        if (tool.is_safe or not prompt.safe_only) and tool.server not in named
    ]
    taken = theirs | served.keys()
    ours = {tool.name: tool for tool in may_be_used if tool.name not in taken}
    return Kit(prompt, served, ours, toolbox, is_last)


def _names(prompt: Prompt) -> set[str]:
    return {str(tool.get("name")) for tool in prompt.tools}


def _described(tool: Tool | ServedTool) -> Mapping[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }


def _is_meant(tool: ServedTool, choice: Mapping[str, Any]) -> bool:
    return tool.label == choice.get("server_label") and choice.get("name") in (None, tool.tool)
