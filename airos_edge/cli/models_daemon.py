"""What `airos models` and the running daemon tell each other."""

import sys
from pathlib import Path

from airos_edge.cli import control
from airos_edge.errors import DaemonError, ModelError
from airos_edge.paths import socket_path


def tell_daemon() -> None:
    """What it takes up it says itself. That none runs is no fault; that it could not be told is said."""
    try:
        changed = control.request(socket_path(), "POST", "/api/models/changed")["changed"]
    except control.NoDaemon:
        print("No daemon is running; the next one to start takes it up.")
    except DaemonError as error:
        print(f"airos: the daemon has not taken it up: {error}", file=sys.stderr)
    else:
        for port, engine in changed.items():
            print(f"The daemon takes it up, for the next turn: {port} is {engine}.")
        if not changed:
            print("The daemon has looked, and chooses as before: `airos check` says what and why.")


def refuse_another_directory(directory: Path) -> None:
    """A daemon of the whole box, or of another user, would never find what is brought here. Raises ModelError."""
    try:
        theirs = Path(control.request(socket_path(), "GET", "/api/models")["directory"])
    except (DaemonError, KeyError):
        return
    if theirs.resolve() != directory.resolve():
        raise ModelError(
            f"the daemon that runs keeps its models in {theirs}, and this command in {directory}. Be its "
            "user, or root (sudo airos models …); AIROS_RUNTIME names the directory of another daemon"
        )
