"""Who has come in: what the doors that let somebody in tell the faces behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from airos_edge.quota import Meter
from airos_edge.scopes import SCOPES


@dataclass(frozen=True, slots=True)
class Visitor:
    """`key` is the name of the key that was brought, `address` where it comes from."""

    key: str = ""
    address: str = ""
    scopes: frozenset[str] = frozenset(SCOPES)
    meter: Meter = field(default_factory=Meter)
    session: Mapping[str, Any] | None = None
    """What a client secret says that the session begins with."""


VISITOR = web.RequestKey("visitor", Visitor)
"""Under this a request has its visitor; one that came by the control socket has none."""
