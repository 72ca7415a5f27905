"""The `server` section, apart from the listener so that reading it does not load aiohttp."""

import ipaddress
from dataclasses import dataclass
from typing import Annotated

from airos_edge.errors import ConfigError
from airos_edge.http.tls import Settings as TlsSettings
from airos_edge.limits import Range
from airos_edge.secret import Secret


@dataclass(frozen=True, slots=True)
class Settings:
    host: str = "127.0.0.1"
    port: Annotated[int, Range(0, 65535)] = 8765
    """0: any that is free."""
    api_keys: tuple[Secret, ...] = ()
    """Who may connect; none: everyone on this box, and nobody else."""
    tls: TlsSettings | None = None
    """None: no TLS. With it, nothing is served without."""


def refuse_strangers(settings: Settings) -> None:
    """Raises ConfigError when others would reach the box, and need no key."""
    if not settings.api_keys and not is_loopback(settings.host):
        raise ConfigError(
            f"server.host: got {settings.host!r}, wants a loopback address such as 127.0.0.1, or "
            "server.api_keys: anyone who reaches another address could use this box"
        )


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
