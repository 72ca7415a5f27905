"""`airos check`: the effective configuration, and which engines it chooses and why."""

import json
from argparse import Namespace

from airos_edge.config import effective, find, load
from airos_edge.engines.registry import choose_all


def main(arguments: Namespace) -> int:
    config = load(arguments.config)
    choices = choose_all(config)
    if arguments.json:
        engines = {choice.port: {"engine": choice.engine, "why": choice.why} for choice in choices}
        print(
            json.dumps(
                {
                    "source": str(find(arguments.config) or ""),
                    "config": effective(config),
                    "engines": engines,
                }
            )
        )
        return 0
    import yaml

    print(f"# from {find(arguments.config) or 'no file: every option has its default'}")
    print(yaml.safe_dump(effective(config), sort_keys=False, allow_unicode=True), end="")
    print("# engines")
    for choice in choices:
        print(f"#   {choice.port:<5} {choice.engine or 'none':<15} {choice.why}")
    return 0
