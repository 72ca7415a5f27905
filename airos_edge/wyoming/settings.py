"""The `wyoming` section, and what its addresses and names mean."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from airos_edge.errors import ConfigError
from airos_edge.network import networks_of


@dataclass(frozen=True, slots=True)
class Settings:
    services: str | None = "tcp://0.0.0.0:10800"
    """Where asr, tts, wake and handle are offered; None: nowhere."""
    allow: tuple[str, ...] = ("loopback", "private")
    """Who may connect by TCP: names of `NETWORKS`, or networks such as 192.168.1.0/24."""
    handle: Literal["safe", "all"] = "safe"
    """Which commands may come by it: Wyoming knows no keys, so who asks may be anyone of the above."""


@dataclass(frozen=True, slots=True)
class Address:
    """Of a stage or of a service: a host and port, or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"unix://{self.path}" if self.path else f"tcp://{host}:{self.port}"


def address_of(uri: str) -> Address:
    """Raises ValueError, which says what is wanted."""
    parts = urlsplit(uri)
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        return Address(path=parts.path)
    try:
        if parts.scheme == "tcp" and parts.hostname and parts.port is not None and not parts.path:
            return Address(parts.hostname, parts.port)
    except ValueError:
        pass  # a port that is none
    raise ValueError(f"got {uri!r}, wants tcp://host:port or unix:///path")


def refuse_unknown(settings: Settings) -> None:
    """Raises ConfigError for an address or a network that is none."""
    for option, check in (
        ("services", lambda: settings.services and address_of(settings.services)),
        ("allow", lambda: networks_of(settings.allow)),
    ):
        try:
            check()
        except ValueError as error:
            raise ConfigError(f"wyoming.{option}: {error}") from error
