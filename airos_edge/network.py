"""Where an address is: on this box, in this LAN, or beyond it; and which the box has."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from airos_edge.voice.ports import Place

LAN_SUFFIXES = (".local", ".lan", ".home", ".home.arpa", ".internal", ".fritz.box")
"""mDNS (RFC 6762), RFC 8375, and what home routers use."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PRIVATE = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),  # RFC 1918, RFC 4193
    *("169.254.0.0/16", "fe80::/10"),  # RFC 3927, RFC 4291
)
NETWORKS: dict[str, tuple[Network, ...]] = {
    "loopback": tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128"))),
    "private": tuple(map(ipaddress.ip_network, PRIVATE)),
}
"""Private and link-local addresses count whether or not this box has one in the same network."""


def place_of(host: str) -> Place:
    """By the address alone: nothing is looked up, so a name of the LAN that looks like one of the
    internet counts as the cloud; the owner can say otherwise.

    Link-local and private addresses, and names without a dot, are the LAN's.
    """
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = _address(name.partition("%")[0])
    except (ValueError, OSError):
        if name == "localhost" or name.endswith(".localhost"):
            return Place.LOCAL
        return Place.EDGE if "." not in name or name.endswith(LAN_SUFFIXES) else Place.CLOUD
    if address.is_loopback or address.is_unspecified:  # who connects to the latter comes to itself
        return Place.LOCAL
    return Place.EDGE if address.is_private or address.is_link_local else Place.CLOUD


def _address(text: str) -> Address:
    """Also as inet_aton(3) reads it, and so whoever connects: 134744072 is 8.8.8.8, and no name of the LAN.

    Raises ValueError or OSError for what is none.
    """
    return ip_of(text) or ipaddress.IPv4Address(socket.inet_aton(text))


def ip_of(text: str) -> Address | None:
    """Without its zone. An IPv4 address that a socket for both gives as ::ffff:192.0.2.1 is that address.
    None: it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_among(text: str, networks: Iterable[Network]) -> bool:
    """Whether it is an address of one of them."""
    address = ip_of(text)
    return address is not None and any(address in network for network in networks)


def place_of_url(url: str) -> Place:
    """`unix:` and `stdio:` are on this box."""
    parts = urlsplit(url)
    return Place.LOCAL if parts.scheme in ("unix", "stdio") else place_of(parts.hostname or "")


def shown(url: str) -> str:
    """Without the name and the password that may stand in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def own_addresses() -> list[str]:
    """Those by which others may reach the box, IPv4 first: neither loopback nor, of IPv6, link-local."""
    import ifaddr

    found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    every = [ipaddress.ip_address(ip if isinstance(ip, str) else ip[0]) for ip in found]
    told = [
        one for one in every if not one.is_loopback and not (one.version == 6 and one.is_link_local)
    ]
    return [str(one) for one in sorted(told, key=lambda one: (one.version, int(one)))]


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
