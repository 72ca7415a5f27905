"""The service as systemd runs it, from its installation to its end: `make test-systemd`.

The tests are one story in its order, told by one machine; the file is named so that `make test`, which
needs no root and no container, does not find it.
"""

from collections.abc import Iterator

import pytest

from tests.systemd.machine import Machine, booted

CONFIG = """\
name: Airos
home:
  areas: [{name: kitchen}]
  devices: [{name: kitchen light, domain: light, area: kitchen}]
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Machine]:
    with booted() as machine:
        yield machine


def test_it_is_installed_and_does_not_need_the_checkout_any_more(box: Machine) -> None:
    said = box.do("cd airos && PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels make install", limit_s=400)
    assert "systemctl start airos" in said
    assert box.do("systemctl is-enabled airos") == "enabled"
    assert box.do("stat -c '%U %G %a' /etc/airos/config.yaml") == "root airos 640"
    box.do("rm -r airos")


def test_it_starts_and_is_ready_when_systemctl_returns(box: Machine) -> None:
    box.write("/etc/airos/config.yaml", CONFIG)
    box.do("systemctl start airos")
    assert "kitchen light" in box.do("airos check")
    assert box.show("StatusText") == "Everything works"
    assert box.show("User") == "airos"
