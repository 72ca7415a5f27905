"""How soon the daemon is there, and what it takes of the machine."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path

from bench import speech
from bench.client import Talk, connected, stream
from bench.daemon import cpu_s, daemon, own_environment, pss_mb, server
from bench.figures import Figure
from bench.latency import take_turn

COMMAND = "turn on the kitchen light"
ANSWER = "Turned on the light, in the demo house"


# ---- start --------------------------------------------------------------------------------------


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
            answer = await asyncio.to_thread(box.ask, COMMAND)
            took_s = time.perf_counter() - box.began
        if answer["answer"] == ANSWER:
            ready.append(took_s)
        else:
            wrong.append(f"{COMMAND!r} was answered {answer['answer']!r}")
    return [
        Figure("start to the first answer", "s", ready, imports, "imports", 2, wrong),
        Figure("airos check", "s", check, nothing, "python", 0.5),
    ]


def _wall_s(*arguments: str) -> float:
    with tempfile.TemporaryDirectory(prefix="airos-bench-") as folder:
        environment = own_environment(Path(folder))
        began = time.perf_counter()
        command = [sys.executable, *arguments]
        subprocess.run(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - began


# ---- memory -------------------------------------------------------------------------------------

TURNS = 10


async def memory(quick: bool) -> list[Figure]:
    """Of the whole process tree: ready, after one spoken turn, after ten; all over one connection."""
    wrong = []
    asked = speech.questions()
    with daemon() as box:
        box.wait_until_ready()
        taken = [pss_mb(box.process.pid)]
        async with connected(box.url) as talk:
            await talk.configure(type="server_vad", silence_duration_ms=200)
            for turn in range(TURNS):
                talk.heard.clear()
                took = await take_turn(talk, asked[turn % len(asked)])
                if isinstance(took, str):
                    wrong.append(took)
                taken.append(pss_mb(box.process.pid))
    return [
        Figure("memory (PSS), ready", "MB", taken[:1]),
        Figure("memory (PSS), after the first turn", "MB", taken[1:2], taken[:1], "ready"),
        Figure(
            f"memory (PSS), after {TURNS} turns",
            "MB",
            taken[-1:],
            taken[1:2],
            "first turn",
            160,
            wrong,
        ),
    ]


# ---- CPU ----------------------------------------------------------------------------------------


async def cpu(quick: bool) -> list[Figure]:
    """Per cent of a core for one session. The floor decodes the same frames at the same moments."""
    slice_s, slices = (5, 1) if quick else (10, 3)
    spoken = [question.played(300, 900) for question in speech.questions()]
    sounds = {
        "listening to room noise": list(speech.frames(speech.noise(4000, lsb=200))),
        "someone speaking": [frame for samples in spoken for frame in speech.frames(samples)],
    }
    figures = []
    with daemon() as box, server() as (sink_process, sink_port):
        box.wait_until_ready()
        async with (
            connected(box.url) as talk,
            connected(f"ws://127.0.0.1:{sink_port}/sink") as sink,
        ):
            await talk.configure(type="server_vad")
            pids = box.process.pid, sink_process.pid
            for name, frames in sounds.items():
                talk.heard.clear()
                rounds = cycle(frames)
                await _stream_s(1, rounds, talk, sink)
                used = []
                for _ in range(slices):
                    before = [cpu_s(pid) for pid in pids]
                    await _stream_s(slice_s, rounds, talk, sink)
                    used.append([cpu_s(pid) - at for pid, at in zip(pids, before, strict=True)])
                shares = [[each / slice_s * 100 for each in pair] for pair in used]
                values, floor = zip(*shares, strict=True)
                wrong = _unexpected_turns(talk, "speaking" in name)
                figures.append(Figure(f"CPU, {name}", "% core", values, floor, "sink", None, wrong))
    return figures


async def _stream_s(seconds: float, frames: Iterable[str], talk: Talk, sink: Talk) -> None:
    count = round(seconds * 1000 / speech.FRAME_MS)
    await stream(islice(frames, count), talk.socket, sink.socket)


def _unexpected_turns(talk: Talk, speaks: bool) -> list[str]:
    turns = len(talk.all("response.created"))
    return [] if bool(turns) == speaks else [f"{turns} turns"]


def machine() -> dict[str, object]:
    """What the figures depend on beside the daemon."""
    return {"cores": os.cpu_count(), "load": os.getloadavg(), "python": sys.version.split()[0]}
