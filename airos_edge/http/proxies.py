"""Where a request comes from, which came through proxies: they say it, and only some may be believed."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from airos_edge.http.settings import is_loopback
from airos_edge.network import Network, ip_of, is_among

FORWARDED_FOR = "X-Forwarded-For"
REAL_IP = "X-Real-IP"
"""What some have nginx write, and nothing else."""


def address_of(request: web.Request, trusted: Sequence[Network]) -> str:
    """The last address that no trusted proxy of ours has: what comes before it anybody can have written.

    Where both headers are there, it is by X-Forwarded-For: that is what proxies write, and most of them let
    through a `Forwarded` that the client wrote itself.
    """
    addresses = [*(_by_x_forwarded_for(request) or _by_forwarded(request)), _peer(request)]
    for address in reversed(addresses):
        if not is_among(address, trusted):
            return address
    return addresses[0]


def counted_as(address: str) -> str:
    """Of IPv6 the network: who has one address there has all of its /64, and changes it daily (RFC 8981)."""
    ip = ip_of(address)
    if ip is None:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else address


def is_from_here(request: web.Request) -> bool:
    """Whether it began on this box: so say its connection and every proxy, trusted or not, that speaks of it.

    All headers are asked, as a proxy writes one of them and lets the client's others through. Who lies can
    only make itself a stranger.
    """
    named = [*_by_x_forwarded_for(request), *_by_forwarded(request)]
    named += map(_bare, request.headers.getall(REAL_IP, []))
    return all(is_loopback(address) for address in (*named, _peer(request)))


def _by_x_forwarded_for(request: web.Request) -> list[str]:
    """From the client to us."""
    lines = request.headers.getall(FORWARDED_FOR, [])
    return [_bare(hop) for hop in ",".join(lines).split(",") if hop.strip()]


def _by_forwarded(request: web.Request) -> list[str]:
    """The same, by RFC 7239."""
    return [_bare(hop.get("for", "unknown")) for hop in request.forwarded]


def _bare(hop: str) -> str:
    """Without quotes, brackets and the port."""
    hop = hop.strip().strip('"')
    if hop.startswith("["):
        return _plain(hop[1:].partition("]")[0])
    return _plain(hop.partition(":")[0] if hop.count(":") == 1 else hop)


def _peer(request: web.Request) -> str:
    return _plain(request.remote or "")


def _plain(address: str) -> str:
    return str(ip_of(address) or address)
