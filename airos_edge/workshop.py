"""Where parts are made: anew when what they are made of has changed, else they are kept."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from airos_edge.voice.flow import Scope

T = TypeVar("T")


class Workshop:
    """Makes parts, in threads. A part is made anew when what it is made of has changed, or when it was
    not wanted the last time, else kept."""

    def __init__(self, scope: Scope | None = None) -> None:
        self.scope = scope or Scope()
        """Of what goes on while the parts work, such as loading."""
        self._made: dict[str, tuple[object, Any]] = {}
        self._wanted: set[str] = set()

    def made(self, name: str) -> object:
        """The part of that name as it is now; None if there is none."""
        return self._made.get(name, (None, None))[1]

    async def make(self, name: str, made_of: object, make: Callable[[], T]) -> T:
        """In a thread. Raises what `make` raises; it is then called again the next time."""
        if self._is_kept(name, made_of):
            kept: T = self._made[name][1]
            return kept
        made = await asyncio.to_thread(make)
        self._made[name] = (made_of, made)
        return made

    def make_now(self, name: str, made_of: object, make: Callable[[], T]) -> T:
        """The same of what is made in no time."""
        if not self._is_kept(name, made_of):
            self._made[name] = (made_of, make())
        made: T = self._made[name][1]
        return made

    def _is_kept(self, name: str, made_of: object) -> bool:
        self._wanted.add(name)
        before = self._made.get(name)
        if before is not None and before[0] == made_of:
            return True
        self._made.pop(name, None)  # if the next one fails, this one may be closed by then
        return False

    def forget(self, name: str) -> None:
        """It is made anew the next time."""
        self._made.pop(name, None)

    def forget_others(self) -> None:
        """Of the parts that nobody has wanted since the last time: they are closed by who had them."""
        self._made = {name: made for name, made in self._made.items() if name in self._wanted}
        self._wanted.clear()
