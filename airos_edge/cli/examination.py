"""What `airos doctor` looks at, one function for each part of the box; each gives what it has found."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from airos_edge.cli import control
from airos_edge.config import Config
from airos_edge.engines import choosing, llm, registry
from airos_edge.engines.advice import ADVISED, advised, to_install
from airos_edge.engines.registry import PORTS, Engine, Port
from airos_edge.engines.timing import Machine
from airos_edge.errors import DaemonError
from airos_edge.fluency import Fluency, spoken_languages
from airos_edge.local.settings import Settings as SatelliteSettings
from airos_edge.local.sound import look
from airos_edge.models import speed
from airos_edge.models.stored import StoredModel
from airos_edge.network import shown
from airos_edge.opened import models_directory, models_on_box, timing_of, timings_of
from airos_edge.paths import socket_path
from airos_edge.wyoming.frames import reason

CONNECT_S = 3.0
"""What has not answered by then is not there."""
LITTLE_BYTES = 2_000_000_000
"""With less than that free, few models find room."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`fails`: something that is configured does not work, and `mend` says what to do."""

    part: str
    verdict: Literal["works", "fails", "note"]
    told: str
    mend: str = ""


def machine(config: Config) -> list[Finding]:
    this, directory = Machine.this(), models_directory(config)
    free_bytes = shutil.disk_usage(_existing(directory)).free
    room = f"{free_bytes / 1e9:.0f} GB free for models in {directory}"
    return [
        Finding("Machine", "note", f"{this.name}, {this.memory_bytes / 1e9:.1f} GB of memory"),
        Finding("Machine", "note", room, "make room" if free_bytes < LITTLE_BYTES else ""),
    ]


def _existing(path: Path) -> Path:
    """It or the nearest directory above it that is there."""
    return next(place for place in (path, *path.parents) if place.is_dir())


def daemon() -> list[Finding]:
    """That none runs is no fault: all else is examined without it."""
    try:
        told = control.request(socket_path(), "GET", "/api/check")
    except control.NoDaemon:
        return [
            Finding("Daemon", "note", "does not run here", "airos run, or systemctl start airos")
        ]
    except DaemonError as error:
        return [Finding("Daemon", "fails", str(error), "look into its log: journalctl -u airos")]
    serving = [f"{port} {part['engine'] or 'none'}" for port, part in told["engines"].items()]
    return [Finding("Daemon", "works", f"runs, with {', '.join(serving)}")]


# ---- engines and models -----------------------------------------------------------------------------


def engines(config: Config, chosen: Mapping[str, Any], states: Mapping[str, Any]) -> list[Finding]:
    """Of each port the engine it gets and why, then those that it could have. `chosen` and `states` are
    those of a box that has opened them."""
    found = []
    runs = {
        (model.task, model.engine)
        for model in models_on_box(config)
        if model.speaks(config.language)
    }
    for port in PORTS:
        found.append(_engine(port, chosen[port], states.get(port, {})))
        for engine in registry.engines(port):
            if engine.name != chosen[port]["engine"]:
                has_model = (port, engine.name) in runs
                found.append(_other(port, engine, config, has_model))
    return found


def _engine(port: Port, told: Mapping[str, Any], state: Mapping[str, Any]) -> Finding:
    if told["engine"] is None:
        return Finding("Engines", "fails", f"{port}: none", told["why"].removeprefix(f"{port}: "))
    name = " with ".join(filter(None, (told["engine"], told.get("model"))))
    runs_on = f" on {told['runs_on']}" if "runs_on" in told else ""
    line = f"{port}: {name}{runs_on} ({told['why']})"
    if state.get("state") in ("failed", "degraded"):
        return Finding("Engines", "fails", line, state.get("why", ""))
    return Finding("Engines", "works", line)


def _other(port: Port, engine: Engine, config: Config, has_model: bool) -> Finding:
    """What keeps it from being chosen, of what could be. `has_model`: one of its own, for the language."""
    obstacle = choosing.obstacle_of(engine, config.language)
    if obstacle is None:
        needs_one = engine.runs_models and not has_model
        told = "needs a model" if needs_one else "is there, and not chosen"
        return Finding("Engines", "note", f"{port} {engine.name}: {told}")
    what, _, mend = obstacle.partition(": ")
    return Finding("Engines", "note", f"{port} {engine.name}: {what}", mend)


