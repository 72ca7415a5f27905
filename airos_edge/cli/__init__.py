"""`airos`: arguments to exit codes. Each command is a file; it is imported when it is called."""

import argparse
import errno
import os
import sys
from importlib import import_module
from pathlib import Path

from airos_edge import __version__
from airos_edge.errors import AirosError, ConfigError

MISUSED = 2
"""What argparse itself answers to arguments it does not know."""
CONFIGURATION = 78
"""EX_CONFIG of sysexits.h: systemd does not start the daemon again before its configuration is mended."""
INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C ended."""
UNREAD = 141
"""What a shell says of a program that wrote to a pipe nobody reads any more."""


def main(argv: list[str] | None = None) -> int:
    """What the shell gets: 0, 1 after a sentence on stderr, or one of the numbers above."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    for words in ("question", "text"):  # with or without quotes
        if hasattr(arguments, words):
            setattr(arguments, words, " ".join(getattr(arguments, words)))
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return MISUSED
    _print_anything()
    try:
        status = int(import_module(f"airos_edge.cli.{arguments.command}").main(arguments))
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except AirosError as error:
        print(f"airos: {error}", file=sys.stderr)
        return CONFIGURATION if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `airos … | head` has what it wants
        _give_up_output()
        return UNREAD
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _give_up_output()
        print("airos: the output cannot be written: no space is left", file=sys.stderr)
        return 1


