"""One MCP server: started when it is first wanted, watched, started again when it has ended."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airos_edge.errors import EngineError
from airos_edge.health import Health, State
from airos_edge.tools.settings import ALL, ToolServerSettings
from airos_edge.tools.toolbox import Tool
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Place

if TYPE_CHECKING:
    from mcp import Client

log = logging.getLogger(__name__)

START_LIMIT_S = 60.0
"""The first start of a program that `npx` downloads takes long."""
PATIENCE_S = 3.0
"""How long a question waits for a server that starts; the next one may find it ready."""
CALL_LIMIT_S = 15.0
"""Less than what a reply may be silent for (`respond.STALL_LIMIT_S`)."""
CHECK_LIMIT_S = 3.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
"""Before it is started again; twice as long each time, unless it ran for longer than the longest."""


class McpServer:
    """Lives in the scope; its session is entered and left by one task, as the SDK demands.

    `tools` are those that it listed last, by its own names for them, whether it runs or not.
    """

    def __init__(
        self,
        name: str,
        settings: ToolServerSettings,
        health: Health,
        scope: Scope,
        nearest: Place = Place.LOCAL,
    ) -> None:
        self.name = name
        self.settings = settings
        self.tools: Mapping[str, Tool] = {}
        self._nearest = nearest
        self._health = health
        self._scope = scope
        self._task: asyncio.Task[None] | None = None
        self._client: Client | None = None
        self._why = ""
        self._settled = asyncio.Event()
        """It runs, or could not be started: then no question waits while that is tried again."""
        self._wanted = asyncio.Event()
        self._doubt = asyncio.Event()
        """Whether it still answers is to be seen, and which tools it has."""
        self._report("ok", "it starts when a model is first asked")

    def end(self) -> None:
        """For good; its program goes within `Scope`'s grace."""
        if self._task is not None:
            self._task.cancel()
        self._health.forget(self._part)

    async def listed(self) -> Sequence[Tool]:
        """Its allowed tools; none if it does not run and does not start within `PATIENCE_S`."""
        self._begin()
        await self._settle()
        if self._client is None:
            return []
        return [tool for tool in self.tools.values() if self.settings.allows(tool.name)]

    async def allowed(self) -> Sequence[Tool]:
        """The same, as soon as it has started. Raises EngineError that says why it does not."""
        await self._running(START_LIMIT_S)
        return [tool for tool in self.tools.values() if self.settings.allows(tool.name)]

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Starts it if it does not run. Raises EngineError; it is then seen whether it still works.

        Cancelling tells the server so.
        """
        client = await self._running()
        from airos_edge.tools.mcp_wire import text_of, translated

        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                result = await client.call_tool(tool, dict(arguments))
        except TimeoutError:
            self._suspect(client)
            message = f"{tool} gave no answer within {CALL_LIMIT_S:g} s"
            raise EngineError(self.name, message) from None
        except Exception as error:  # boundary: whatever the SDK and its transports raise
            self._suspect(client)
            raise translated(self.name, tool, error) from error
        if result.is_error:
            raise EngineError(self.name, text_of(result) or f"{tool} failed")
        return text_of(result)

    async def _running(self, patience_s: float | None = None) -> "Client":
        """Raises EngineError when it cannot be started soon."""
        self._begin()
        if self._client is None:
            self._settled.clear()
            self._wanted.set()
        await self._settle(patience_s)
        if self._client is None:
            raise EngineError(self.name, self._why or "is still starting; ask again in a moment")
        return self._client

    async def _settle(self, patience_s: float | None = None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S if patience_s is None else patience_s):
                await self._settled.wait()

    # ---- its life ----

    def _begin(self) -> None:
        if self._task is None:
            self._task = self._scope.start(self._live(), f"MCP server {self.name}")

    async def _live(self) -> None:
        loop, wait_s = asyncio.get_running_loop(), FIRST_WAIT_S
        while True:
            began = loop.time()
            self._wanted.clear()
            self._report("starting")
            try:
                await self._run()
            except Exception as error:  # boundary: whatever the SDK, a transport or a program does
                self._failed(_explained(error))
            if loop.time() - began > LONGEST_WAIT_S:
                wait_s = FIRST_WAIT_S
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wanted.wait()
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _failed(self, why: str) -> None:
        level = logging.WARNING if why != self._why else logging.DEBUG
        log.log(level, "The tool server %s failed: %s", self.name, why)
        self._why = why
        self._report("failed", why)
        if not self._wanted.is_set():  # then it is tried once more at once
            self._settled.set()

    def _suspect(self, client: "Client | None") -> None:
        """It may answer no more, which is about to be seen; until then it is not called."""
        if self._client is client:
            self._client = None
            self._settled.clear()
            self._doubt.set()

    async def _run(self) -> None:
        """Until it ends or answers no more; raises what that was."""
        try:
            await asyncio.to_thread(import_module, "airos_edge.tools.mcp_wire")  # half a second
        except ImportError as error:
            raise _Fault("needs the package mcp: pip install 'airos-edge[mcp]'") from error
        from airos_edge.tools.mcp_wire import connected, tools_of

        def ended() -> None:
            self._suspect(self._client)

        limit_s, doing = START_LIMIT_S, "start"
        changed = self._doubt
        try:
            async with (
                asyncio.timeout(limit_s) as limit,
                connected(self.name, self.settings, ended, changed.set, self._nearest) as client,
            ):
                while True:
                    changed.clear()
                    self._tell_tools(await tools_of(client, self.settings.where))
                    self._client, self._why = client, ""
                    self._settled.set()
                    limit.reschedule(None)
                    await changed.wait()
                    limit_s, doing = CHECK_LIMIT_S, "answer"
                    limit.reschedule(asyncio.get_running_loop().time() + limit_s)
        except TimeoutError:
            raise _Fault(f"did not {doing} within {limit_s:g} s") from None
        finally:
            self._client = None

    def _tell_tools(self, tools: Sequence[Tool]) -> None:
        self.tools = {tool.name: tool for tool in tools}
        missing = {*self.settings.allow} - {ALL} - self.tools.keys()
        if missing:
            known = ", ".join(self.tools) or "none"
            self._report("degraded", f"has no {', '.join(sorted(missing))}; it has {known}")
        else:
            self._report("ok")

    def _report(self, state: State, why: str = "") -> None:
        self._health.report(self._part, state, why)

    @property
    def _part(self) -> str:
        return part_of(self.name)


def part_of(name: str) -> str:
    """As what `/healthz` shows the server."""
    return f"mcp {name}"


class _Fault(Exception):
    """Why it does not run, in words."""


def _explained(error: BaseException) -> str:
    """Task groups wrap what went wrong in them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
