"""Which Realtime server a command means, and the key for it."""

import os
from argparse import Namespace
from pathlib import Path
from urllib.parse import urlsplit

from airos_edge.config import load

KEY_VARIABLE = "AIROS_KEY"
OPENAI = "api.openai.com"


def server_of(arguments: Namespace) -> tuple[str, str | None, Path | None]:
    """The address, the key if there is one to bring, and a certificate to trust besides the system's.

    Without --url it is the daemon of the configuration, with a key and the certificate of the configuration.
    A key comes from --key, or $AIROS_KEY; $OPENAI_API_KEY is for OpenAI's own server and goes to
    no other. Raises ConfigError.
    """
    key = arguments.key or os.environ.get(KEY_VARIABLE)
    if arguments.url:
        url = arguments.url if "://" in arguments.url else f"ws://{arguments.url}"
        if not key and urlsplit(url).hostname == OPENAI:
            key = os.environ.get("OPENAI_API_KEY")
        return url, key, arguments.ca
    server = load(arguments.config).server
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    key = key or next((known.value for known in server.api_keys), None)
    where = f"{f'[{host}]' if ':' in host else host}:{server.port}/v1/realtime"
    if server.tls is None:
        return f"ws://{where}", key, arguments.ca
    return f"wss://{where}", key, arguments.ca or Path(server.tls.certificate).expanduser()
