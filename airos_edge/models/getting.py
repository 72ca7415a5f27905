"""A model from the hub into the directory of models: complete, or not there.

<models>/.arriving/<name>@<commit>/   what has come of it so far
<models>/.arriving/<name>.lock        held by who is bringing it
<models>/.seen/<name>.json            the SHA-256 of each file, by revision, as once seen
<models>/<name>/                      the model, put there whole
"""

import asyncio
import fcntl
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from airos_edge.errors import ModelError
from airos_edge.files import give_to_owner_of, make_directory, write_whole
from airos_edge.models import manifest
from airos_edge.models.catalogue import Entry
from airos_edge.models.download import download
from airos_edge.models.hub import SHA1, Hub, Stated
from airos_edge.models.manifest import FileFacts, Manifest
from airos_edge.models.stored import MANIFEST
from airos_edge.voice.flow import Scope

T = TypeVar("T")
ARRIVING, SEEN = ".arriving", ".seen"
RESERVE_BYTES = 64 * 1024 * 1024
"""What a disk is to have left: a full one stops more than this command."""
AT_ONCE = 4
"""Files that are fetched at the same time, of all models together."""
LOCK_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be fetched of a model."""

    entry: Entry
    revision: str
    files: Mapping[str, tuple[str, Stated]]
    """By the names they get: the path in the repository, and what the hub states."""

    @property
    def size_bytes(self) -> int:
        return sum(stated.size or 0 for _, stated in self.files.values())

    @property
    def is_certain(self) -> bool:
        """Whether the hub states a hash of each file."""
        return all(stated.sha256 or stated.git_sha1 for _, stated in self.files.values())


def is_there(entry: Entry, directory: Path) -> bool:
    """Whether the model is stored, in the edition that the catalogue names."""
    try:
        told = json.loads((directory / entry.name / MANIFEST).read_bytes())
        return entry.revision in ("main", told.get("revision"))
    except (OSError, ValueError, AttributeError):
        return False


async def plan(hub: Hub, entry: Entry, turns: asyncio.Semaphore) -> Plan:
    """Asks the hub for all that it states. `turns`: how much is asked at once. Raises ModelError."""
    first, *others = entry.files

    async def ask(path: str, revision: str) -> tuple[str, Stated]:
        async with turns:
            return path, await hub.stated(entry.repo, revision, path)

    known = [await ask(first, entry.revision)]
    # What "main" is may change between two files: from here on it is a commit.
    revision = known[0][1].commit or entry.revision
    if SHA1.fullmatch(entry.revision) and revision != entry.revision:
        raise ModelError(
            f"{entry.name}: the hub gives {revision}, though asked for {entry.revision}"
        )
    known += await together([ask(path, revision) for path in others])
    return Plan(
        entry, revision, {path.rpartition("/")[2]: (path, stated) for path, stated in known}
    )


def missing_bytes(plans: list[Plan], directory: Path) -> int:
    """What is still to come."""
    there = 0
    for one in plans:
        for path in _arriving(directory, one).rglob("*"):
            with suppress(OSError):  # another process may just be moving it to its place
                there += path.stat().st_size if path.is_file() else 0
    return max(0, sum(one.size_bytes for one in plans) - there)


def refuse_full_disk(needed_bytes: int, directory: Path) -> None:
    """Raises ModelError, which says how much is missing."""
    with writing(directory):
        make_directory(directory)
        free = shutil.disk_usage(directory).free
    if (short := needed_bytes + RESERVE_BYTES - free) > 0:
        raise ModelError(
            f"{directory}: {needed_bytes / 1e6:.0f} MB are needed there and {free / 1e6:.0f} MB free; "
            f"make room for {short / 1e6:.0f} MB, or set models.directory to another disk"
        )


@dataclass
class Progress:
    """How far a model has come; `changed` is called after each piece."""

    name: str
    total_bytes: int
    changed: Callable[["Progress"], None] = lambda progress: None
    done_bytes: int = 0
    fetched_bytes: int = 0
    """Of these, what came over the network now."""
    _first: set[str] = field(default_factory=set)

    def of_file(self, name: str) -> Callable[[int], None]:
        """What `download` tells of a file; first it says what was there already."""

        def told(more: int) -> None:
            self.done_bytes += more
            if name in self._first:
                self.fetched_bytes += max(0, more)
            self._first.add(name)
            self.changed(self)

        return told


async def fetch(
    hub: Hub, plan: Plan, directory: Path, turns: asyncio.Semaphore, progress: Progress
) -> Path:
    """Brings the model, whole, and gives its directory. The caller holds its lock (`alone`).

    Raises ModelError; what has come by then, or until it was cancelled, is gone on with by the next one.
    """
    arriving, entry = _arriving(directory, plan), plan.entry

    async def bring(name: str, path: str, stated: Stated) -> tuple[str, FileFacts]:
        async with turns:
            url = hub.url_of(entry.repo, plan.revision, path)
            target = arriving / name
            sha256 = await download(hub, url, target, stated, progress.of_file(name))
            return name, FileFacts(target.stat().st_size, sha256)

    with writing(arriving):
        make_directory(arriving)
    brought = await together(
        [bring(name, path, stated) for name, (path, stated) in plan.files.items()]
    )
    files = dict(sorted(brought))
    with writing(directory / SEEN):
        _compare_with_seen(directory, plan, files)
    about = Manifest(
        entry.task,
        entry.engine,
        entry.kind,
        entry.languages,
        entry.quality,
        entry.licence,
        f"{hub.address}/{entry.repo}",
        plan.revision,
        files,
    )
    return await asyncio.to_thread(put_in_place, arriving, directory, entry.name, about)


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of them give; the first that fails ends the others."""
    async with Scope() as scope:
        return await asyncio.gather(*[scope.start(work, "fetching") for work in works])


