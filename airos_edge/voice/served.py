"""Tool servers that a client asked for, as a prompt holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airos_edge.voice.place import Place


@dataclass(frozen=True, slots=True)
class ServedTool:
    """A tool of a server that the client asked for: it is shown the calls of it, and their results.

    Models call it `name`, its server `tool`. The client calls the server `label`, the box `server`.
    `place`: how far what it is called with goes. `asks`: the client wants to be asked before each call.
    """

    name: str
    tool: str
    label: str
    server: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    place: Place = Place.LOCAL
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """A server that the client asked for, and those of its tools that may be used; none before it has listed
    them."""

    label: str
    server: str
    tools: tuple[ServedTool, ...] = ()
