"""What a key, an address and the box may use."""

import pytest

from airos_edge import quota
from airos_edge.errors import LimitReached
from airos_edge.quota import DAY_S, Allowance, Limits, Quotas

HERE = "192.0.2.1"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def quotas(clock: Clock | None = None, **limits: object) -> Quotas:
    return Quotas(Limits(**limits), clock or Clock())  # type: ignore[arg-type]


def test_who_has_used_a_days_worth_has_to_go_and_is_let_in_the_next_day() -> None:
    clock, stopped = Clock(), list[str]()
    box = quotas(clock, per_key=Allowance(tokens=100))
    with box.admitted("kitchen", HERE, session=True) as meter:
        meter.when_stopped = lambda why, code: stopped.append(code)
        meter.spend("tokens", 99)
        assert stopped == []
        meter.spend("tokens", 1)
        assert stopped == ["rate_limit_exceeded"]
    clock.now = 1000.0
    with pytest.raises(LimitReached, match="the key kitchen has used its 100 tokens") as reached:
        box.admitted("kitchen", HERE, session=True).__enter__()
    assert reached.value.retry_after_s == DAY_S - 1000
    with box.admitted("hall", HERE, session=True):
        pass
    clock.now = DAY_S
    with box.admitted("kitchen", HERE, session=True):
        pass


def test_sessions_are_counted_for_each_key_each_address_and_the_box() -> None:
    one = Allowance(sessions=1)
    box = quotas(sessions=3, per_key=Allowance(sessions=2), per_address=one)
    with box.admitted("a", "192.0.2.1", True), box.admitted("a", "192.0.2.2", True):
        with pytest.raises(LimitReached, match=r"the address 192\.0\.2\.2 has 1 open"):
            box.admitted("b", "192.0.2.2", True).__enter__()
        with pytest.raises(LimitReached, match="the key a has 2 open") as reached:
            box.admitted("a", "192.0.2.3", True).__enter__()
        assert not reached.value.of_the_box
        with box.admitted("a", "192.0.2.3", session=False), box.admitted("b", "192.0.2.3", True):
            with pytest.raises(LimitReached) as full:
                box.admitted("c", "192.0.2.4", True).__enter__()
            assert full.value.of_the_box
    with box.admitted("b", "192.0.2.2", True):
        pass


def test_where_there_is_no_key_the_address_alone_is_counted() -> None:
    box = quotas(per_key=Allowance(sessions=0))
    with box.admitted("", HERE, session=True) as meter:
        meter.spend("audio_s", 10**9)


def test_the_sessions_of_a_key_that_is_revoked_have_to_go() -> None:
    box, stopped = quotas(), list[str]()
    with box.admitted("a", HERE, True) as mine, box.admitted("b", HERE, True) as other:
        mine.when_stopped = lambda why, code: stopped.append(f"a {code}")
        other.when_stopped = lambda why, code: stopped.append(f"b {code}")
        box.revoke("a")
        box.revoke("unknown")
    assert stopped == ["a invalid_api_key"]


def test_what_is_left_is_told_as_the_api_does() -> None:
    clock = Clock()
    allowance = Allowance(model_calls=10, tokens=None)
    box = quotas(clock, per_key=allowance, per_address=Allowance(model_calls=5, tokens=None))
    with box.admitted("a", HERE, True) as meter:
        meter.spend("model_calls", 2)
        clock.now = 60.0
        told = {"name": "requests", "limit": 5, "remaining": 3, "reset_seconds": DAY_S - 60}
        assert meter.rate_limits() == [told]


def test_addresses_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "MOST_ACCOUNTS", 3)
    box = quotas(per_address=Allowance(sessions=1))
    with box.admitted("", HERE, True):
        for place in range(10):
            with box.admitted("", f"198.51.100.{place}", False):
                pass
        assert len(box._accounts) <= 3
        with pytest.raises(LimitReached):
            box.admitted("", HERE, True).__enter__()
