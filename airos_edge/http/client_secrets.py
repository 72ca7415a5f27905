"""Client secrets: keys of minutes, which a server has made for a page or a device of its own.

They are kept in memory: a restart of the daemon ends them, as their time does.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airos_edge.errors import LimitReached
from airos_edge.http.keyring import digest

PREFIX = "ek_"
MOST = 1000
"""That are valid at once."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """`key` is the name of the key it was made with, `session` what a session of it begins with.

    `made_with` is that key's hash: a name is given again when a key that got out is replaced.
    """

    key: str
    expires_at: int
    session: Mapping[str, Any]
    made_with: str = ""


class ClientSecrets:
    """Those that were made. One that has expired is known for what it is until its place is wanted."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._made: dict[str, ClientSecret] = {}
        """By hash."""

    def make(
        self, key: str, session: Mapping[str, Any], seconds: int, made_with: str = ""
    ) -> tuple[str, int]:
        """The secret, and when it expires. Raises LimitReached."""
        if len(self._made) >= MOST:
            self._made = {hash: one for hash, one in self._made.items() if self.is_valid(one)}
        if len(self._made) >= MOST:
            soonest = min(one.expires_at for one in self._made.values())
            why = f"there are {MOST} client secrets that have not expired, the most"
            raise LimitReached(why, soonest - self._clock())
        value = PREFIX + secrets.token_urlsafe(32)
        made = ClientSecret(key, int(self._clock()) + seconds, session, made_with)
        self._made[digest(value)] = made
        return value, made.expires_at

    def find(self, value: str) -> ClientSecret | None:
        """Also one that has expired; None: it was never made here."""
        return self._made.get(digest(value)) if value.startswith(PREFIX) else None

    def is_valid(self, secret: ClientSecret) -> bool:
        return secret.expires_at > self._clock()
