"""Addresses and networks, and what is said of what is none."""

import ipaddress

import pytest

from airos_edge.errors import ConfigError
from airos_edge.wyoming.settings import (
    Address,
    Settings,
    address_of,
    networks_of,
    refuse_unknown,
)


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("tcp://0.0.0.0:10800", Address("0.0.0.0", 10800)),
        ("tcp://[::1]:10800", Address("::1", 10800)),
        ("tcp://box.lan:0", Address("box.lan", 0)),
        ("unix:///run/asr.sock", Address(path="/run/asr.sock")),
    ],
)
def test_an_address_is_read_and_said(uri: str, address: Address) -> None:
    assert address_of(uri) == address
    assert str(address) == uri


@pytest.mark.parametrize(
    "uri",
    [
        *("", "10800", "tcp://box", "tcp://:10800", "tcp://box:x", "tcp://box:99999"),
        *("unix://run/a", "unix://", "http://box:80", "tcp://box:80/path", "stdio://"),
    ],
)
def test_what_is_no_address_is_refused_with_what_is_wanted(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"wyoming\.services: got .* wants tcp://host:port"):
        refuse_unknown(Settings(services=uri or "none"))


@pytest.mark.parametrize(
    ("peer", "named"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("192.168.1.5", "private"),
        ("10.3.2.1", "private"),
        ("169.254.9.9", "private"),
        ("fd12::1", "private"),
        ("fe80::1", "private"),
        ("8.8.8.8", None),
        ("100.64.0.1", None),
        ("2606:4700::1111", None),
    ],
)
def test_who_is_meant_by_a_name(peer: str, named: str | None) -> None:
    for name in ("loopback", "private"):
        networks = networks_of([name])
        assert any(ipaddress.ip_address(peer) in net for net in networks) == (name == named)


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"wyoming\.allow: got 'everyone', wants loopback"):
        refuse_unknown(Settings(allow=("everyone",)))
    refuse_unknown(Settings(services=None, allow=("192.168.1.0/24", "fd00::/8")))
