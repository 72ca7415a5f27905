"""The `server` section, apart from the listener so that reading it does not load aiohttp."""

from dataclasses import dataclass
from typing import Annotated

from airos_edge.limits import Range
from airos_edge.secret import Secret


@dataclass(frozen=True, slots=True)
class Settings:
    host: str = "127.0.0.1"
    port: Annotated[int, Range(0, 65535)] = 8765
    """0: any that is free."""
    api_keys: tuple[Secret, ...] = ()
    """Who may connect; none: everyone on this box, and nobody else."""
