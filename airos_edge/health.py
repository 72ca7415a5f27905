"""How every part of the box is: what `/healthz` and the console show, and what automations watch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from airos_edge.voice.events import Event

State = Literal["ok", "starting", "degraded", "failed"]
WELL: tuple[State, ...] = ("ok", "starting")
"""What starts has not failed: a model that was not asked yet, a box that waits for its network."""
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChanged(Event):
    """A part of the box is in another state now; `why` is a sentence for the owner."""

    part: str
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsRenewed(Event):
    """The box has other parts now: some are gone, and each may be in another state."""


class Health:
    """The state of the parts that can fail and heal while the box runs: a broker, a microphone, a model.

    Whoever runs a part reports of it; nobody is waited for.
    """

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._parts: dict[str, PartChanged] = {}

    def report(self, part: str, state: State, why: str = "") -> None:
        """Said again, it is no change and is not published."""
        changed = PartChanged(part=part, state=state, why=why)
        if self._parts.get(part) != changed:
            self._parts[part] = changed
            self._publish(changed)

    def forget(self, part: str) -> None:
        """It is no part of the box any more."""
        self._parts.pop(part, None)

    def parts(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            name: {"state": part.state} | ({"why": part.why} if part.why else {})
            for name, part in sorted(self._parts.items())
        }
