"""`airos tls`: a certificate that the box makes for itself, and how clients come to trust it."""

from argparse import Namespace
from typing import Any

from airos_edge.cli import control
from airos_edge.paths import daemons_state_directory, socket_path

TOLD = """\
A certificate for {names}
  SHA-256  {fingerprint}
  expires  {expires}

The daemon uses it once its configuration says so, and it was started again:
  server:
    tls: {{certificate: {certificate}, key: {key}}}

Clients trust it by a copy of it, which is no secret: airos tls --print > airos.pem
  Python   SSL_CERT_FILE=airos.pem         (only this box is trusted then)
  Node     NODE_EXTRA_CA_CERTS=airos.pem
  curl     --cacert airos.pem
  browsers open https://… once, compare the fingerprint and accept; or import airos.pem as an authority\
"""


def main(arguments: Namespace) -> int:
    made = _asked(arguments)
    if arguments.print:
        print(made["pem"], end="")
    else:
        print(TOLD.format(**{**made, "names": ", ".join(made["names"])}))
    return 0


def _asked(arguments: Namespace) -> dict[str, Any]:
    """Of the daemon, or where none runs, made here."""
    asked = {"names": arguments.name, "renew": arguments.renew}
    try:
        return control.post_json(socket_path(), "/api/tls", asked)
    except control.NoDaemon:
        from dataclasses import asdict

        from airos_edge.config import load
        from airos_edge.http import certificate
        from airos_edge.network import own_addresses

        state = daemons_state_directory(load(arguments.config).state.directory)
        return asdict(
            certificate.kept_or_made(state, own_addresses(), arguments.name, arguments.renew)
        )
