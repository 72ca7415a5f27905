"""`airos reload`: the daemon reads its configuration again."""

from argparse import Namespace

from airos_edge.cli import control
from airos_edge.paths import socket_path


def main(arguments: Namespace) -> int:
    """Prints the sections that changed, or "nothing"."""
    print(control.request(socket_path(), "POST", "/api/reload")["changed"])
    return 0
