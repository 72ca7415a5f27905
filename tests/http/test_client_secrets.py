"""Client secrets: found while they are valid, and not without end."""

import pytest

from airos_edge.errors import LimitReached
from airos_edge.http import client_secrets
from airos_edge.http.client_secrets import ClientSecrets


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_secret_is_valid_until_it_expires_and_known_after() -> None:
    clock = Clock()
    made = ClientSecrets(clock)
    value, expires_at = made.make("kitchen", {"type": "realtime"}, 600)
    assert value.startswith("ek_")
    assert expires_at == clock.now + 600
    found = made.find(value)
    assert found is not None
    assert made.is_valid(found)
    assert (found.key, found.session) == ("kitchen", {"type": "realtime"})
    clock.now += 600
    assert made.find(value) is found
    assert not made.is_valid(found)
    assert made.find("ek_other") is None


def test_there_are_only_so_many_and_those_that_expired_make_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client_secrets, "MOST", 2)
    clock = Clock()
    made = ClientSecrets(clock)
    first, _ = made.make("", {}, 10)
    made.make("", {}, 100)
    with pytest.raises(LimitReached) as reached:
        made.make("", {}, 10)
    assert reached.value.retry_after_s == 10
    clock.now += 10
    made.make("", {}, 10)
    assert made.find(first) is None
