"""Where a request comes from: what is believed of whom."""

import pytest
from aiohttp.test_utils import make_mocked_request

from airos_edge.http.proxies import address_of, counted_as, is_from_here
from airos_edge.network import networks_of

TRUSTED = networks_of(["10.0.0.1", "192.168.0.0/16"])


def of(remote: str, **headers: str) -> tuple[str, bool]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", "/", headers=named).clone(remote=remote)
    return address_of(request, TRUSTED), is_from_here(request)


@pytest.mark.parametrize(
    ("remote", "headers", "address"),
    [
        ("203.0.113.5", {}, "203.0.113.5"),
        ("::ffff:203.0.113.5", {}, "203.0.113.5"),
        ("10.0.0.1", {"X_Forwarded_For": "203.0.113.5"}, "203.0.113.5"),
        ("10.0.0.1", {"X_Forwarded_For": "203.0.113.5, 192.168.1.1"}, "203.0.113.5"),
        ("10.0.0.1", {"X_Forwarded_For": "127.0.0.1, 203.0.113.5"}, "203.0.113.5"),
        ("10.0.0.1", {"X_Forwarded_For": "203.0.113.5:4711"}, "203.0.113.5"),
        ("10.0.0.1", {"Forwarded": 'for="[2001:db8::1]:80";proto=https'}, "2001:db8::1"),
        ("10.0.0.1", {"X_Forwarded_For": "unknown"}, "unknown"),
        (
            "10.0.0.1",
            {"Forwarded": "for=198.51.100.1", "X_Forwarded_For": "203.0.113.5"},
            "203.0.113.5",
        ),
        ("10.0.0.1", {}, "10.0.0.1"),
        ("203.0.113.9", {"X_Forwarded_For": "203.0.113.5"}, "203.0.113.9"),
    ],
)
def test_a_trusted_proxy_is_believed_and_nobody_else(
    remote: str, headers: dict[str, str], address: str
) -> None:
    assert of(remote, **headers)[0] == address


@pytest.mark.parametrize(
    ("remote", "headers", "here"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("127.0.0.1", {"X_Forwarded_For": "127.0.0.1"}, True),
        ("127.0.0.1", {"X_Forwarded_For": "203.0.113.5"}, False),
        ("127.0.0.1", {"X_Forwarded_For": "127.0.0.1, 203.0.113.5"}, False),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.5"}, False),
        ("127.0.0.1", {"Forwarded": "for=_hidden"}, False),
        (
            "127.0.0.1",
            {"Forwarded": "for=127.0.0.1", "X_Forwarded_For": "203.0.113.5"},
            False,
        ),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.5", "X_Forwarded_For": "127.0.0.1"}, False),
        ("127.0.0.1", {"X_Real_IP": "203.0.113.5"}, False),
        ("203.0.113.5", {"X_Forwarded_For": "127.0.0.1"}, False),
    ],
)
def test_a_proxy_on_this_box_makes_nobody_else_local(
    remote: str, headers: dict[str, str], here: bool
) -> None:
    assert of(remote, **headers)[1] is here


def test_all_addresses_of_one_ipv6_network_are_counted_together() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff:1") == "2001:db8::/64"
    assert counted_as("2001:db8:0:1::1") != counted_as("2001:db8::1")
    assert counted_as("192.0.2.1") == "192.0.2.1"
    assert counted_as("unknown") == "unknown"
