"""`airos models`: which there are, and how they come onto the box, are looked at again, and go."""

import asyncio
import json
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from airos_edge.cli import control
from airos_edge.cli.models_listed import print_list
from airos_edge.cli.progress import ProgressLines, mb
from airos_edge.config import Config, load
from airos_edge.engines import choosing, llm, registry
from airos_edge.errors import AirosError, DaemonError, ModelError
from airos_edge.models import catalogue, getting, importing, manifest
from airos_edge.models.catalogue import Entry
from airos_edge.models.getting import Plan, Progress
from airos_edge.models.hub import Hub, open_hub
from airos_edge.models.speed import fast_enough, this_machine
from airos_edge.models.stored import MANIFEST, Task, stored_models
from airos_edge.opened import models_directory
from airos_edge.paths import socket_path

RECOMMENDED = "recommended"


def main(arguments: Namespace) -> int:
    config = load(arguments.config)
    directory = models_directory(config)
    match arguments.action:
        case "list":
            language = arguments.language or config.language
            return print_list(directory, language, arguments.all, arguments.json)
        case "get" | "recommended":
            return _get(arguments, config, directory)
        case "verify":
            return _verify(directory, arguments.names)
        case "remove":
            return _remove(directory, arguments.names, arguments.yes)
        case "path":
            print(_stored(directory, arguments.name) if arguments.name else directory)
            return 0
    return _import(arguments, directory)


# ---- get ----------------------------------------------------------------------------------------


def _get(arguments: Namespace, config: Config, directory: Path) -> int:
    names = arguments.names if arguments.action == "get" else [RECOMMENDED]
    language = arguments.language or config.language
    wanted: dict[str, Entry] = {}
    for name in names:
        chosen = (
            _recommended(language)
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
    _warn_of_another_directory(directory)
    brought, failed = asyncio.run(_bring(entries, config.models.mirror, directory, arguments))
    for entry in brought:
        print(f"{entry.name} is there: {directory / entry.name}")
        _say_what_runs_it(entry)
    if brought:
        _tell_daemon()
    for error in failed:
        print(f"airos: {error}", file=sys.stderr)
    return 1 if failed else 0


def _recommended(language: str) -> list[Entry]:
    """Ears and a voice: the best that this box is fast enough for and that can be run, or the smallest."""
    machine = this_machine()
    chosen: list[Entry] = []
    ears_and_voice: tuple[Task, ...] = ("asr", "tts")
    for task in ears_and_voice:
        found = catalogue.recommended(task, language)
        if not found:
            print(
                f"airos: for {task} in {language!r} the catalogue recommends none", file=sys.stderr
            )
            continue
        able = [entry for entry in found if _lacks(entry) is None] or found
        fast = [
            entry for entry in able if fast_enough(entry.task, entry.cost, machine).enough == "yes"
        ]
        chosen.append(max(fast, key=lambda entry: entry.quality) if fast else able[0])
    if not chosen:
        raise ModelError(
            f"nothing is recommended for {language!r}: look at `airos models list --all`"
        )
    return chosen


async def _bring(
    entries: Sequence[Entry], mirror: str | None, directory: Path, arguments: Namespace
) -> tuple[list[Entry], list[AirosError]]:
    """Those that have come, and what kept others from it."""
    turns = asyncio.Semaphore(getting.AT_ONCE)
    lines = ProgressLines(sys.stderr)
    async with open_hub(mirror, told=lines.say) as hub:
        plans = [await getting.plan(hub, entry, turns) for entry in entries]
        needed = getting.missing_bytes(plans, directory)
        for plan in plans:
            told = f"{plan.entry.name}: {mb(plan.size_bytes)} MB, {plan.entry.licence}"
            print(f"{told}, from {hub.address}/{plan.entry.repo}", file=sys.stderr)
            if not plan.is_certain:
                print(
                    "  no SHA-256 is stated there: what comes can only be compared with later times",
                    file=sys.stderr,
                )
        if arguments.dry_run:
            print(f"{mb(needed)} MB would be fetched into {directory}")
            return [], []
        getting.refuse_full_disk(needed, directory)
        try:
            works = [_one(hub, plan, directory, turns, lines) for plan in plans]
            results = await asyncio.gather(*works, return_exceptions=True)
        finally:
            lines.end()
    failed = [result for result in results if isinstance(result, AirosError)]
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, AirosError):
            raise result
    pairs = zip(entries, results, strict=True)
    return [entry for entry, result in pairs if isinstance(result, Path)], failed


async def _one(
    hub: Hub, plan: Plan, directory: Path, turns: asyncio.Semaphore, lines: ProgressLines
) -> Path:
    waited = []

    def wait() -> None:
        waited.append(plan.entry.name)
        lines.say(f"{plan.entry.name} is being fetched by another; waiting for it")

    async with getting.alone(directory, plan.entry.name, wait):
        if waited and getting.is_there(plan.entry, directory):
            return directory / plan.entry.name
        progress = Progress(plan.entry.name, plan.size_bytes, lines.changed)
        return await getting.fetch(hub, plan, directory, turns, progress)


