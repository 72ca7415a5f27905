"""All the tools of the box: the house's, and those of the tool servers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from airos_edge.tools.servers import BETWEEN, ToolServers
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.ports import Call, Place


class House(Protocol):
    def described(self) -> Iterable[Mapping[str, Any]]: ...
    def needs_yes(self, call: Call) -> bool: ...
    def in_words(self, call: Call) -> str: ...
    async def call(self, call: Call) -> str: ...


class Tools:
    """A `Toolbox`. A house's tool has no server in its name."""

    def __init__(self, house: House, servers: ToolServers) -> None:
        self._house = house
        self._servers = servers

    async def offered(self, reach: Place) -> Sequence[Tool]:
        """The tools within `reach`, the house's first. Servers are started; raises nothing."""
        house = [Tool(**described, is_safe=True) for described in self._house.described()]
        return [*house, *await self._servers.offered(reach)]

    def needs_yes(self, call: Call) -> bool:
        """It is not to be made before somebody has said yes to it."""
        return self._whose(call).needs_yes(call)

    def in_words(self, call: Call) -> str:
        """What it does, as it is asked for: "turn off all the lights". Raises EngineError."""
        return self._whose(call).in_words(call)

    def place_of(self, call: Call) -> Place:
        """How far what it is called with goes."""
        return self._servers.place_of(call) if BETWEEN in call.name else Place.LOCAL

    async def call(self, call: Call) -> str:
        """Raises EngineError."""
        return await self._whose(call).call(call)

    def _whose(self, call: Call) -> House | ToolServers:
        return self._servers if BETWEEN in call.name else self._house
