"""Where the daemon keeps what it must find again."""

import os
from pathlib import Path


def socket_path() -> Path:
    """The control socket: in $AIROS_RUNTIME, systemd's $RUNTIME_DIRECTORY, or the user's own runtime
    directory; the daemon and the commands that look for it must agree."""
    for name in ("AIROS_RUNTIME", "RUNTIME_DIRECTORY"):
        if os.environ.get(name):
            return Path(os.environ[name]) / "control.sock"
    system = Path("/run/airos/control.sock")
    if system.exists():
        return system
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime or Path.home() / ".local/state") / "airos" / "control.sock"
