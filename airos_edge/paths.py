"""Where the daemon keeps what it must find again."""

import os
from pathlib import Path

SYSTEM = Path("/run/airos")
"""Where the daemon that systemd starts for the whole box has its socket."""
SYSTEM_STATE = Path("/var/lib/airos")
"""And what it keeps."""


def socket_path() -> Path:
    """The control socket: in $AIROS_RUNTIME, systemd's $RUNTIME_DIRECTORY, the box's own runtime
    directory where a daemon made it, or the user's; the daemon and the commands must agree."""
    for name in ("AIROS_RUNTIME", "RUNTIME_DIRECTORY"):
        if os.environ.get(name):
            return Path(os.environ[name]) / "control.sock"
    if os.path.exists(SYSTEM / "control.sock"):
        return SYSTEM / "control.sock"
    return _users_own() / "airos" / "control.sock"


def socket_mode() -> int:
    """Of a service, the socket is open to its group too: there, people of the box are no users of its own."""
    systemds = os.environ.get("RUNTIME_DIRECTORY")
    return 0o660 if systemds and socket_path().parent == Path(systemds) else 0o600


def state_directory(configured: str | None) -> Path:
    """Where what must outlive a restart is kept: as configured, systemd's $STATE_DIRECTORY, or the
    user's own. It may not be there yet."""
    if configured:
        return Path(os.path.expanduser(configured))
    if os.environ.get("STATE_DIRECTORY"):  # of several, the first
        return Path(os.environ["STATE_DIRECTORY"].partition(":")[0])
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return Path(state) / "airos"


def daemons_state_directory(configured: str | None) -> Path:
    """The same, for a command that works while no daemon does: root means the service of the box."""
    if not configured and os.geteuid() == 0 and SYSTEM_STATE.is_dir():
        return SYSTEM_STATE
    return state_directory(configured)


def _users_own() -> Path:
    """A login sets $XDG_RUNTIME_DIR; cron and `su` do not, and mean the same directory."""
    if os.environ.get("XDG_RUNTIME_DIR"):
        return Path(os.environ["XDG_RUNTIME_DIR"])
    usual = Path(f"/run/user/{os.getuid()}")
    try:
        return usual if usual.is_dir() else Path.home() / ".local/state"
    except RuntimeError:  # a user without a home; the daemon says that it cannot make `usual`
        return usual
