"""`airos models get` and `recommended`: models from the hub, each whole or not at all."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from airos_edge.cli.models_daemon import refuse_another_directory, tell_daemon
from airos_edge.cli.progress import ProgressLines, mb
from airos_edge.config import Config
from airos_edge.engines.advice import ADVISED, advised, to_install
from airos_edge.errors import AirosError, ModelError
from airos_edge.fluency import spoken_languages
from airos_edge.models import catalogue, getting
from airos_edge.models.catalogue import Entry
from airos_edge.models.getting import Plan, Progress
from airos_edge.models.hub import Hub, open_hub

T = TypeVar("T")
RECOMMENDED = "recommended"


def get(arguments: Namespace, config: Config, directory: Path) -> int:
    names = arguments.names if arguments.action == "get" else [RECOMMENDED]
    wanted: dict[str, Entry] = {}
    for name in names:
        chosen = (
            _recommended(config, arguments.language)
            if name == RECOMMENDED
            else [catalogue.find(name, catalogue.entries())]
        )
        wanted |= {entry.name: entry for entry in chosen}
    entries = [
        entry
        for entry in wanted.values()
        if arguments.again or not getting.is_there(entry, directory)
    ]
    for entry in wanted.values():
        if entry not in entries:
            print(f"{entry.name} is there: {directory / entry.name}")
    if not entries:
        return 0
    refuse_another_directory(directory)
    brought, failed = asyncio.run(_bring(entries, config.models.mirror, directory, arguments))
    for entry in brought:
        print(f"{entry.name} is there: {directory / entry.name}")
        _say_what_runs_it(entry)
    if brought:
        tell_daemon()
    for said in dict.fromkeys(
        map(str, failed)
    ):  # of a hub that is not there it is the same for each
        print(f"airos: {said}", file=sys.stderr)
    return 1 if failed else 0


def _recommended(config: Config, language: str | None) -> list[Entry]:
    """Ears and voices for all that is spoken in the house, or for the language that is named."""
    languages = spoken_languages(config) if language is None else (language,)
    chosen: dict[str, Entry] = {}
    for task, what in ADVISED.items():
        settings = config.asr if task == "asr" else config.tts
        found = advised(task, languages, settings.engine)
        for one in languages:
            if one not in found:
                said = f"airos: {what} for {one!r}: the catalogue recommends none"
                print(said, file=sys.stderr)
        chosen |= {entry.name: entry for entry in found.values()}
    if not chosen:
        told = " and ".join(map(repr, languages))
        raise ModelError(f"nothing is recommended for {told}: look at `airos models list --all`")
    return [*chosen.values()]


async def _bring(
    entries: Sequence[Entry], mirror: str | None, directory: Path, arguments: Namespace
) -> tuple[list[Entry], list[AirosError]]:
    """Those that have come, and what kept others from it."""
    turns = asyncio.Semaphore(getting.AT_ONCE)
    lines = ProgressLines(sys.stderr)
    async with open_hub(mirror, told=lines.say) as hub:
        plans, failed = await _settled([getting.plan(hub, entry, turns) for entry in entries])
        if not plans:
            return [], failed
        needed = getting.missing_bytes(plans, directory)
        for plan in plans:
            lines.say(_told(plan, hub))
        if arguments.dry_run:
            print(f"{mb(needed)} MB would be fetched into {directory}")
            return [], failed
        getting.refuse_full_disk(needed, directory)
        try:
            works = [_one(hub, plan, directory, turns, lines) for plan in plans]
            brought, broken = await _settled(works)
        finally:
            lines.end()
    return brought, failed + broken


async def _settled(works: Iterable[Coroutine[Any, Any, T]]) -> tuple[list[T], list[AirosError]]:
    """What they give, and what some of them raise: one that fails hinders no other."""
    given: list[T] = []
    failed: list[AirosError] = []
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, AirosError):
            failed.append(result)
        elif isinstance(result, BaseException):
            raise result
        else:
            given.append(result)
    return given, failed


def _told(plan: Plan, hub: Hub) -> str:
    entry = plan.entry
    told = (
        f"{entry.name}: {mb(plan.size_bytes)} MB, {entry.licence}, from {hub.address}/{entry.repo}"
    )
    if plan.is_certain:
        return told
    return f"{told}\n  no SHA-256 is stated there: what comes can only be compared with later times"


async def _one(
    hub: Hub, plan: Plan, directory: Path, turns: asyncio.Semaphore, lines: ProgressLines
) -> Entry:
    waited = []

    def wait() -> None:
        waited.append(plan.entry.name)
        lines.say(f"{plan.entry.name} is being fetched by another; waiting for it")

    async with getting.alone(directory, plan.entry.name, wait):
        if waited and getting.is_there(plan.entry, directory):
            return plan.entry
        progress = Progress(plan.entry.name, plan.size_bytes, lines.changed)
        await getting.fetch(hub, plan, directory, turns, progress)
    return plan.entry


def _say_what_runs_it(entry: Entry) -> None:
    install = to_install(entry)
    if install is not None:
        print(f"  it is run by {entry.engine}, which is not installed: pip install '{install}'")
