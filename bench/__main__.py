"""`python -m bench`: the figures, as a table and as JSON in bench/results/.

Read them as ratios to the floor that was measured beside them; the milliseconds are this machine's.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench import (
    appends,
    crowd,
    ears,
    ending,
    engines,
    hands_free,
    latency,
    minds,
    resources,
    router,
    wake,
    wake_engines,
    wake_words,
    wyoming,
)
from bench.figures import RESULTS, Figure, table

FIGURES: dict[str, Callable[[bool], Coroutine[Any, Any, list[Figure]]]] = {
    "answer": latency.answers,
    "overhead": latency.overhead,
    "barge-in": latency.barge_in,
    "append": appends.appends,
    "idle-sessions": crowd.idle_sessions,
    "sessions": crowd.sessions,
    "ending": ending.ending,
    "ears": ears.ears,
    "engines": engines.engines,
    "minds": minds.minds,
    "router": router.router,
    "sentences": router.sentences,
    "start": resources.start,
    "memory": resources.memory,
    "cpu": resources.cpu,
    "idle": resources.idle,
    "wake": wake.wake,
    "wake-engines": wake_engines.wake_engines,
    "wake-words": wake_words.wake_words,
    "wyoming": wyoming.wyoming,
    "hands-free": hands_free.hands_free,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, not a figure")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(FIGURES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    before, began = os.getloadavg(), time.time()
    figures: list[Figure] = []
    for name in arguments.names or FIGURES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures += asyncio.run(FIGURES[name](arguments.quick))
    print(table(figures))
    path = RESULTS / time.strftime("%Y-%m-%dT%H%M%SZ.json", time.gmtime(began))
    RESULTS.mkdir(exist_ok=True)
    result = {
        "commit": _commit(),
        "quick": arguments.quick,
        "took_s": round(time.time() - began),
        "machine": {"cores": os.cpu_count(), "load": before, "python": sys.version.split()[0]},
        "figures": [figure.as_json() for figure in figures],
    }
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\n{path.relative_to(Path.cwd())}" if path.is_relative_to(Path.cwd()) else f"\n{path}")
    return 0


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    described = subprocess.run(
        command, cwd=RESULTS.parent, capture_output=True, text=True, check=False
    )
    return described.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
