"""`airos run`: the daemon, in the foreground, until a signal."""

import logging
import os
from argparse import Namespace

from airos_edge.announce.journal import log_handler
from airos_edge.config import find, load
from airos_edge.voice import flow


def main(arguments: Namespace) -> int:
    source = find(arguments.config)
    config = load(source)
    # A descriptor of its own: sound libraries are kept quiet by shutting 2 for a moment.
    stream = os.fdopen(os.dup(2), "w", errors="backslashreplace")
    logging.basicConfig(level=config.log.level.upper(), handlers=[log_handler(stream)])
    from airos_edge.daemon import run

    run(config, demo=arguments.demo, reread=lambda: load(source))
    logging.info("Stopped.")
    if flow.abandoned:
        os._exit(0)  # an engine that will not end must not keep the box from stopping
    return 0
