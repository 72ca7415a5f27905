"""The daemon, looked for by others in its network."""

import threading

import pytest
from zeroconf import ServiceBrowser, ServiceStateChange, Zeroconf

from airos_edge.network import own_addresses
from tests.e2e.conftest import StartDaemon


def test_a_box_that_others_may_reach_is_found_and_says_goodbye(start_daemon: StartDaemon) -> None:
    if not own_addresses():
        pytest.skip("there is no network besides the loopback interface")
    changes = {change: threading.Event() for change in ServiceStateChange}
    names = set[str]()

    def changed(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            if name in names:
                changes[state_change].set()
            return
        info = zeroconf.get_service_info(service_type, name)
        if info is not None and info.port == daemon.port:
            names.add(name)
            changes[state_change].set()

    daemon = start_daemon(
        AIROS_MDNS__ENABLED="true",
        AIROS_SERVER__HOST="0.0.0.0",
        AIROS_SERVER__API_KEYS="[env:KEY]",
        KEY="open sesame",
    )
    zeroconf = Zeroconf()
    browser = ServiceBrowser(zeroconf, "_airos-edge._tcp.local.", handlers=[changed])
    try:
        assert changes[ServiceStateChange.Added].wait(15)
        assert daemon.stop() == 0
        assert changes[ServiceStateChange.Removed].wait(15)
    finally:
        browser.cancel()
        zeroconf.close()
