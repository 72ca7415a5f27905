"""The `wyoming` section, and what its addresses and names mean."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from airos_edge.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Settings:
    services: str | None = "tcp://0.0.0.0:10800"
    """Where asr, tts, wake and handle are offered; None: nowhere."""
    allow: tuple[str, ...] = ("loopback", "private")
    """Who may connect by TCP: names of `NETWORKS`, or networks such as 192.168.1.0/24."""
    handle: Literal["safe", "all"] = "safe"
    """Which commands may come by it: Wyoming knows no keys, so who asks may be anyone of the above."""


PRIVATE = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),  # RFC 1918, RFC 4193
    *("169.254.0.0/16", "fe80::/10"),  # RFC 3927, RFC 4291
)
NETWORKS: dict[str, tuple[Network, ...]] = {
    "loopback": tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128"))),
    "private": tuple(map(ipaddress.ip_network, PRIVATE)),
}
"""Private and link-local addresses count whether or not this box has one in the same network."""


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


def networks_of(allow: Sequence[str]) -> tuple[Network, ...]:
    """Raises ValueError, which says what is wanted."""
    found: list[Network] = []
    for name in allow:
        try:
            found += NETWORKS[name] if name in NETWORKS else (ipaddress.ip_network(name),)
        except ValueError as error:
            wanted = "loopback, private or a network such as 192.168.1.0/24"
            raise ValueError(f"got {name!r}, wants {wanted}") from error
    return tuple(found)


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
