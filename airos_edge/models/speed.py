"""Whether a box is fast enough for a model: what was measured on it, else a rough estimate."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from airos_edge.models.catalogue import Cost, Entry
from airos_edge.models.stored import Task

BUDGET: Mapping[Task, float] = {"asr": 0.3, "tts": 0.5, "llm": 0.7, "wake": 0.5}
"""Seconds of work for each second heard or said that still feel immediate. The words of a command of three
seconds are to be there one second after its end, and a voice is to begin within a second. A second of
speech is about 4 tokens of an LLM."""
CORES = 4
"""Those of the boxes that the catalogue's costs are for."""
MEMORY_SHARE = 0.5
"""So much of the memory one model may take: the system and the other engines need the rest."""


@dataclass(frozen=True, slots=True)
class Machine:
    arch: str
    """As `uname -m` says: aarch64, x86_64."""
    cores: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Verdict:
    enough: Literal["yes", "no", "barely"]
    why: str


def this_machine(meminfo: Path = Path("/proc/meminfo")) -> Machine:
    """What the system says. Where it does not tell the memory, that is 0: unknown."""
    memory_kb = 0
    try:
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemTotal:"):
                memory_kb = int(line.split()[1])
    except (OSError, ValueError, IndexError):
        memory_kb = 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Machine(platform.machine(), cores or 1, memory_kb // 1024)


def fast_enough(task: Task, cost: Cost, machine: Machine, measured: float | None = None) -> Verdict:
    """`measured`: seconds of work for each second on this very box, once it was timed."""
    if machine.memory_mb and cost.memory_mb > machine.memory_mb * MEMORY_SHARE:
        return Verdict("no", f"takes {cost.memory_mb} MB of memory, of {machine.memory_mb} MB")
    factor = estimate(cost, machine) if measured is None else measured
    told = "measured" if measured is not None else "estimated"
    why = f"{factor:.2g} s of work for 1 s, {told}"
    if factor <= BUDGET[task]:
        return Verdict("yes", why)
    return Verdict("barely" if factor <= 2 * BUDGET[task] else "no", why)


def best(entries: Sequence[Entry], machine: Machine) -> Entry | None:
    """The best that the machine is fast enough for, else the smallest; None: there are none."""
    fast = [one for one in entries if fast_enough(one.task, one.cost, machine).enough == "yes"]
    if fast:
        return max(fast, key=lambda one: one.quality)
    return min(entries, key=lambda one: one.size_mb, default=None)


def estimate(cost: Cost, machine: Machine) -> float:
    """From what another box takes; more than eight cores help no model of ours."""
    known = cost.pc if machine.arch in ("x86_64", "AMD64", "i686") else cost.pi5
    return known * CORES / min(max(machine.cores, 1), 2 * CORES)
