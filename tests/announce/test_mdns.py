"""What others see of the box by mDNS, with python-zeroconf as the other side, on the loopback interface."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from zeroconf import NonUniqueNameException, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from airos_edge.announce import mdns
from airos_edge.announce.mdns import Service, announce_services
from airos_edge.network import own_addresses

pytestmark = pytest.mark.real_time

LOOPBACK = ["127.0.0.1"]
HTTP = Service("_http._tcp", 8765)
EDGE = Service("_airos-edge._tcp", 8765, {"version": "1"})


class Reports:
    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []
        self._came = asyncio.Event()

    def __call__(self, state: str, why: str) -> None:
        self.all.append((state, why))
        self._came.set()

    async def wait_for(self, state: str, nth: int = 1) -> str:
        async with asyncio.timeout(10):
            while len(found := [why for was, why in self.all if was == state]) < nth:
                self._came.clear()
                await self._came.wait()
        return found[-1]


class Browser:
    """Somebody in the LAN: `seen` are the names that came and went."""

    def __init__(self, other: AsyncZeroconf) -> None:
        self.other = other
        self.seen: list[tuple[str, str]] = []
        self._came = asyncio.Event()

    def take(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        self.seen.append((state_change.name, name))
        self._came.set()

    async def wait_for(self, change: str, name: str) -> None:
        async with asyncio.timeout(10):
            while (change, name) not in self.seen:
                self._came.clear()
                await self._came.wait()

    async def look_up(self, kind: str, name: str) -> AsyncServiceInfo:
        info = await self.other.async_get_service_info(kind, name)
        assert info is not None
        return info


@asynccontextmanager
async def browsing(*kinds: str) -> AsyncIterator[Browser]:
    async with AsyncZeroconf(interfaces=LOOPBACK) as other:
        browser = Browser(other)
        names = [f"{kind}.local." for kind in kinds]
        watching = AsyncServiceBrowser(other.zeroconf, names, handlers=[browser.take])
        yield browser
        await watching.async_cancel()


async def test_the_faces_come_and_say_goodbye() -> None:
    reports = Reports()
    async with browsing("_http._tcp", "_airos-edge._tcp") as browser:
        async with announce_services(
            [HTTP, EDGE], "0123456789ab", reports, LOOPBACK, lambda: ["192.0.2.7", "2001:db8::7"]
        ):
            edge = "airos-0123456789ab._airos-edge._tcp.local."
            await browser.wait_for("Added", "airos-0123456789ab._http._tcp.local.")
            await browser.wait_for("Added", edge)
            await reports.wait_for("ok")
            info = await browser.look_up("_airos-edge._tcp.local.", edge)
            assert info.port == 8765
            assert info.server == "airos-0123456789ab.local."
            assert info.properties[b"version"] == b"1"
            assert set(info.parsed_addresses()) == {"192.0.2.7", "2001:db8::7"}
        await browser.wait_for("Removed", "airos-0123456789ab._http._tcp.local.")
        await browser.wait_for("Removed", edge)


async def test_a_name_that_is_taken_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def taken(self: AsyncZeroconf, info: AsyncServiceInfo) -> None:
        raise NonUniqueNameException

    reports = Reports()
    monkeypatch.setattr(mdns, "LOOK_S", 0.05)
    monkeypatch.setattr(AsyncZeroconf, "async_register_service", taken)
    async with announce_services([HTTP], "0123456789ab", reports, LOOPBACK, lambda: LOOPBACK):
        assert "another box is called airos-0123456789ab" in await reports.wait_for("degraded")


async def test_without_a_network_it_is_said_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mdns, "LOOK_S", 0.05)
    reports, there = Reports(), [[], LOOPBACK]
    async with announce_services(
        [HTTP], "0123456789ab", reports, LOOPBACK, lambda: there.pop(0) if there[1:] else there[0]
    ):
        assert "no address" in await reports.wait_for("starting", 2)
        await reports.wait_for("ok")


async def test_addresses_that_cannot_be_listed_are_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mdns, "LOOK_S", 0.05)
    reports, tries = Reports(), [OSError("too many open files")]

    def addresses() -> list[str]:
        if tries:
            raise tries.pop()
        return LOOPBACK

    async with announce_services([HTTP], "0123456789ab", reports, LOOPBACK, addresses):
        assert await reports.wait_for("degraded") == "too many open files"
        await reports.wait_for("ok")


async def test_other_addresses_are_announced_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "LOOK_S", 0.05)
    reports, there = Reports(), ["192.0.2.7"]
    name = "airos-0123456789ab._http._tcp.local."
    async with (
        browsing("_http._tcp") as browser,
        announce_services([HTTP], "0123456789ab", reports, LOOPBACK, lambda: [*there]),
    ):
        await reports.wait_for("ok")
        there[0] = "192.0.2.8"
        await browser.wait_for("Removed", name)
        await reports.wait_for("ok", 2)
        info = await browser.look_up("_http._tcp.local.", name)
        assert info.parsed_addresses() == ["192.0.2.8"]


async def test_what_cannot_be_reached_from_elsewhere_is_not_announced() -> None:
    reports = Reports()
    async with announce_services([], "0123456789ab", reports):
        assert reports.all == []


def test_its_own_addresses_are_those_that_others_reach() -> None:
    assert not {"127.0.0.1", "::1"} & set(own_addresses())
