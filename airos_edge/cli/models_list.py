"""`airos models list`: the catalogue and what lies on the box, with what this box would make of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from airos_edge.models import catalogue
from airos_edge.models.catalogue import Entry
from airos_edge.models.manifest import size_of
from airos_edge.models.speed import Machine, fast_enough, this_machine
from airos_edge.models.stored import TASKS, StoredModel, stored_models

SAID = {"asr": "ears", "tts": "voices", "wake": "wake words", "llm": "minds"}
LINE = " {:<1} {:<23.23} {:<13.13} {:<9.9} {:>5} {:>7}  {:<13} {}"
FAST = {"yes": "fast enough", "barely": "a bit slow", "no": "too slow"}


Measured = Callable[[StoredModel], float | None]
"""Seconds of work for each second heard or said, of a model that was timed on this box."""


def untimed(model: StoredModel) -> None:
    return None


def print_list(
    directory: Path,
    languages: Sequence[str],
    all_languages: bool,
    as_json: bool,
    measured: Measured = untimed,
) -> int:
    """Those of these languages, or all."""
    machine = this_machine()
    stored = {model.name: model for model in stored_models(directory)}
    entries = [
        one for one in catalogue.entries() if all_languages or any(map(one.speaks, languages))
    ]
    rows = [_row(entry, stored.get(entry.name), machine, languages, measured) for entry in entries]
    known = {entry.name for entry in catalogue.entries()}
    rows += [_own(model) for model in stored.values() if model.name not in known]
    if as_json:
        told = {"directory": str(directory), "machine": asdict(machine), "models": rows}
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print(LINE.format("", "", "engine", "languages", "MB", "quality", "on this box", "licence"))
    for task in TASKS:
        mine = [row for row in rows if row["task"] == task]
        if mine:
            print(f"{SAID[task]}:")
        for row in sorted(mine, key=lambda row: row["quality"]):
            _print(row)
    named = " and ".join(map(repr, languages))
    which = "all languages" if all_languages else f"{named}; --all shows the others"
    print(f"For {which}. * is recommended; `airos models get NAME` brings one into {directory}")
    return 0


def _row(
    entry: Entry,
    stored: StoredModel | None,
    machine: Machine,
    languages: Sequence[str],
    measured: Measured,
) -> dict[str, Any]:
    factor = measured(stored) if stored else None
    verdict = fast_enough(entry.task, entry.cost, machine, factor)
    return {
        "name": entry.name,
        "task": entry.task,
        "engine": entry.engine,
        "languages": list(entry.languages),
        "size_mb": entry.size_mb,
        "licence": entry.licence,
        "quality": entry.quality,
        "recommended": any(entry in catalogue.recommended(entry.task, one) for one in languages),
        "stored": stored is not None,
        "fast_enough": verdict.enough,
        "why": verdict.why,
    }


def _own(model: StoredModel) -> dict[str, Any]:
    """One that is in no catalogue: somebody has brought it."""
    return {
        "name": model.name,
        "task": model.task,
        "engine": model.engine,
        "languages": list(model.languages),
        "size_mb": size_of(model.path) // 1_000_000,
        "licence": "",
        "quality": model.quality,
        "recommended": False,
        "stored": True,
        "fast_enough": None,
        "why": "it was imported",
    }


def _print(row: dict[str, Any]) -> None:
    mark = "*" if row["recommended"] else ""
    languages = ",".join(row["languages"]) or "any"
    if len(languages) > 9:
        languages = f"{languages[:8].rpartition(',')[0]},…"
    here = "here" if row["stored"] else FAST.get(row["fast_enough"], "")
    named = (mark, row["name"], row["engine"], languages)
    print(LINE.format(*named, row["size_mb"], row["quality"], here, row["licence"]).rstrip())
