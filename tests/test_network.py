"""Where an address is."""

import pytest

from airos_edge.network import is_among, networks_of, place_of, place_of_url, shown
from airos_edge.voice.ports import Place


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "::1",
        "[::1]",
        "localhost",
        "box.localhost",
        "127.1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "::",
    ],
)
def test_this_box(host: str) -> None:
    assert place_of(host) is Place.LOCAL


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.4",
        "10.0.0.1",
        "169.254.3.3",
        "fe80::1%eth0",
        "fd00::3",
        "ha",
        "ha.local",
        "Nas.LAN.",
    ],
)
def test_this_lan(host: str) -> None:
    assert place_of(host) is Place.EDGE


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "2606:4700::1111", "api.example.org", "100.64.0.1", "134744072", "0x8.8"]
)
def test_beyond_it(host: str) -> None:
    assert place_of(host) is Place.CLOUD


def test_of_an_address_of_a_service() -> None:
    assert place_of_url("unix:///run/asr.sock") is Place.LOCAL
    assert place_of_url("tcp://10.0.0.1:10300") is Place.EDGE
    assert place_of_url("https://api.example.org/v1") is Place.CLOUD


def test_an_address_is_shown_without_who_may_enter() -> None:
    assert shown("https://me:secret@api.example.org:8443/v1?a=b") == (
        "https://api.example.org:8443/v1?a=b"
    )
    assert shown("http://[fd00::3]:80/v1") == "http://[fd00::3]:80/v1"


def test_an_ipv4_peer_of_an_ipv6_socket_is_known_by_its_ipv4_address() -> None:
    loopback = networks_of(["loopback"])
    assert is_among("::ffff:127.0.0.1", loopback)
    assert not is_among("::ffff:192.168.1.5", loopback)
    assert not is_among("fe80::1%eth0", loopback)
    assert not is_among("localhost", loopback), "a name is no address"
