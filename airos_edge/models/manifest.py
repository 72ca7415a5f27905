"""The manifest of a model, `airos.json`: what the model is, where it is from, and its files as they came.

    {"task": "asr", "engine": "whisper", "kind": "", "languages": [], "quality": 40, "licence": "MIT",
     "source": "https://huggingface.co/Systran/faster-whisper-base", "revision": "ebe41f7…",
     "files": {"model.bin": {"size": 145217532, "sha256": "…"}}}

`stored.py` reads of it what engines are chosen by.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from airos_edge.errors import ModelError
from airos_edge.files import write_whole
from airos_edge.models.stored import MANIFEST, Task
from airos_edge.models.suspect import instead

PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileFacts:
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    task: Task
    engine: str
    kind: str
    languages: tuple[str, ...]
    quality: int
    licence: str
    source: str
    revision: str
    files: Mapping[str, FileFacts]
    """By their names within the model's directory, with "/" in them where they lie in folders."""


def write(directory: Path, manifest: Manifest) -> None:
    """Raises OSError."""
    data = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
    write_whole(directory / MANIFEST, data, 0o644)


def read_files(directory: Path) -> dict[str, FileFacts]:
    """The files that the manifest there lists; none where it lists none, as those written by hand.

    Raises ModelError.
    """
    try:
        told: Any = json.loads((directory / MANIFEST).read_bytes())
        files = {
            _within(name): FileFacts(int(facts["size"]), str(facts["sha256"]))
            for name, facts in told.get("files", {}).items()
        }
    except FileNotFoundError:
        raise ModelError(f"{directory}: has no manifest, {MANIFEST}: it is no model") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{directory / MANIFEST}: is no manifest of a model: {error}") from error
    return files


def differences(directory: Path) -> Iterator[str]:
    """What is no more as the manifest says, file by file; reads all of them. Raises ModelError."""
    for name, facts in read_files(directory).items():
        if said := _difference(directory / name, facts):
            yield f"{name} {said}"


def _difference(path: Path, facts: FileFacts) -> str | None:
    try:
        size = path.stat().st_size
        if size == facts.size and sha256_of(path) == facts.sha256:
            return None
        if said := instead(path):
            return said
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if size < facts.size:
        return f"is cut off: {size} of {facts.size} bytes are there"
    if size > facts.size:
        return f"has grown: {size} bytes instead of {facts.size}"
    return "has changed: its SHA-256 is another"


def sha256_of(path: Path) -> str:
    """Reads the whole file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def facts_of(directory: Path, names: Iterator[str]) -> dict[str, FileFacts]:
    """Of files that are there. Raises OSError."""
    return {
        name: FileFacts((directory / name).stat().st_size, sha256_of(directory / name))
        for name in names
    }


def files_in(directory: Path) -> list[str]:
    """The names of all that lies there but the manifest, by which it can be found again."""
    found = []
    for folder, _, names in os.walk(directory):
        found += [(Path(folder) / name).relative_to(directory).as_posix() for name in names]
    return sorted(set(found) - {MANIFEST})


def _within(name: str) -> str:
    """Raises ValueError for a name that leads out of the directory."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"{name!r} lies elsewhere")
    return name


def size_of(directory: Path) -> int:
    """In bytes, of all that lies there."""
    return sum((directory / name).stat().st_size for name in files_in(directory))
