"""What a model may call: the tools of a box, as the router needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from airos_edge.voice.ports import Call, Place

NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Tool:
    """`name` is of [a-zA-Z0-9_-]{1,64}, as the makers of models want it; `parameters` is a JSON Schema
    object. `place`: how far what it is called with goes. `is_safe`: it may be called for somebody who is not
    known, unless it needs a yes. `server`: whose it is. `hints`: MCP's annotations, such as `readOnlyHint`."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=lambda: NO_ARGUMENTS)
    place: Place = Place.LOCAL
    is_safe: bool = False
    server: str = ""
    hints: Mapping[str, Any] = field(default_factory=dict)


class Toolbox(Protocol):
    """What is called is made by `Act` alone."""

    async def offered(self, reach: Place) -> Sequence[Tool]:
        """The tools within `reach`; what has to be started for that is started. A tool server that
        does not start offers nothing. Raises nothing."""

    def needs_yes(self, call: Call) -> bool:
        """It is not to be made before somebody has said yes to it."""
