"""All the tools of the box: the house's, and those of the tool servers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from airos_edge.languages.phrases import Phrases
from airos_edge.tools.servers import BETWEEN, ToolServers
from airos_edge.tools.settings import HOUSE, ToolServerSettings
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.ports import Call, Place


class House(Protocol):
    def described(self) -> Iterable[Mapping[str, Any]]: ...
    def needs_yes(self, call: Call) -> bool: ...
    def in_words(self, call: Call, says: Phrases) -> str: ...
    async def call(self, call: Call) -> str: ...


class Tools:
    """A `Toolbox`. A house's tool has no server in its name."""

    def __init__(self, house: House, servers: ToolServers) -> None:
        self._house = house
        self._servers = servers

    async def offered(self, reach: Place) -> Sequence[Tool]:
        """The tools within `reach`, the house's first. Servers are started; raises nothing."""
        return [*self._of_house(), *await self._servers.offered(reach)]

    @property
    def names(self) -> Sequence[str]:
        """Of whom there are tools."""
        return [HOUSE, *self._servers.names]

    async def listed(self, server: str) -> Sequence[Tool]:
        """The tools of one of them, or of a server that is lent, by its own names for them.

        Raises EngineError for one that does not start.
        """
        return self._of_house() if server == HOUSE else await self._servers.listed(server)

    def lend(self, key: str, name: str, settings: ToolServerSettings, nearest: Place) -> None:
        """See `ToolServers.lend`."""
        self._servers.lend(key, name, settings, nearest)

    def take_back(self, key: str) -> None:
        self._servers.take_back(key)

    def needs_yes(self, call: Call) -> bool:
        """It is not to be made before somebody has said yes to it."""
        return self._whose(call).needs_yes(_in_house(call))

    def in_words(self, call: Call, says: Phrases) -> str:
        """What it does, as it is asked for: "turn off all the lights". Raises EngineError."""
        return self._whose(call).in_words(_in_house(call), says)

    def place_of(self, call: Call) -> Place:
        """How far what it is called with goes."""
        return Place.LOCAL if self._whose(call) is self._house else self._servers.place_of(call)

    async def call(self, call: Call) -> str:
        """Raises EngineError."""
        return await self._whose(call).call(_in_house(call))

    def _of_house(self) -> Sequence[Tool]:
        described = self._house.described()
        return [Tool(**one, is_safe=True, server=HOUSE) for one in described]

    def _whose(self, call: Call) -> House | ToolServers:
        if call.served is not None:
            return self._house if call.served.server == HOUSE else self._servers
        return self._servers if BETWEEN in call.name else self._house


def _in_house(call: Call) -> Call:
    """By the house's own name for the tool."""
    is_house = call.served is not None and call.served.server == HOUSE
    return replace(call, name=call.served.tool) if call.served and is_house else call
