"""Real MCP servers for tests: a program of our own that misbehaves, and how to see what becomes of it."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airos_edge.health import Health, PartChanged
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.voice.events import Event

PROGRAM = Path(__file__).with_name("mcp_program.py")
LIMIT_S = 10.0


def program(*how: str, allow: tuple[str, ...] = ("*",), **options: Any) -> ToolServerSettings:
    return ToolServerSettings(sys.executable, ("-IS", str(PROGRAM), *how), allow=allow, **options)


class Watch:
    """A `Health`, and what it told."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self._changed = asyncio.Event()
        self.health = Health(self._tell)

    def _tell(self, event: Event) -> None:
        self.told.append(event)
        self._changed.set()

    def states(self, part: str) -> list[str]:
        return [
            event.state
            for event in self.told
            if isinstance(event, PartChanged) and event.part == part
        ]

    def why(self, part: str) -> str:
        return str(self.health.parts()[part].get("why", ""))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Looks whenever the health of a part has changed."""
        async with asyncio.timeout(LIMIT_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


class Process:
    """Somebody else's child: whether it has ended, and when."""

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    async def gone(self) -> None:
        """Raises TimeoutError if it stays."""
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self._fd, ended.set)
        try:
            async with asyncio.timeout(LIMIT_S):
                await ended.wait()
        finally:
            loop.remove_reader(self._fd)
            os.close(self._fd)
