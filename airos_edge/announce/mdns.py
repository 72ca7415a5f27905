"""mDNS: the LAN is told of the faces that others may connect to, under names that never change."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from airos_edge.health import State
from airos_edge.network import own_addresses
from airos_edge.voice.flow import Scope

log = logging.getLogger(__name__)

LOOK_S = 30.0
"""How often the addresses of the box are looked at, and what failed is tried again."""
GOODBYE_S = 3.0
"""How long taking the names back may take when the box stops; it takes a quarter of a second."""


@dataclass(frozen=True, slots=True)
class Service:
    """A face: its type ("_http._tcp"), where it listens, and what is said of it beside that."""

    kind: str
    port: int
    text: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def announce_services(
    services: Sequence[Service],
    identity: str,
    report: Callable[[State, str], None],
    interfaces: Sequence[str] | None = None,
    addresses: Callable[[], list[str]] | None = None,
) -> AsyncIterator[None]:
    """They are announced while the block runs, and taken back when it is left. Nothing waits for it.

    `interfaces`: addresses of those that are used; None: all. `addresses` gives what is announced.
    """
    if not services:
        yield
        return
    report("starting", "")
    async with Scope(GOODBYE_S) as scope:
        work = _announce(services, identity, report, interfaces, addresses or own_addresses)
        scope.start(work, "mDNS")
        yield


async def _announce(
    services: Sequence[Service],
    identity: str,
    report: Callable[[State, str], None],
    interfaces: Sequence[str] | None,
    addresses: Callable[[], list[str]],
) -> None:
    """Until it is cancelled; anew when the addresses change, or when it was not possible."""
    from zeroconf import Error, NonUniqueNameException

    while True:
        try:
            now = await asyncio.to_thread(addresses)
            if not now:
                report("starting", "the box has no address in a network yet")
                await asyncio.sleep(LOOK_S)
                continue
            await _announce_at(now, services, identity, report, interfaces, addresses)
        except NonUniqueNameException:
            why = f"another box is called {name_of(identity)}; its state directory may be a copy"
            report("degraded", why)
            await asyncio.sleep(LOOK_S)
        except (Error, OSError) as error:
            report("degraded", str(error) or type(error).__name__)
            await asyncio.sleep(LOOK_S)


async def _announce_at(
    now: list[str],
    services: Sequence[Service],
    identity: str,
    report: Callable[[State, str], None],
    interfaces: Sequence[str] | None,
    addresses: Callable[[], list[str]],
) -> None:
    """Returns when the addresses are others. Raises zeroconf's errors, and OSError."""
    from zeroconf import InterfaceChoice
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    async with AsyncZeroconf(interfaces=interfaces or InterfaceChoice.All) as mdns:
        for service in services:
            info = AsyncServiceInfo(
                f"{service.kind}.local.",
                f"{name_of(identity)}.{service.kind}.local.",
                port=service.port,
                properties=dict(service.text),
                server=f"{name_of(identity)}.local.",
                parsed_addresses=now,
            )
            await (await mdns.async_register_service(info))
        report("ok", "")
        while True:
            await asyncio.sleep(LOOK_S)
            if await asyncio.to_thread(addresses) != now:
                return


def name_of(identity: str) -> str:
    """What the box is called by mDNS. Home Assistant tells boxes apart by it."""
    return f"airos-{identity}"
