"""The `server` section, apart from the listener so that reading it does not load aiohttp."""

import ipaddress
from dataclasses import dataclass, field
from typing import Annotated

from airos_edge.errors import ConfigError
from airos_edge.http.tls import Settings as TlsSettings
from airos_edge.limits import Range
from airos_edge.network import networks_of
from airos_edge.quota import Limits
from airos_edge.secret import Secret


@dataclass(frozen=True, slots=True)
class Settings:
    host: str = "127.0.0.1"
    port: Annotated[int, Range(0, 65535)] = 8765
    """0: any that is free."""
    api_keys: tuple[Secret, ...] = ()
    """Who may connect; none: everyone on this box, and nobody else."""
    record: str | None = None
    """The directory into which each Realtime session is written, with its sound; None: none is."""
    tls: TlsSettings | None = None
    """None: no TLS. With it, nothing is served without."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose word is taken for where a request comes from."""
    limits: Limits = field(default_factory=Limits)


def refuse_strangers(settings: Settings, has_keys: bool) -> None:
    """Raises ConfigError when others would reach the box, and there is no key that they could bring."""
    if not settings.api_keys and not has_keys and not is_loopback(settings.host):
        raise ConfigError(
            f"server.host: got {settings.host!r}, wants a loopback address such as 127.0.0.1, or a "
            "key: `airos keys add NAME`, or server.api_keys; who has none could not use this box from "
            "elsewhere, and must not"
        )


def refuse_unknown(settings: Settings) -> None:
    """Raises ConfigError for a proxy that is no address."""
    try:
        networks_of(settings.trusted_proxies)
    except ValueError as error:
        raise ConfigError(f"server.trusted_proxies: {error}") from error


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
