"""`airos models`: which there are, and how they come onto the box, are looked at again, and go."""

import asyncio
import json
import shlex
import shutil
import sys
from argparse import Namespace
from pathlib import Path

from airos_edge.cli.models_daemon import refuse_another_directory, tell_daemon
from airos_edge.cli.models_get import get
from airos_edge.cli.models_list import print_list
from airos_edge.config import load
from airos_edge.errors import ModelError
from airos_edge.fluency import spoken_languages
from airos_edge.models import catalogue, getting, importing, manifest
from airos_edge.models.stored import MANIFEST, stored_models
from airos_edge.opened import factors, models_directory


def main(arguments: Namespace) -> int:
    config = load(arguments.config)
    directory = models_directory(config)
    match arguments.action:
        case "list":
            languages = (arguments.language,) if arguments.language else spoken_languages(config)
            return print_list(directory, languages, arguments.all, arguments.json, factors(config))
        case "get" | "recommended":
            return get(arguments, config, directory)
        case "verify":
            return _verify(directory, arguments.names)
        case "remove":
            return _remove(directory, arguments.names, arguments.yes)
        case "path":
            print(_stored(directory, arguments.name) if arguments.name else directory)
            return 0
    return _import(arguments, directory)


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
        print(f"  mend it with: {_brought_by(path)}")
    return 1 if found else 0


def _brought_by(path: Path) -> str:
    """The command that brings it again: from the hub, or from where it was imported."""
    if path.name in {entry.name for entry in catalogue.entries()}:
        return f"airos models get --again {path.name}"
    source = json.loads((path / MANIFEST).read_bytes()).get("source") or "FILE|DIR"
    return shlex.join(["airos", "models", "import", source, "--name", path.name])


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
    tell_daemon()
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
    refuse_another_directory(directory)
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
    tell_daemon()
    return 0
