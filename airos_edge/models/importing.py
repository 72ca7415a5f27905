"""A model that was brought by hand, into the directory of models: for boxes without internet."""

import hashlib
import json
import re
import shutil
from pathlib import Path

from airos_edge.errors import ModelError
from airos_edge.files import give_to_owner_of, make_directory
from airos_edge.models import manifest
from airos_edge.models.catalogue import Entry
from airos_edge.models.getting import ARRIVING, put_in_place, refuse_full_disk
from airos_edge.models.manifest import Manifest
from airos_edge.models.recognise import Recognised, recognise
from airos_edge.models.stored import MANIFEST, Task, stored_models

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
SUFFIXES = re.compile(r"(\.onnx)?\.json$|(-\d{5}-of-\d{5})?\.(onnx|gguf|tflite)$")


def name_of(source: Path, name: str | None) -> str:
    """What a model from there is called. Raises ModelError for what is no name."""
    called = name or (source.resolve().name if source.is_dir() else SUFFIXES.sub("", source.name))
    if not NAME.fullmatch(called):
        hint = "" if name else "; give it another by --name"
        raise ModelError(
            f"{called!r} is no name for a model: letters, digits, and . _ - in it{hint}"
        )
    return called


def bring_in(
    source: Path,
    directory: Path,
    name: str,
    task: Task | None = None,
    languages: tuple[str, ...] = (),
    known: tuple[Entry, ...] = (),
) -> Path:
    """Copies the model from a directory of another box, or of a known engine, or from a file.

    `languages`: what is said of it; `known`: entries of the catalogue, one of whose quality and licence it
    gets if it has that name. The caller holds the lock of that name. Raises ModelError; then
    nothing has changed.
    """
    if (source / MANIFEST).is_file():
        return _from_another_box(source, directory, name)
    found = recognise(source, task)
    entry = next((one for one in known if one.name == name and one.engine == found.engine), None)
    arriving = _copy(found, directory, name)
    files = manifest.facts_of(arriving, iter(manifest.files_in(arriving)))
    seal = hashlib.sha256("".join(facts.sha256 for facts in files.values()).encode()).hexdigest()
    about = Manifest(
        found.task,
        found.engine,
        entry.kind if entry else "",
        languages or found.languages or (entry.languages if entry else ()),
        entry.quality if entry else 0,
        entry.licence if entry else "",
        str(source.resolve()),
        f"sha256:{seal}",
        files,
    )
    return put_in_place(arriving, directory, name, about)


def _from_another_box(source: Path, directory: Path, name: str) -> Path:
    """With the manifest that it has there, and only if all of it is still as that says."""
    if found := list(manifest.differences(source)):
        raise ModelError(f"{source}: is not whole: {'; '.join(found)}")
    model = next(
        (one for one in stored_models(source.resolve().parent) if one.path == source.resolve()),
        None,
    )
    if model is None:
        raise ModelError(f"{source}: its manifest, {MANIFEST}, cannot be used")
    told = json.loads((source / MANIFEST).read_bytes())
    files = manifest.read_files(source)
    paths = tuple(source / each for each in (files or manifest.files_in(source)))
    arriving = _copy(Recognised(name, model.task, model.engine, paths, source), directory, name)
    about = Manifest(
        model.task,
        model.engine,
        model.kind,
        model.languages,
        model.quality,
        str(told.get("licence", "")),
        str(told.get("source", "")),
        model.revision,
        files or manifest.facts_of(arriving, iter(manifest.files_in(arriving))),
    )
    return put_in_place(arriving, directory, name, about)


def _copy(found: Recognised, directory: Path, name: str) -> Path:
    """Raises ModelError."""
    arriving = directory / ARRIVING / f"{name}@import"
    refuse_full_disk(sum(path.stat().st_size for path in found.files), directory)
    try:
        shutil.rmtree(arriving, ignore_errors=True)
        make_directory(arriving)
        for path in found.files:
            target = arriving / path.relative_to(found.base)
            make_directory(target.parent)
            with path.open("rb") as read, target.open("xb") as written:
                shutil.copyfileobj(read, written, manifest.PIECE)
                give_to_owner_of(target.parent, written.fileno())
    except OSError as error:
        shutil.rmtree(arriving, ignore_errors=True)
        raise ModelError(f"{error.filename or arriving}: {error.strerror or error}") from error
    return arriving
