"""`airos say`: a text, spoken by the daemon, on the box's loudspeaker if it has one; or without a daemon
by a voice opened for it."""

import asyncio
import base64
import sys
from argparse import Namespace

from airos_edge.cli import control, speech
from airos_edge.http.limits import text_within
from airos_edge.paths import socket_path


def main(arguments: Namespace) -> int:
    speech.refuse_unwritable(arguments.save)
    text = text_within(arguments.text, "say")
    try:
        how = "?quiet" if arguments.save or arguments.quiet else ""
        answer = control.post_json(socket_path(), f"/api/say{how}", {"text": text})
        wav = base64.b64decode(answer["audio"])
    except control.NoDaemon:
        wav = asyncio.run(_say_here(text, arguments))
    if not speech.hand_over(wav, arguments):
        players = ", ".join(command[0] for command in speech.PLAYERS)
        print(f"airos: nobody heard it: none of {players} plays here", file=sys.stderr)
    return 0


async def _say_here(text: str, arguments: Namespace) -> bytes:
    from airos_edge.box import open_box
    from airos_edge.config import load

    async with open_box(load(arguments.config)) as box:
        await box.loaded()
        return await box.loudspeaker.say(text)
