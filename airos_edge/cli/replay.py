"""`airos replay`: a recorded session against a server of today; exit code 1 where it answers otherwise."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path

from airos_edge.cli.server import server_of
from airos_edge.realtime.client import connect
from airos_edge.realtime.difference import differences
from airos_edge.realtime.recording import Recording, read_recording
from airos_edge.realtime.replay import Event, replay


def main(arguments: Namespace) -> int:
    recording = read_recording(Path(arguments.file))
    recorded = [line.event for line in recording.of("server")]
    now = asyncio.run(_replay(recording, arguments))
    different = differences(recorded, now, arguments.texts)
    print("\n".join(different) if different else f"The same: {len(recorded)} events of the server.")
    if different:
        print(
            f"airos: {arguments.file}: it is answered otherwise (-: then, +: now)", file=sys.stderr
        )
    return 1 if different else 0


async def _replay(recording: Recording, arguments: Namespace) -> list[Event]:
    url, key, ca = server_of(arguments)
    beta = {
        name: value
        for name, value in recording.header.get("headers", {}).items()
        if name == "OpenAI-Beta"
    }
    query = recording.header.get("query", {})
    async with connect(url, key, ca, query, beta) as connection:
        return await replay(recording, connection, arguments.speed)
