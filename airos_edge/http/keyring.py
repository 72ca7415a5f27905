"""The keys that `airos keys` makes: a file in the state directory, of their hashes.

A hash without salt and without a slow function is right here, unlike for a password: a key is 256 random
bits, which nobody guesses however fast the hash is (NIST SP 800-63B, 5.1.2.2, asks for it below 112 bits).
"""

import fcntl
import hashlib
import json
import logging
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from airos_edge.errors import AirosError
from airos_edge.files import write_whole
from airos_edge.scopes import SCOPES

log = logging.getLogger(__name__)

PREFIX = "sk-airos-"
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Key:
    """`last_used` is a day, or None before the first use."""

    name: str
    sha256: str
    scopes: tuple[str, ...]
    created: str
    last_used: str | None = None


class Keyring:
    """The keys of the file, as it is now: another process may change it at any time.

    What cannot be read raises AirosError; a daemon that runs goes on with what it has read last.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "keys.json"
        self._read_when: object = None
        self._keys: dict[str, Key] = {}
        """By hash."""

    def all(self) -> list[Key]:
        self._look()
        return list(self._keys.values())

    def find(self, key: str) -> Key | None:
        """The one whose hash this has; that it was used today is noted."""
        self._look()
        found = self._keys.get(digest(key))
        today = date.today().isoformat()
        if found is not None and found.last_used != today:
            used = replace(found, last_used=today)
            self._keys[found.sha256] = used
            self._note(used)
        return found

    def add(self, name: str, scopes: Sequence[str] = SCOPES) -> str:
        """A new key, which nobody can read anywhere again."""
        _refuse_unfit(name, scopes)
        key = PREFIX + secrets.token_urlsafe(32)
        with self._changing() as keys:
            if any(one.name == name for one in keys):
                raise AirosError(
                    f"there is a key {name!r}; revoke it first, or choose another name"
                )
            keys.append(Key(name, digest(key), tuple(scopes), date.today().isoformat()))
        return key

    def revoke(self, name: str) -> None:
        with self._changing() as keys:
            left = [one for one in keys if one.name != name]
            if len(left) == len(keys):
                names = ", ".join(one.name for one in keys) or "none"
                raise AirosError(f"there is no key {name!r}; there are: {names}")
            keys[:] = left

    def _note(self, used: Key) -> None:
        """Once a day and key."""
        try:
            with self._changing() as keys:
                keys[:] = [used if one.sha256 == used.sha256 else one for one in keys]
        except AirosError as error:
            log.warning("When the key %s was used cannot be noted: %s", used.name, error)

    def _look(self) -> None:
        try:
            state = self._file.stat()
        except FileNotFoundError:
            self._read_when, self._keys = None, {}
            return
        except OSError as error:
            raise AirosError(f"{self._file} cannot be read: {error.strerror}") from error
        when = (state.st_mtime_ns, state.st_ino, state.st_size)
        if when == self._read_when:
            return
        try:
            self._keys = {key.sha256: key for key in self._read()}
        except AirosError as error:
            if self._read_when is None:
                raise
            log.error("The keys are as they were: %s", error)
        self._read_when = when

    def _read(self) -> list[Key]:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))["keys"]
            return [Key(**{**one, "scopes": tuple(one["scopes"])}) for one in kept]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise AirosError(f"{self._file} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise AirosError(f"{self._file} is no list of keys any more; remove it") from error

    @contextmanager
    def _changing(self) -> Iterator[list[Key]]:
        """What the block makes of the list is kept; nobody else changes it meanwhile."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._file.parent, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                keys = self._read()
                yield keys
                write_whole(self._file, _encoded(keys), 0o600)
            finally:
                os.close(lock)
        except OSError as error:
            folder = self._file.parent
            raise AirosError(f"keys cannot be kept in {folder}: {error.strerror}") from error


def digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()


def _encoded(keys: Iterable[Key]) -> bytes:
    return json.dumps({"keys": [asdict(key) for key in keys]}, indent=1).encode() + b"\n"


def _refuse_unfit(name: str, scopes: Sequence[str]) -> None:
    if not name.isprintable() or not name.strip() or len(name) > LONGEST_NAME:
        raise AirosError(f"a key's name is 1 to {LONGEST_NAME} printable characters, not {name!r}")
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise AirosError(f"a key is for {', '.join(SCOPES)}, not {', '.join(unknown) or 'nothing'}")
