"""`airos say`: a text, spoken by the daemon, or without one by a voice opened for it."""

import asyncio
import base64
from argparse import Namespace

from airos_edge.cli import control, speech
from airos_edge.errors import AirosError
from airos_edge.paths import socket_path


def main(arguments: Namespace) -> int:
    if not arguments.text.strip():
        raise AirosError("there is nothing to say")
    try:
        answer = control.post_json(socket_path(), "/api/say", {"text": arguments.text})
        wav = base64.b64decode(answer["audio"])
    except control.NoDaemon:
        wav = asyncio.run(_say_here(arguments))
    speech.hand_over(wav, arguments)
    return 0


async def _say_here(arguments: Namespace) -> bytes:
    from airos_edge.box import open_box
    from airos_edge.config import load

    async with open_box(load(arguments.config)) as box:
        return await box.say(arguments.text)