def _give_up_output() -> None:
    """What is still to be written goes nowhere, without the complaint Python makes when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_anything() -> None:
    """A terminal that lacks a character shows its code; it is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airos", description="The voice appliance of a house.")
    parser.add_argument("--version", action="version", version=f"airos {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    run = commands.add_parser("run", help="start the daemon")
    run.add_argument(
        "--demo",
        action="store_true",
        help="with a small demonstration house, if the configuration has no devices",
    )
    _configured(run)

    _serving(commands)

    ask = commands.add_parser("ask", help="ask a question, typed or recorded")
    ask.add_argument("question", metavar="TEXT|FILE.wav", nargs="+")
    ask.add_argument(
        "--demo", action="store_true", help="without a daemon: the demonstration house"
    )
    ask.add_argument("--json", action="store_true", help="print the answer as JSON")
    _heard(ask)
    _configured(ask, "without a daemon: the configuration file")

    say = commands.add_parser("say", help="speak a text")
    say.add_argument("text", metavar="TEXT", nargs="+")
    _heard(say)
    _configured(say, "without a daemon: the configuration file")

    _listening(commands)

    check = commands.add_parser("check", help="show the effective configuration and the engines")
    check.add_argument("--json", action="store_true", help="print it as JSON")
    _configured(check)

    _of_realtime(commands)

    commands.add_parser("reload", help="have the daemon read its configuration again")
    _guarding(commands)
    _of_models(commands)
    return parser


def _guarding(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    keys = commands.add_parser("keys", help="who may connect: make, list and revoke API keys")
    actions = keys.add_subparsers(dest="action", required=True, metavar="add | list | revoke")
    add = actions.add_parser("add", help="make a key; it is shown once")
    add.add_argument("name", metavar="NAME", help="whose it is")
    add.add_argument(
        "--scope",
        action="append",
        help="only this: realtime, transcription, audio (over REST) or metrics; repeatable",
    )
    listing = actions.add_parser("list", help="the keys there are, and when each was used last")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    revoke = actions.add_parser("revoke", help="the key opens nothing more, and its sessions end")
    revoke.add_argument("name", metavar="NAME")
    for action in (add, listing, revoke):
        _configured(action, "without a daemon: the configuration file")
    tls = commands.add_parser("tls", help="a certificate of the box's own, for wss:// and https://")
    tls.add_argument(
        "--name", action="append", default=[], help="another name or address of the box; repeatable"
    )
    tls.add_argument("--renew", action="store_true", help="a new one in place of the one there is")
    tls.add_argument("--print", action="store_true", help="print the certificate itself")
    _configured(tls, "without a daemon: the configuration file")


def _of_models(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    models = commands.add_parser("models", help="models for the engines: bring, check, remove them")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="those that can be had, and those on this box")
    listing.add_argument("--all", action="store_true", help="of all languages")
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    get = actions.add_parser("get", help="fetch models from the hub, each whole or not at all")
    get.add_argument("names", metavar="NAME|recommended", nargs="+")
    best = actions.add_parser("recommended", help="fetch ears and a voice that suit this box")
    for action in (get, best):
        action.add_argument("--again", action="store_true", help="though it is there already")
        action.add_argument("--dry-run", action="store_true", help="say what would be fetched")
    verify = actions.add_parser("verify", help="compare all files with what came")
    verify.add_argument("names", metavar="NAME", nargs="*", help="none: every model")
    remove = actions.add_parser("remove", help="delete models from this box")
    remove.add_argument("names", metavar="NAME", nargs="+")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    path = actions.add_parser("path", help="where models are, or one of them is")
    path.add_argument("name", metavar="NAME", nargs="?")
    bring = actions.add_parser("import", help="take a model from a file or directory of yours")
    bring.add_argument("source", metavar="FILE|DIR", type=Path)
    bring.add_argument("--name", help="what it is called; else as the file")
    bring.add_argument("--task", choices=("asr", "tts", "wake", "llm"), help="what it is for")
    bring.add_argument("--language", help="which it knows, as de or de,en; else as it says itself")
    for action in (listing, get, best):
        action.add_argument("--language", help="another than the configuration's")
    for action in (listing, get, best, verify, remove, path, bring):
        _configured(action)


def _serving(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="one stage alone, for other boxes, by Wyoming")
    serve.add_argument("stage", choices=("asr", "tts", "wake", "handle"))
    serve.add_argument("uri", metavar="URI", help="tcp://host:port or unix:///path")
    _without_daemon(serve)


def _listening(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listen = commands.add_parser("listen", help="show what the ears think, line by line")
    listen.add_argument("file", metavar="FILE.wav", nargs="?", help="a recording")
    listen.add_argument("--live", action="store_true", help="the daemon's conversations, now")
    listen.add_argument("--wake", action="store_true", help="wait for the wake word first")
    listen.add_argument("--json", action="store_true", help="print a JSON object a line")
    _without_daemon(listen)

    doctor = commands.add_parser(
        "doctor", help="examine the box: what works, and what would mend it"
    )
    doctor.add_argument(
        "--ears",
        type=Path,
        metavar="DIR",
        help="instead, score the ears on recordings of your own, named by their text "
        '("turn on the light - anna.wav"); what is in a folder "other" is not meant for the box',
    )
    doctor.add_argument(
        "--no-models", action="store_true", help="do not look whether language models are reachable"
    )
    doctor.add_argument("--json", action="store_true", help="print what was found as JSON")
    _without_daemon(doctor)


def _of_realtime(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    replay = commands.add_parser("replay", help="play a recorded Realtime session once more")
    replay.add_argument("file", metavar="FILE.jsonl", help="of server.record")
    replay.add_argument("--url", help="another server than the daemon: ws://host:port/v1/realtime")
    replay.add_argument(
        "--speed",
        choices=("real", "max"),
        default="real",
        help="in the recording's own time (the default), or as fast as it is answered",
    )
    replay.add_argument(
        "--texts", action="store_true", help="what was said has to be the same, too"
    )
    _reached(replay)

    talk = commands.add_parser("talk", help="talk to this box, or any Realtime server, from here")
    talk.add_argument(
        "url", nargs="?", help="another server than the daemon: wss://host/v1/realtime"
    )
    talk.add_argument(
        "--file",
        dest="turns",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.wav",
        help="ask a recording; repeatable",
    )
    talk.add_argument(
        "--text",
        dest="turns",
        action="append",
        default=[],
        metavar="TEXT",
        help="ask a text; repeatable",
    )
    talk.add_argument("--push", action="store_true", help="Enter begins and ends what you say")
    talk.add_argument(
        "--headphones", action="store_true", help="the microphone does not hear the loudspeaker"
    )
    talk.add_argument("--model", help="who answers: a model of the server")
    talk.add_argument("--voice", help="a voice of the server")
    talk.add_argument("--instructions", metavar="TEXT", help="how to answer")
    _heard(talk)
    _reached(talk)


def _reached(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", help="an API key; better in $AIROS_KEY")
    parser.add_argument("--ca", type=Path, metavar="FILE.pem", help="a certificate to trust")
    _configured(parser, "the configuration file, which says where the daemon is")


def _without_daemon(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="the demonstration house")
    _configured(parser)


def _configured(parser: argparse.ArgumentParser, what: str = "the configuration file") -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help=what)


def _heard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--save", type=Path, metavar="FILE.wav", help="write the speech to a file")
    parser.add_argument("--quiet", action="store_true", help="do not play it")
