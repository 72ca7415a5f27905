"""`airos check`: the effective configuration, which engines it chooses and why, and the daemon's."""

import json
import os
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from airos_edge.cli import control
from airos_edge.cli.keys import listed
from airos_edge.config import Config, effective, find, load
from airos_edge.description import models_of, told_of
from airos_edge.engines import llm
from airos_edge.engines.choosing import Choice
from airos_edge.errors import AirosError, DaemonError
from airos_edge.fluency import fluencies
from airos_edge.http import tls
from airos_edge.http.settings import is_loopback
from airos_edge.opened import models_on_box
from airos_edge.parts import rehearse
from airos_edge.paths import socket_path
from airos_edge.settings import ENVIRONMENT_PREFIX, NOT_OPTIONS


def main(arguments: Namespace) -> int:
    config = load(arguments.config)
    options = effective(config)
    choices = rehearse(config, has_keys=_has_keys(config))
    stored = models_on_box(config)
    fluent = fluencies(config, choices, stored)
    models = models_of(config, llm.absent(config.llm, stored))
    source = find(arguments.config)
    daemon = _daemon()
    if arguments.json:
        engines = {choice.port: told_of(choice) for choice in choices}
        report = {
            "source": str(source or ""),
            "environment": _from_environment(),
            "config": options,
            "engines": engines,
            "languages": {one.language: one.told for one in fluent},
            "models": models,
            "daemon": daemon,
        }
        print(json.dumps(report, ensure_ascii=False))
        return 0
    import yaml

    print(f"# from {source or 'no file: every option has its default'}")
    if _from_environment():
        print(f"# and from the environment: {', '.join(_from_environment())}")
    print(yaml.safe_dump(options, sort_keys=False, allow_unicode=True), end="")
    print("# engines")
    for choice in choices:
        model = f"{choice.model.name}: " if choice.model else ""
        why = choice.why.removeprefix(f"{choice.port}: ")
        print(f"#   {choice.port:<5} {choice.engine or 'none':<15} {model}{why}")
    for name, told in models.items():
        print(f"#   llm {name}: {told}")
    for one in fluent:
        print(f"# language {one.language}: {one.told}")
    if config.server.tls is not None:
        print(f"# {tls.told(config.server.tls)[0]}")
    print(f"# {_compared(daemon, options, choices)}")
    return 0


def _from_environment() -> list[str]:
    names = (name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX))
    return sorted(name for name in names if name not in NOT_OPTIONS)


def _has_keys(config: Config) -> bool:
    """Asked only where others reach the box. Where the daemon alone may know, it has seen to it."""
    try:
        return not is_loopback(config.server.host) and bool(listed(config.state.directory))
    except AirosError:
        return True


def _daemon() -> dict[str, Any]:
    """What the daemon runs with: `config` and `engines`, or an `error`."""
    try:
        return control.request(socket_path(), "GET", "/api/check")
    except DaemonError as error:
        return {"error": str(error)}


def _which(told: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return told["engine"], told.get("model")


def _compared(daemon: dict[str, Any], options: dict[str, Any], choices: list[Choice]) -> str:
    """The daemon has read its configuration when it started; since then the file may have changed."""
    if "error" in daemon:
        return str(daemon["error"])
    theirs = daemon["config"]
    differing = [name for name in options if theirs.get(name) != options[name]]
    chosen = {choice.port: _which(told_of(choice)) for choice in choices}
    if not differing and {port: _which(part) for port, part in daemon["engines"].items()} != chosen:
        differing = ["the engines and models that are installed"]
    if not differing:
        return "the daemon runs with this configuration"
    return f"the daemon runs with another configuration; different: {', '.join(differing)}"
