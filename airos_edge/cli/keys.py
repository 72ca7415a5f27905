"""`airos keys`: who may connect. The daemon is asked where one runs, else the state directory is changed."""

import json
import sys
from argparse import Namespace
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from airos_edge.cli import control
from airos_edge.config import load
from airos_edge.http.keyring import Keyring
from airos_edge.paths import daemons_state_directory, socket_path
from airos_edge.scopes import SCOPES


def main(arguments: Namespace) -> int:
    directory = load(arguments.config).state.directory
    if arguments.action == "add":
        print(_add(directory, arguments.name, arguments.scope or list(SCOPES)))
        print("It is shown this once: the box keeps a hash of it.", file=sys.stderr)
    elif arguments.action == "revoke":
        _revoke(directory, arguments.name)
    else:
        _print(listed(directory), arguments.json)
    return 0


def listed(directory: str | None) -> list[dict[str, Any]]:
    """The keys, as JSON has them. `directory`: what the configuration says of it."""
    try:
        return list(control.request(socket_path(), "GET", "/api/keys")["keys"])
    except control.NoDaemon:
        return [asdict(key) for key in _keyring(directory).all()]


def _keyring(directory: str | None) -> Keyring:
    return Keyring(daemons_state_directory(directory))


def _add(directory: str | None, name: str, scopes: list[str]) -> str:
    try:
        asked = {"name": name, "scopes": scopes}
        return str(control.post_json(socket_path(), "/api/keys", asked)["key"])
    except control.NoDaemon:
        return _keyring(directory).add(name, scopes)


def _revoke(directory: str | None, name: str) -> None:
    try:
        control.request(socket_path(), "DELETE", f"/api/keys?name={quote(name)}")
    except control.NoDaemon:
        _keyring(directory).revoke(name)
    if not listed(directory):
        print("That was the last one: without a key, everyone on this box may connect.")


def _print(keys: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"keys": keys}, ensure_ascii=False))
    elif not keys:
        print("There is no key: everyone on this box may connect. `airos keys add NAME` makes one.")
    for key in [] if as_json else keys:
        scopes = "all" if set(key["scopes"]) == set(SCOPES) else ", ".join(key["scopes"])
        used = key["last_used"] or "never"
        print(f"{key['name']:<20} for {scopes:<24} made {key['created']}  last used {used}")
