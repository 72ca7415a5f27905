"""`airos run`: the daemon, in the foreground, until a signal."""

import logging
import os
import sys
from argparse import Namespace

from airos_edge.config import find, load
from airos_edge.voice import flow


def main(arguments: Namespace) -> int:
    source = find(arguments.config)
    config = load(source)
    logging.basicConfig(
        # A descriptor of its own: sound libraries are kept quiet by shutting 2 for a moment.
        stream=os.fdopen(os.dup(2), "w", errors="backslashreplace"),
        level=config.log.level.upper(),
        format="%(asctime)s %(levelname)s %(message)s"
        if sys.stderr.isatty()
        else "%(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )
    from airos_edge.daemon import run

    run(config, demo=arguments.demo, reread=lambda: load(source))
    logging.info("Stopped.")
    if flow.abandoned:
        os._exit(0)  # an engine that will not end must not keep the box from stopping
    return 0
