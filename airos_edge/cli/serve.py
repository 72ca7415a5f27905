"""`airos serve`: one stage of the box alone, by Wyoming, in the foreground until a signal."""

import asyncio
import logging
import os
import signal
from argparse import Namespace

from airos_edge.box import Box, open_box
from airos_edge.config import Config, load
from airos_edge.engines.registry import Port
from airos_edge.errors import AirosError
from airos_edge.voice import flow
from airos_edge.wyoming.services import Name, offered, serve

PORTS: dict[Name, tuple[Port, ...]] = {
    "asr": ("asr", "vad"),
    "tts": ("tts",),
    "wake": ("wake",),
    "handle": (),
}
"""What each stage has opened for it."""


def main(arguments: Namespace) -> int:
    config = load(arguments.config)
    engine = getattr(getattr(config, arguments.stage, None), "engine", None)
    if engine == arguments.uri:
        raise AirosError(f"{arguments.stage}.engine: {engine} is what would be served by itself")
    logging.basicConfig(level=config.log.level.upper(), format="%(levelname)s %(message)s")
    try:
        asyncio.run(_serve(arguments.stage, arguments.uri, config, arguments.demo))
    except asyncio.CancelledError:
        return 0  # told to stop before it was ready
    if flow.abandoned:
        os._exit(0)  # an engine that will not end must not keep it from stopping
    return 0


async def _serve(stage: Name, uri: str, config: Config, demo: bool) -> None:
    stop, loop, main = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()
    assert main is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, main.cancel)
    async with open_box(config, demo, ports=PORTS[stage]) as box:
        await box.loaded()
        _refuse_missing(stage, box)
        async with serve(uri, config.wyoming, box, [stage]) as address:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            print(f"{stage} on {address}", flush=True)
            await stop.wait()


def _refuse_missing(stage: Name, box: Box) -> None:
    if stage not in offered(box):
        why = box.check()["engines"].get(stage, {}).get("why", "")
        raise AirosError(f"there is no {stage} to serve: {why}")
