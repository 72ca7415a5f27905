"""The MCP servers of the box: which are in use, what their tools are called, and what needs a yes."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from airos_edge.errors import EngineError
from airos_edge.health import Health
from airos_edge.languages.phrases import Phrases
from airos_edge.tools.mcp import McpServer, part_of
from airos_edge.tools.settings import ALL, Settings, ToolServerSettings
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Call, Place

STOP_LIMIT_S = 8.0
"""A program that does not go when its input is closed gets a signal after two seconds, and is killed
after two more."""
BETWEEN = "__"
"""What stands between a server's name and its tool's."""
NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
BETWEEN_WORDS = re.compile(r"[_-]+")
LONGEST_NAME = 64
MOST_TOLD, LONGEST_TOLD = 3, 40
"""How many arguments of a call are said when a yes to it is asked for, and how many characters of each."""


class ToolServers:
    """Use it as a context manager: leaving it ends the servers, with all that their programs started."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._scope = Scope(STOP_LIMIT_S)
        self._servers: dict[str, McpServer] = {}
        self._lent: dict[str, McpServer] = {}
        """Those that a client has brought, by a key that only its conversation knows."""
        self._named: set[str] = set()
        """In the configuration, whether within reach or not."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._scope.__aexit__(kind, error, trace)

    def use(self, settings: Settings, reach: Place) -> None:
        """From now on these, as far as they lie within reach. Those that stay as they were go on."""
        for name, server in list(self._servers.items()):
            if settings.get(name) != server.settings or server.settings.where > reach:
                self._servers.pop(name).end()
        for gone in self._named - settings.keys():
            self._health.forget(part_of(gone))
        self._named = set(settings)
        for name, wanted in settings.items():
            if wanted.where > reach:
                why = f"is {wanted.where.name.lower()}, and reach is {reach.name.lower()}"
                self._health.report(part_of(name), "failed", why)
            elif name not in self._servers:
                self._servers[name] = McpServer(name, wanted, self._health, self._scope)

    @property
    def names(self) -> Sequence[str]:
        """Of those within reach."""
        return [*self._servers]

    def lend(self, key: str, name: str, settings: ToolServerSettings, nearest: Place) -> None:
        """A server of one client: nobody is offered its tools who does not know the key. `nearest`: where that
        client is, who is not to reach by this box what lies nearer to it."""
        health = Health(lambda event: None)
        self._lent[key] = McpServer(name, settings, health, self._scope, nearest)

    def take_back(self, key: str) -> None:
        """Ends it. Does nothing for a key that is not lent."""
        server = self._lent.pop(key, None)
        if server is not None:
            server.end()

    async def listed(self, key: str) -> Sequence[Tool]:
        """The allowed tools of one, lent or not, by its own names for them, as soon as it has started.

        Raises EngineError for one that does not start, or that there is not.
        """
        return [replace(tool, server=key) for tool in await self._get(key).allowed()]

    async def offered(self, reach: Place) -> Sequence[Tool]:
        """The allowed tools of those that run, or start within moments, each once. Raises nothing."""
        servers = [server for server in self._servers.values() if server.settings.where <= reach]
        lists = await asyncio.gather(*(server.listed() for server in servers))
        tools: dict[str, Tool] = {}
        for server, listed in zip(servers, lists, strict=True):
            for tool in listed:
                name = offered_name(server.name, tool.name)
                tools.setdefault(name, replace(tool, name=name, server=server.name))
        return list(tools.values())

    def needs_yes(self, call: Call) -> bool:
        server, tool = self._find(call)
        return server is not None and server.settings.needs_yes(tool)

    def in_words(self, call: Call, says: Phrases) -> str:
        """ "use write file of notes, with path milk.txt". Raises EngineError for what is not allowed."""
        server, tool = self._found(call)
        told = [f"{key} {_short(value)}" for key, value in [*call.arguments.items()][:MOST_TOLD]]
        more = [says.more] if len(call.arguments) > MOST_TOLD else []
        arguments = says.with_arguments.format(arguments=", ".join([*told, *more])) if told else ""
        use = says.use_tool.format(tool=BETWEEN_WORDS.sub(" ", tool), server=server.name)
        return f"{use}{arguments}"

    def place_of(self, call: Call) -> Place:
        """How far what it is called with goes; nowhere, if it is not allowed."""
        server, _ = self._find(call)
        return server.settings.where if server is not None else Place.LOCAL

    async def call(self, call: Call) -> str:
        """Raises EngineError, also for what is not allowed."""
        server, tool = self._found(call)
        return await server.call(tool, call.arguments)

    def _found(self, call: Call) -> tuple[McpServer, str]:
        server, tool = self._find(call)
        if server is None:
            raise EngineError("tools", f"there is no tool {call.name!r}, or it is not allowed")
        return server, tool

    def _get(self, key: str) -> McpServer:
        """Raises EngineError."""
        server = self._lent.get(key) or self._servers.get(key)
        if server is None:
            raise EngineError(key, "there is no such tool server any more")
        return server

    def _find(self, call: Call) -> tuple[McpServer | None, str]:
        """Whose tool is meant, and what that one calls it; known before it was started, too, if it is allowed
        by name."""
        if call.served is not None:
            served = self._lent.get(call.served.server) or self._servers.get(call.served.server)
            is_allowed = served is not None and served.settings.allows(call.served.tool)
            return served if is_allowed else None, call.served.tool
        name = call.name
        for server in self._servers.values():
            for tool in (*server.tools, *server.settings.allow):
                is_meant = offered_name(server.name, tool) == name
                if is_meant and server.settings.allows(tool) and tool != ALL:
                    return server, tool
        return None, name


def offered_name(server: str, tool: str) -> str:
    """As makers of models want it: [a-zA-Z0-9_-]{1,64}."""
    return NOT_IN_NAMES.sub("_", f"{server}{BETWEEN}{tool}")[:LONGEST_NAME]


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"
