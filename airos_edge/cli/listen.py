"""`airos listen`: what the ears think, of a recording here, or of the daemon's conversations now."""

import asyncio
import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from airos_edge.cli import MISUSED, control
from airos_edge.cli.thoughts import HEADING, Thoughts
from airos_edge.paths import socket_path
from airos_edge.virtual_time import VirtualTimeLoop


def main(arguments: Namespace) -> int:
    if misuse := _misuse(arguments):
        print(f"airos: {misuse}", file=sys.stderr)
        return MISUSED
    if arguments.live:
        _show_live(arguments.json)
    else:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(_show_recording(Path(arguments.file), arguments))
    return 0


def _misuse(arguments: Namespace) -> str:
    if not arguments.live:
        return "" if arguments.file else "listen to what? Name a recording, or say --live"
    if arguments.file or arguments.wake or arguments.demo or arguments.config:
        return "--live shows the daemon's ears as they are: only --json goes with it"
    return ""


async def _show_recording(path: Path, arguments: Namespace) -> None:
    from airos_edge.cli.ears import open_ears, sound_of, thoughts_of

    sound, thoughts = sound_of(path), Thoughts(sys.stdout.encoding)
    async with open_ears(arguments) as box:
        rules = replace(box.rules(), detection="wake" if arguments.wake else "speech")
        if not arguments.json:
            waits_for = "the wake word" if arguments.wake else "speech"
            print(f"{path}: {sound.ms / 1000:.2f} s, waiting for {waits_for}\n{HEADING}")
        async with aclosing(thoughts_of(box, sound, rules)) as lines:
            async for line in lines:
                _print(line, thoughts, arguments.json)
    for rest in thoughts.rest():
        print(rest)


def _show_live(as_json: bool) -> None:
    """Until Ctrl-C, or until the daemon ends, which is a DaemonError."""
    thoughts, session = Thoughts(sys.stdout.encoding), ""
    for line in _live():
        if not as_json and line["session"] not in ("", session):
            session = line["session"]
            for rest in thoughts.rest():
                print(rest)
            print(f"{time.strftime('%H:%M:%S')}: the conversation {session}\n{HEADING}")
        _print(line, thoughts, as_json)


def _live() -> Iterator[dict[str, Any]]:
    lines = control.stream(socket_path(), "/api/listen")
    next(lines)  # the daemon says that it listens
    print("Listening to the daemon's conversations. Ctrl-C ends it.", file=sys.stderr, flush=True)
    yield from lines


def _print(line: Mapping[str, Any], thoughts: Thoughts, as_json: bool) -> None:
    if as_json:
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    for text in thoughts.of(line):
        print(text, flush=True)
