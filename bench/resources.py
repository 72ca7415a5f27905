"""How soon the daemon is there, and what it takes of the machine."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from bench import speech
from bench.client import connected, stream
from bench.daemon import Daemon, cpu_s, daemon, own_environment, pss_mb, server
from bench.figures import Figure
from bench.latency import take_turn
from tests.mosquitto import Mosquitto

COMMAND, ANSWER = "turn on the kitchen light", "Turned on the light, in the demo house"
TURNS = 10
EVERYTHING = Path(__file__).parent / "everything.yaml"
DOORS = {
    "AIROS_WYOMING__SERVICES": "tcp://127.0.0.1:0",
    "AIROS_MDNS__ENABLED": "true",
    "AIROS_MQTT__HOST": "127.0.0.1",
}
"""What daemons of the bench have shut else."""


async def start(quick: bool) -> list[Figure]:
    """From the start of the process to the first answer, and `airos check` from start to end.

    The floors are what Python needs for numpy and aiohttp alone, and for nothing.
    """
    ready, check, imports, nothing, wrong = [], [], [], [], []
    for _ in range(3 if quick else 9):
        imports.append(_wall_s("-c", "import numpy, aiohttp"))
        nothing.append(_wall_s("-c", "pass"))
        check.append(_wall_s("-m", "airos_edge", "check"))
        with daemon() as box:
            answer = box.ask(COMMAND)["answer"]
            ready.append(time.perf_counter() - box.began)
        if answer != ANSWER:
            ready.pop()
            wrong.append(f"{COMMAND!r} was answered {answer!r}")
    return [
        Figure("start to the first answer", "s", ready, imports, "imports", 2, wrong),
        Figure("airos check", "s", check, nothing, "python", 0.5),
    ]


def _wall_s(*arguments: str) -> float:
    with tempfile.TemporaryDirectory(prefix="airos-bench-") as folder:
        environment, command = own_environment(Path(folder)), [sys.executable, *arguments]
        began = time.perf_counter()
        subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - began


async def memory(quick: bool) -> list[Figure]:
    """Of the whole process tree: ready, after one spoken turn, after ten; all over one connection."""
    wrong = []
    asked = speech.questions()
    with daemon() as box:
        box.ask()
        taken = [pss_mb(box.process.pid)]
        detection = {"type": "server_vad", "silence_duration_ms": 200}
        async with connected(box.url, **detection) as talk:
            for turn in range(TURNS):
                talk.heard.clear()
                took = await take_turn(talk, asked[turn % len(asked)])
                if isinstance(took, str):
                    wrong.append(took)
                taken.append(pss_mb(box.process.pid))
    after = f"memory (PSS), after {TURNS} turns"
    return [
        Figure("memory (PSS), after the first turn", "MB", taken[1:2], taken[:1], "ready"),
        Figure(after, "MB", taken[-1:], taken[1:2], "first turn", 160, wrong),
    ]


@contextmanager
def everything() -> Iterator[Daemon]:
    """A daemon with all on that can be without a sound card, and a broker beside it."""
    with tempfile.TemporaryDirectory(prefix="airos-bench-") as folder:
        broker = Mosquitto(Path(folder))
        broker.start()
        try:
            with daemon(EVERYTHING, AIROS_MQTT__PORT=str(broker.port), **DOORS) as box:
                yield box
        finally:
            broker.kill()


async def idle(quick: bool) -> list[Figure]:
    """Of a box that nobody talks to: with every option's default, and with all on that can be."""
    slice_s, slices = (5, 1) if quick else (20, 3)
    shares: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    for name, started in (("defaults", daemon), ("everything on", everything)):
        with started() as box:
            box.ask()
            await asyncio.sleep(2)  # what starts in the background has started
            before = cpu_s(box.process.pid)
            for _ in range(slices):
                await asyncio.sleep(slice_s)
                after = cpu_s(box.process.pid)
                shares.setdefault(name, []).append((after - before) / slice_s * 100)
                before = after
            memory[name] = [pss_mb(box.process.pid)]
    plain, full = shares
    return [
        Figure(f"CPU, idle, {plain}", "% core", shares[plain]),
        Figure(f"CPU, idle, {full}", "% core", shares[full], shares[plain], plain),
        Figure(f"memory (PSS), idle, {full}", "MB", memory[full], memory[plain], plain),
    ]


async def cpu(quick: bool) -> list[Figure]:
    """Per cent of a core for one session. The floor decodes the same frames at the same moments."""
    slice_s, slices = (5, 1) if quick else (10, 3)
    spoken = [question.played(300, 900) for question in speech.questions()]
    sounds = {
        "listening to room noise": list(speech.frames(speech.noise(4000, lsb=200))),
        "someone speaking": [frame for samples in spoken for frame in speech.frames(samples)],
    }
    figures = []
    with daemon() as box, server() as (sink_process, sink_url):
        box.ask()
        async with (
            connected(box.url, type="server_vad") as talk,
            connected(f"{sink_url}/sink") as sink,
        ):
            for name, frames in sounds.items():
                talk.heard.clear()
                endless = cycle(frames)
                shares = []
                for place in range(slices + 1):  # the first loads
                    before = [cpu_s(each.pid) for each in (box.process, sink_process)]
                    duration_s = slice_s if place else 1
                    await stream(islice(endless, duration_s * 1000 // speech.FRAME_MS), talk, sink)
                    after = [cpu_s(each.pid) for each in (box.process, sink_process)]
                    used = zip(before, after, strict=True)
                    shares.append([(end - begin) / duration_s * 100 for begin, end in used])
                values, floor = zip(*shares[1:], strict=True)
                turns = len(talk.all("response.created"))
                wrong = [] if bool(turns) == ("speaking" in name) else [f"{turns} turns"]
                figures.append(Figure(f"CPU, {name}", "% core", values, floor, "sink", None, wrong))
    return figures
