"""The catalogue of models that `airos models` can bring: what they are for, and where they come from.

It is `catalogue.yaml` beside this file, which says of each entry what its fields mean.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from airos_edge.errors import ModelError
from airos_edge.models.stored import TASKS, Task

FILE = Path(__file__).with_name("catalogue.yaml")
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ANY = "*"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model asks of a box, roughly; see `speed.py`."""

    pi5: float
    """Seconds of work on a Raspberry Pi 5 for each second that is heard or said."""
    pc: float
    """The same on a mini-PC with four cores of x86."""
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that could be brought. Several may come from one repository."""

    name: str
    task: Task
    engine: str
    repo: str
    files: tuple[str, ...]
    """Their paths in the repository."""
    kind: str = ""
    languages: tuple[str, ...] = ()
    """None given: any, as far as the model knows it."""
    size_mb: int = 0
    """About; the hub knows it exactly."""
    licence: str = ""
    quality: int = 0
    """Higher is better, among the models of a task."""
    revision: str = "main"
    """A commit where it is known: what it names never changes."""
    cost: Cost = field(default_factory=lambda: Cost(0, 0, 0))
    recommended: tuple[str, ...] = ()
    """For which languages; "*" for each that it speaks."""

    def speaks(self, language: str) -> bool:
        """Of "de-at" it is enough to speak "de"."""
        return not self.languages or _is_of(language, self.languages)


def load(file: Path = FILE) -> tuple[Entry, ...]:
    """The entries in the order of the file. Raises ModelError for a catalogue that is none."""
    try:
        told = yaml.load(file.read_text(encoding="utf-8"), Loader)
        return tuple(_entry(name, fields) for name, fields in told.items())
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{file}: is no catalogue of models: {error}") from error


@cache
def entries() -> tuple[Entry, ...]:
    """Those that come with airos."""
    return load()


def find(name: str, among: Collection[Entry]) -> Entry:
    """Raises ModelError, which names what is nearest."""
    for entry in among:
        if entry.name == name:
            return entry
    near = get_close_matches(name, [entry.name for entry in among], n=1)
    hint = f"did you mean {near[0]}?" if near else "`airos models list` shows those there are"
    raise ModelError(f"the catalogue has no model {name!r}; {hint}")


def recommended(task: Task, language: str, among: Collection[Entry] | None = None) -> list[Entry]:
    """Those to take for a task in a language, the smallest first; none where nothing is known to be good."""
    return sorted(
        (
            entry
            for entry in (entries() if among is None else among)
            if entry.task == task and _is_of(language, entry.recommended) and entry.speaks(language)
        ),
        key=lambda entry: entry.size_mb,
    )


def _is_of(language: str, languages: Collection[str]) -> bool:
    return bool({language, language.partition("-")[0], ANY} & {*languages})


def _entry(name: str, fields: Mapping[str, Any]) -> Entry:
    told = dict(fields)
    if told["task"] not in TASKS:
        raise ValueError(f"{name}: there is no task {told['task']!r}")
    for listed in ("languages", "recommended", "files"):
        told[listed] = tuple(told.get(listed, ()))
    return Entry(name=name, cost=Cost(**told.pop("cost")), **told)