def put_in_place(arriving: Path, directory: Path, name: str, about: Manifest) -> Path:
    """Writes the manifest, and moves the whole directory to its place; one that was there before is gone
    then. Raises ModelError."""
    final, old = directory / name, directory / ARRIVING / f"{name}.old"
    with writing(final):
        manifest.write(arriving, about)
        _sync(arriving)
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.rename(old)
        arriving.rename(final)
        _sync(directory)
        shutil.rmtree(old, ignore_errors=True)
    drop_left_overs(directory, name)
    return final


def left_overs(directory: Path, name: str) -> list[Path]:
    """What has come of a model that is not whole."""
    return sorted((directory / ARRIVING).glob(f"{name}@*"))


def drop_left_overs(directory: Path, name: str) -> None:
    """The caller holds the model's lock."""
    for path in left_overs(directory, name):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What a disk refuses, as a ModelError."""
    try:
        yield
    except OSError as error:
        hint = "; be its owner, or root" if isinstance(error, PermissionError) else ""
        raise ModelError(f"{path}: cannot be written: {error.strerror or error}{hint}") from error


@asynccontextmanager
async def alone(
    directory: Path, name: str, waiting: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """Nobody else brings or removes the model meanwhile, in whatever process; `waiting` is called if
    somebody does. Raises ModelError where no lock can be had."""
    path = directory / ARRIVING / f"{name}.lock"
    with writing(path):
        make_directory(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_to_owner_of(path.parent, descriptor)
    try:
        told = False
        while not _locked(descriptor):
            if not told:
                waiting()
            told = True
            await asyncio.sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _arriving(directory: Path, plan: Plan) -> Path:
    return directory / ARRIVING / f"{plan.entry.name}@{plan.revision[:12].replace('/', '_')}"


def _compare_with_seen(directory: Path, plan: Plan, files: Mapping[str, FileFacts]) -> None:
    """A commit never changes: what was once seen of it has to come again. Raises ModelError."""
    if not SHA1.fullmatch(plan.revision):
        return
    path = directory / SEEN / f"{plan.entry.name}.json"
    try:
        seen = json.loads(path.read_bytes())
    except (OSError, ValueError):
        seen = {}
    pinned = seen.get(plan.revision, {})
    for name, facts in files.items():
        if pinned.get(name, facts.sha256) != facts.sha256:
            raise ModelError(
                f"{plan.entry.name}: {name} is another file than came before of the same revision, "
                f"{plan.revision}; it was not taken. If you trust it, delete {path}"
            )
    seen[plan.revision] = {name: facts.sha256 for name, facts in files.items()}
    write_whole(path, json.dumps(seen, indent=1).encode(), 0o600)


def _sync(directory: Path) -> None:
    """What has been renamed in it is so after a power cut too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
