"""A secret of the configuration: its value, and where it was taken from, which is all that is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from airos_edge.errors import ConfigError

NO_KEY = "has a sign in it that no key has, such as a line break or a letter with an accent"
"""Of a key that does not fit a header."""


@dataclass(frozen=True, slots=True)
class Secret:
    """`source` is "env:NAME", "file:/path", "credential:name", or "***" for one that was written down."""

    value: str = field(repr=False)
    source: str = "***"

    @property
    def fits_a_header(self) -> bool:
        """Whether HTTP can send it. Who tries what it cannot fails with the value in its words."""
        return self.value.isascii() and self.value.isprintable()


def secret(text: str, environ: Mapping[str, str]) -> Secret:
    """What the text refers to; a text that refers to nothing is the secret itself.

    `credential:` is systemd's LoadCredential. Raises ConfigError, without the secret in its words.
    """
    kind, colon, name = text.partition(":")
    if not colon or kind not in ("env", "file", "credential"):
        value, source = text, "***"
    elif kind == "env":
        value, source = environ.get(name, "").strip(), text
    elif kind == "credential" and not environ.get("CREDENTIALS_DIRECTORY"):
        raise ConfigError(f"{text} is not set: only a service has credentials (LoadCredential=)")
    else:
        folder = environ["CREDENTIALS_DIRECTORY"] if kind == "credential" else ""
        value, source = _read(Path(folder, name), text), text
    if not value:
        raise ConfigError("is empty" if source == "***" else f"{text} is not set")
    return Secret(value, source)


def _read(path: Path, text: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"{text} cannot be read: {reason}") from error