# ---- what lies there ----------------------------------------------------------------------------


def _stored(directory: Path, name: str) -> Path:
    """Raises ModelError."""
    names = [model.name for model in stored_models(directory)]
    if name not in names:
        there = ", ".join(names) or "none"
        raise ModelError(f"there is no model {name!r} in {directory}; there are: {there}")
    return directory / name


def _verify(directory: Path, names: list[str]) -> int:
    """0 if all are as they came."""
    all_names = [model.name for model in stored_models(directory)]
    if not names and not all_names:
        print(f"there are no models in {directory}")
    return max((_verify_one(_stored(directory, name)) for name in names or all_names), default=0)


def _verify_one(path: Path) -> int:
    try:
        files = manifest.read_files(path)
        found = list(manifest.differences(path))
    except ModelError as error:
        print(error)
        return 1
    if not files:
        print(f"{path.name}: its manifest lists no files, so there is nothing to compare")
    elif not found:
        print(f"{path.name}: all of its files are as they came")
    for said in found:
        print(f"{path.name}: {said}")
    if found:
        print(f"  mend it with: airos models get --again {path.name}")
    return 1 if found else 0


def _remove(directory: Path, names: list[str], is_sure: bool) -> int:
    half = [name for name in names if getting.left_overs(directory, name)]
    paths = [directory / name if name in half else _stored(directory, name) for name in names]
    if not is_sure and sys.stdin.isatty():
        answer = input(f"Remove {', '.join(names)} from {directory}? [y/N] ")
        if answer.strip().lower() not in ("y", "yes"):
            print("Nothing was removed.")
            return 1
    asyncio.run(_take_away(directory, paths))
    return 0


async def _take_away(directory: Path, paths: list[Path]) -> None:
    """Without its manifest it is no model any more: the daemon lets go of it, and then the files go."""
    for path in paths:
        async with getting.alone(directory, path.name):
            with getting.writing(path):
                (path / MANIFEST).unlink(missing_ok=True)
    _tell_daemon()
    for path in paths:
        async with getting.alone(directory, path.name):
            if not (path / MANIFEST).exists():  # or it was brought again meanwhile
                shutil.rmtree(path, ignore_errors=True)
            getting.drop_left_overs(directory, path.name)
        print(
            f"{path.name} is removed; who speaks or hears with it at this moment still ends what it does"
        )


def _import(arguments: Namespace, directory: Path) -> int:
    source: Path = arguments.source
    _warn_of_another_directory(directory)
    name = importing.name_of(source, arguments.name)
    languages = tuple(arguments.language.split(",")) if arguments.language else ()

    async def bring() -> Path:
        async with getting.alone(directory, name):
            return await asyncio.to_thread(
                importing.bring_in,
                source,
                directory,
                name,
                arguments.task,
                languages,
                catalogue.entries(),
            )

    path = asyncio.run(bring())
    told = json.loads((path / MANIFEST).read_bytes())
    of = f" of {', '.join(told['languages'])}" if told["languages"] else ""
    print(f"{name} is there, for {told['engine']} ({told['task']}{of}): {path}")
    _tell_daemon()
    return 0


# ---- the daemon, and the engines ----------------------------------------------------------------


def _tell_daemon() -> None:
    """What it takes up it says itself. That none runs is no fault; that it could not be told is said."""
    try:
        changed = control.request(socket_path(), "POST", "/api/models/changed")["changed"]
    except control.NoDaemon:
        print("No daemon is running; the next one to start takes it up.")
    except DaemonError as error:
        print(f"airos: the daemon has not taken it up: {error}", file=sys.stderr)
    else:
        for port, engine in changed.items():
            print(f"The daemon takes it up, for the next turn: {port} is {engine}.")
        if not changed:
            print("The daemon has looked, and chooses as before: `airos check` says what and why.")


def _warn_of_another_directory(directory: Path) -> None:
    """A daemon of the box, or of another user, would never find what is brought here."""
    try:
        theirs = Path(control.request(socket_path(), "GET", "/api/models")["directory"])
    except (DaemonError, KeyError):
        return
    if theirs != directory.absolute():
        print(
            f"airos: the daemon that runs keeps its models in {theirs}, and this command in {directory}; "
            "to bring them there be its user, or root: sudo airos models …",
            file=sys.stderr,
        )


def _lacks(entry: Entry) -> str | None:
    """What to install before the model can be run; None: all is there."""
    if entry.task == "llm":
        return None if entry.engine in llm.ENGINES else entry.engine
    rows = [row for row in registry.engines(entry.task) if row.name == entry.engine]
    if not rows:
        return entry.engine
    missing = [part for part in rows[0].needs if not choosing.is_installed(part)]
    return rows[0].install if missing else None


def _say_what_runs_it(entry: Entry) -> None:
    lacking = _lacks(entry)
    if lacking is not None:
        print(f"  it is run by {entry.engine}, which is not installed: pip install '{lacking}'")