def models(config: Config) -> list[Finding]:
    """Those on the box, and how quick they are as far as that is known."""
    stored, timings = models_on_box(config), timings_of(config)
    if not stored:
        return [Finding("Models", "note", "none is on this box", "airos models list")]

    def line(model: StoredModel) -> str:
        timing = timing_of(config, timings, model)
        return f"{model.name}: {model.task} by {model.engine}; {timing or 'not timed yet'}"

    return [Finding("Models", "note", line(model)) for model in stored]


def advice(config: Config) -> list[Finding]:
    """The best models for the house's languages, of those that it seems quick enough for, where they are better
    than those on this box."""
    stored, languages, this = models_on_box(config), spoken_languages(config), speed.this_machine()
    found = []
    for task, what in ADVISED.items():
        settings = config.asr if task == "asr" else config.tts
        entries = advised(task, languages, settings.engine)
        for entry in dict.fromkeys(entries.values()):
            wants = (
                languages
                if task == "asr"
                else [one for one in languages if entries.get(one) == entry]
            )
            here = [one for one in stored if one.task == task and all(map(one.speaks, wants))]
            is_better = entry.quality > max((one.quality for one in here), default=0)
            if is_better and speed.fast_enough(task, entry.cost, this).enough == "yes":
                install = to_install(entry)
                get = f"airos models get {entry.name}"
                mend = f"pip install '{install}'; {get}" if install else get
                told = (
                    f"better: {what} by {entry.engine} with {entry.name} (about {entry.size_mb} MB)"
                )
                found.append(Finding("Advice", "note", told, mend))
    return found


def languages(spoken: Sequence[Fluency]) -> list[Finding]:
    """Of a house with several: what is not heard or not spoken of one."""
    if len(spoken) < 2:
        return []  # the engines have said it
    found = []
    for one in spoken:
        mends = [
            one.mends[port] for port, who in (("asr", one.ears), ("tts", one.voice)) if not who
        ]
        verdict: Literal["works", "fails"] = "fails" if mends else "works"
        found.append(
            Finding("Languages", verdict, f"{one.language}: {_who(one)}", "; ".join(mends))
        )
    return found


def _who(one: Fluency) -> str:
    return f"heard by {one.ears or 'nobody'}, spoken by {one.voice or 'nobody'}"


# ---- what lies outside ------------------------------------------------------------------------------


async def language_models(config: Config) -> list[Finding]:
    """Whether something listens where each is; nothing is asked. Those beyond reach are left alone."""
    found = []
    for name, settings in config.llm.items():
        address = llm.address(settings)
        told = f"{name} at {shown(address)}"
        if llm.place(settings) > config.reach:
            reach = config.reach.name.lower()
            found.append(Finding("Minds", "note", f"{told}: never asked, `reach` is {reach}"))
        elif not address:
            found.append(Finding("Minds", "note", f"{name}: runs in this box"))
        elif why := await _unreachable(address):
            mend = f"does its server run? llm.{name}.url says where it is"
            found.append(Finding("Minds", "fails", f"{told}: {why}", mend))
        else:
            found.append(Finding("Minds", "works", f"{told}: answers"))
    return found


async def _unreachable(address: str) -> str:
    """Why nothing answers there; "" if something does."""
    url = urlsplit(address)
    try:
        async with asyncio.timeout(CONNECT_S):
            if url.scheme == "unix":
                _, writer = await asyncio.open_unix_connection(url.path)
            else:
                port = url.port or (443 if url.scheme == "https" else 80)
                _, writer = await asyncio.open_connection(url.hostname, port)
    except TimeoutError:
        return f"does not answer within {CONNECT_S:g} s"
    except OSError as error:
        return f"cannot be reached: {reason(error)}"
    writer.close()
    return ""


async def sound(settings: SatelliteSettings) -> list[Finding]:
    found: Sequence[Any] = await look(settings)
    findings = []
    for what, looked in zip(("microphone", "speaker"), found, strict=True):
        is_missing = looked.says.startswith("none")
        verdict: Literal["works", "fails", "note"] = "note" if is_missing else "works"
        if is_missing and looked.is_used:  # it is asked for by name, or is there and does not open
            verdict = "fails"
        mend = f"satellite.{what} says which is to be used" if verdict == "fails" else ""
        findings.append(Finding("Sound", verdict, f"{what}: {looked.says}", mend))
    return findings
