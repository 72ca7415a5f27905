"""`airos`: arguments to exit codes. Each command is a file; it is imported when it is called."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from airos_edge import __version__
from airos_edge.errors import AirosError

INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    command = import_module(f"airos_edge.cli.{arguments.command}")
    try:
        return int(command.main(arguments))
    except AirosError as error:
        print(f"airos: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airos", description="The voice appliance of a house.")
    parser.add_argument("--version", action="version", version=f"airos {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="start the daemon")
    run.add_argument("--demo", action="store_true", help="with a small demonstration house")
    _configured(run)

    ask = commands.add_parser("ask", help="ask a question, typed or recorded")
    ask.add_argument("question", metavar="TEXT|FILE.wav")
    ask.add_argument(
        "--demo", action="store_true", help="without a daemon: the demonstration house"
    )
    ask.add_argument("--json", action="store_true", help="print the answer as JSON")
    _heard(ask)
    _configured(ask)

    say = commands.add_parser("say", help="speak a text")
    say.add_argument("text", metavar="TEXT")
    _heard(say)
    _configured(say)

    check = commands.add_parser("check", help="show the effective configuration and the engines")
    check.add_argument("--json", action="store_true", help="print it as JSON")
    _configured(check)

    reload = commands.add_parser("reload", help="have the daemon read its configuration again")
    _configured(reload)
    return parser


def _configured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration file")


def _heard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save", type=Path, metavar="FILE.wav", help="write the speech to a file")
    parser.add_argument("--quiet", action="store_true", help="do not play it")
