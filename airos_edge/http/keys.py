"""The keys that open the TCP door: those of the configuration, of `airos keys`, and client secrets."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from airos_edge.http.azure import as_openais
from airos_edge.http.client_secrets import ClientSecret, ClientSecrets
from airos_edge.http.keyring import Keyring, digest
from airos_edge.scopes import AUDIO, METRICS, REALTIME, SCOPES, TRANSCRIPTION
from airos_edge.secret import Secret

IN_A_SUBPROTOCOL = "openai-insecure-api-key."
"""How a browser brings its key, since it cannot set headers of a WebSocket."""


class Expired(Exception):
    """A client secret was brought whose time is over."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a key is for: its name, what it opens, and what a session of it begins with."""

    name: str = ""
    scopes: frozenset[str] = frozenset(SCOPES)
    session: Mapping[str, Any] | None = None


EVERYONE = Holder()


class Keys:
    """All keys there are. They are looked up by their hashes, whose comparison tells a stranger nothing."""

    def __init__(
        self,
        configured: Sequence[Secret] = (),
        keyring: Keyring | None = None,
        client_secrets: ClientSecrets | None = None,
    ) -> None:
        self.keyring = keyring
        self.client_secrets = client_secrets or ClientSecrets()
        self._configured = {
            digest(key.value): Holder(f"server.api_keys[{place}]")
            for place, key in enumerate(configured)
        }

    @property
    def exist(self) -> bool:
        """While there is none, everyone on this box may come in. Raises AirosError."""
        return bool(self._configured or (self.keyring and self.keyring.all()))

    def make_client_secret(
        self, key: str, session: Mapping[str, Any], seconds: int
    ) -> tuple[str, int]:
        """With the key of this name, and good while that is: see `ClientSecrets.make`."""
        return self.client_secrets.make(key, session, seconds, self._hashes().get(key, ""))

    def holder(self, brought: str) -> Holder | None:
        """None: it opens nothing. Raises Expired and AirosError."""
        configured = self._configured.get(digest(brought))
        if configured is not None:
            return configured
        stored = self.keyring.find(brought) if self.keyring else None
        if stored is not None:
            return Holder(stored.name, frozenset(stored.scopes))
        return self._of_a_client_secret(brought)

    def _of_a_client_secret(self, brought: str) -> Holder | None:
        secret = self.client_secrets.find(brought)
        if secret is None:
            return None
        if not self.client_secrets.is_valid(secret) or not self._is_there(secret):
            raise Expired
        scope = TRANSCRIPTION if secret.session.get("type") == TRANSCRIPTION else REALTIME
        return Holder(secret.key, frozenset({scope}), secret.session)

    def _is_there(self, secret: ClientSecret) -> bool:
        """Whether the key still is that it was made with; without one, whether there still is none."""
        hashes = self._hashes()
        return hashes.get(secret.key) == secret.made_with if secret.key else not hashes

    def _hashes(self) -> dict[str, str]:
        """Of all keys, by name."""
        stored = {key.name: key.sha256 for key in self.keyring.all()} if self.keyring else {}
        return {**stored, **{holder.name: hash for hash, holder in self._configured.items()}}


def brought(request: web.Request) -> Iterator[str]:
    """Every key that comes with it, in any of the ways in which clients bring one."""
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer":
        yield value.strip()
    elif scheme.lower() == "basic":  # ":" and the key, as TEN has it
        yield _password_of(value)
    for header in ("api-key", "X-API-Key"):
        if header in request.headers:
            yield request.headers[header]
    for protocol in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(","):
        if protocol.strip().startswith(IN_A_SUBPROTOCOL):
            yield protocol.strip().removeprefix(IN_A_SUBPROTOCOL)


def _password_of(basic: str) -> str:
    try:
        return base64.b64decode(basic.strip()).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


NEEDED: Mapping[str, frozenset[str]] = {
    "/metrics": frozenset({METRICS}),
    "/v1/audio/": frozenset({AUDIO}),
    "/v1/models": frozenset(SCOPES),
    "/": frozenset({REALTIME, TRANSCRIPTION}),
}
"""Which scopes open what: the first whose path it begins with, and any of them."""


def needed_for(path: str) -> frozenset[str]:
    path = as_openais(path)
    return next(scopes for start, scopes in NEEDED.items() if path.startswith(start))
