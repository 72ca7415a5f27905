"""How much a key, an address and the whole box may use, and what was used: counts, no door.

A day begins with the first use, and is kept in memory: after a restart everyone begins anew.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from airos_edge.errors import LimitReached
from airos_edge.limits import Range

DAY_S = 24 * 60 * 60
COME_AGAIN_S = 10
"""When somebody else's session may have ended."""
MOST_ACCOUNTS = 10_000
"""Whose use is remembered; when there are more, the oldest without a session is forgotten."""
Kind = Literal["audio_s", "messages", "bytes", "model_calls", "tokens"]
KINDS: dict[Kind, str] = {
    "audio_s": "seconds of audio",
    "messages": "messages",
    "bytes": "bytes",
    "model_calls": "model calls",
    "tokens": "tokens",
}
Count = Annotated[int | None, Range(0, 10**15)]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one may use: sessions at once, the rest in a day; None: without limit. As it comes it is what
    ten microphones use that are never silent."""

    sessions: Count = 250
    audio_s: Count = 10 * DAY_S
    messages: Count = 50_000_000
    bytes: Count = 60_000_000_000
    model_calls: Count = 100_000
    tokens: Count = 100_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    sessions: Count = 500
    """Of the whole box, at once."""
    per_key: Allowance = field(default_factory=Allowance)
    per_address: Allowance = field(default_factory=Allowance)


class Account:
    """What one key or one address uses."""

    def __init__(self, whose: str, allowance: Allowance, clock: Callable[[], float]) -> None:
        self.open: set[Meter] = set()
        self._whose = whose
        self._sessions = allowance.sessions
        self._limits: dict[Kind, int | None] = {kind: getattr(allowance, kind) for kind in KINDS}
        self._clock = clock
        self._since = clock()
        self._used: dict[Kind, float] = dict.fromkeys(KINDS, 0)

    def spend(self, kind: Kind, amount: float) -> LimitReached | None:
        """Says when that was the last of it."""
        self._used[kind] = used = self._used[kind] + amount
        limit = self._limits[kind]
        return None if limit is None or used < limit else self._reached(kind)

    def refusal(self, session: bool) -> LimitReached | None:
        """Why nothing more is begun; None: it may be."""
        most = self._sessions
        if session and most is not None and len(self.open) >= most:
            return LimitReached(f"{self._whose} has {most} open sessions, the most", COME_AGAIN_S)
        return next((why for why in map(self._reached, KINDS) if why), None)

    def left(self, kind: Kind) -> tuple[int, int, float] | None:
        """The limit, what remains, and in how many seconds it is all there again; None: no limit."""
        limit = self._limits[kind]
        if limit is None:
            return None
        self._begin_anew()
        return limit, max(0, limit - round(self._used[kind])), self._ends_s()

    def _reached(self, kind: Kind) -> LimitReached | None:
        limit = self._limits[kind]
        if limit is None or self._used[kind] < limit or self._begin_anew():
            return None
        why = f"{self._whose} has used its {limit} {KINDS[kind]} of this day"
        return LimitReached(why, self._ends_s())

    def _begin_anew(self) -> bool:
        """Whether the day is over; then nothing of the new one is used."""
        if self._ends_s() > 0:
            return False
        self._since = self._clock()
        self._used = dict.fromkeys(KINDS, 0)
        return True

    def _ends_s(self) -> float:
        return self._since + DAY_S - self._clock()


class Meter:
    """What one visitor uses, on the account of its key and of its address."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = accounts
        self.when_stopped: Callable[[str, str], None] | None = None
        """Told why and, as the API has it, by which error, when the visitor has to go."""

    def spend(self, kind: Kind, amount: float) -> None:
        for account in self.accounts:
            reached = account.spend(kind, amount)
            if reached is not None:
                self.stop(str(reached))

    def stop(self, why: str, code: str = "rate_limit_exceeded") -> None:
        if self.when_stopped is not None:
            self.when_stopped(why, code)

    def rate_limits(self) -> list[dict[str, Any]]:
        """As `rate_limits.updated` has them, of whichever account has less left."""
        found = []
        for name, kind in NAMES.items():
            left = [left for account in self.accounts if (left := account.left(kind))]
            if left:
                limit, remaining, reset_s = min(left, key=lambda one: one[1])
                told = {"limit": limit, "remaining": remaining, "reset_seconds": reset_s}
                found.append({"name": name, **told})
        return found


NAMES: dict[str, Kind] = {"requests": "model_calls", "tokens": "tokens"}
"""What the Realtime API calls them."""


class Quotas:
    """The accounts, and how many sessions there are."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._accounts: dict[str, Account] = {}
        self._sessions = 0

    @contextmanager
    def admitted(self, key: str, address: str, session: bool) -> Iterator[Meter]:
        """Counts a visitor in, and out when the block is left. `key` is its name, "" where there is none.

        Raises LimitReached, before the block.
        """
        most = self._limits.sessions
        if session and most is not None and self._sessions >= most:
            raise LimitReached("the box has as many sessions as it can take", COME_AGAIN_S, True)
        accounts = [self._account(f"the address {address}", self._limits.per_address)]
        if key:
            accounts.append(self._account(f"the key {key}", self._limits.per_key))
        for account in accounts:
            refusal = account.refusal(session)
            if refusal is not None:
                raise refusal
        meter = Meter(*accounts)
        self._count(meter, session, 1)
        try:
            yield meter
        finally:
            self._count(meter, session, -1)

    def revoke(self, key: str) -> None:
        """The sessions of this key have to go."""
        account = self._accounts.get(f"the key {key}")
        for meter in list(account.open) if account else []:
            meter.stop("The API key was revoked.", "invalid_api_key")

    def _count(self, meter: Meter, session: bool, change: int) -> None:
        if session:
            self._sessions += change
            for account in meter.accounts:
                (account.open.add if change > 0 else account.open.discard)(meter)

    def _account(self, whose: str, allowance: Allowance) -> Account:
        account = self._accounts.pop(whose, None) or Account(whose, allowance, self._clock)
        while len(self._accounts) >= MOST_ACCOUNTS:
            idle = next((name for name, one in self._accounts.items() if not one.open), None)
            if idle is None:
                break
            del self._accounts[idle]
        self._accounts[whose] = account  # the latest is the last
        return account
