"""Who the box is to others in the network: a name that stays when everything else about it changes."""

import hashlib
import logging
import re
import secrets
from pathlib import Path

log = logging.getLogger(__name__)

MACHINE_ID = Path("/etc/machine-id")
"""32 hexadecimal digits; machine-id(5) asks that it is shown to nobody, only a hash of it."""
DIGITS = 12


def identity(directory: Path, machine_id: Path = MACHINE_ID) -> str:
    """Twelve hexadecimal digits: those kept in the directory, or else a hash of the machine id, or
    else random ones, which are then kept there.

    A directory that cannot be written costs a warning, and on a machine without an id, the next start
    has another identity.
    """
    file = directory / "identity"
    kept = _read(file)
    if re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", kept):
        return kept
    machine = _read(machine_id)
    if re.fullmatch("[0-9a-f]{32}", machine):
        made = hashlib.sha256(f"airos-edge {machine}".encode()).hexdigest()[:DIGITS]
    else:
        made = secrets.token_hex(DIGITS // 2)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(f"{made}\n", encoding="ascii")
    except OSError as error:
        log.warning(
            "The identity of the box cannot be kept in %s: %s; see state.directory",
            directory,
            error.strerror,
        )
    return made


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
