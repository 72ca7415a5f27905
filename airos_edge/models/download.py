"""One file from the hub onto the disk: resumed where it broke off, and compared with what the hub states."""

import asyncio
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airos_edge.errors import ModelError
from airos_edge.files import give_to_owner_of, make_directory, write_whole
from airos_edge.models.hub import AS_IT_IS, Hub, Stated, Trouble, refuse, translated
from airos_edge.models.manifest import PIECE, sha256_of
from airos_edge.models.suspect import instead

if TYPE_CHECKING:
    import httpx2

RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
"""Content-Range, RFC 9110, 14.4."""


async def download(
    hub: Hub, url: str, target: Path, stated: Stated, told: Callable[[int], None] = lambda n: None
) -> str:
    """Puts the file at `target`, whole and as stated; gives its SHA-256.

    What has come lies beside it as `.part` until then, and is gone on with by the next call. `told`: how
    many bytes more there are, less than 0 where it begins again. Raises ModelError; cancelling it leaves
    what has come.
    """
    try:
        return await _download(hub, url, target, stated, told)
    except OSError as error:
        raise ModelError(f"{target}: cannot be written: {error.strerror or error}") from error


async def _download(
    hub: Hub, url: str, target: Path, stated: Stated, told: Callable[[int], None]
) -> str:
    make_directory(target.parent)
    part = _begun(target, told)
    told(part.size)
    was_resumed = part.size > 0
    while True:
        if stated.size is None or part.size < stated.size or (stated.size == 0 and not part.size):
            await hub.patiently(url, lambda: _go_on(hub, url, part, stated), lambda: part.size)
        sha256, complaint = await asyncio.to_thread(_judged, part.path, target.name, stated)
        if complaint is None:
            part.end_as(target)
            return sha256
        part.empty()
        if not was_resumed:
            raise ModelError(f"{url}: {complaint}")
        was_resumed = False  # pieces of two editions may have met: all of it, once more


@dataclass
class _Part:
    """What has come of a file, and the ETag it came with."""

    path: Path
    told: Callable[[int], None]

    @property
    def tag_path(self) -> Path:
        return self.path.with_suffix(".etag")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def tag(self) -> str:
        return self.tag_path.read_text() if self.tag_path.exists() else ""

    def end_as(self, target: Path) -> None:
        self.path.replace(target)
        self.tag_path.unlink(missing_ok=True)

    def empty(self) -> None:
        self.told(-self.size)
        self.path.unlink(missing_ok=True)
        self.tag_path.unlink(missing_ok=True)


def _begun(target: Path, told: Callable[[int], None]) -> _Part:
    """With what an earlier call has left; a file that was whole while others were still on their way is
    looked at again too."""
    part = _Part(target.with_name(target.name + ".part"), told)
    if target.exists():
        target.replace(part.path)
    return part


async def _go_on(hub: Hub, url: str, part: _Part, stated: Stated) -> None:
    """One request for what is missing. Raises Trouble or ModelError."""
    headers, begin, tag = dict(AS_IT_IS), part.size, part.tag
    if begin:
        headers["Range"] = f"bytes={begin}-"
        if tag and not tag.startswith("W/"):  # a weak one may not be compared so (RFC 9110, 13.1.5)
            headers["If-Range"] = tag
    with translated():
        async with hub.client.stream(
            "GET", url, headers=headers, follow_redirects=True
        ) as response:
            if (
                response.status_code == 416
            ):  # there is no such range, so what we have is another file's
                part.empty()
                raise Trouble("has no more of the file, and yet it is not whole")
            refuse(response, url)
            total = _total(response, part, tag, stated, url)
            write_whole(part.tag_path, response.headers.get("etag", "").encode(), 0o600)
            await _write(response, part, total if stated.size is None else stated.size, url)
    missing = (total or stated.size or 0) - part.size
    if missing > 0:
        raise Trouble(f"ends {missing} bytes too early")


def _total(
    response: "httpx2.Response", part: _Part, tag: str, stated: Stated, url: str
) -> int | None:
    """How large the whole file is, by this answer; the part is emptied where the answer begins anew."""
    if "text/html" in response.headers.get("content-type", "") and not url.endswith(".html"):
        raise ModelError(f"{url}: is a web page, not a model: a portal or a proxy has answered")
    if response.status_code == 206:
        said = RANGE.fullmatch(response.headers.get("content-range", ""))
        new_tag = response.headers.get("etag", "")
        if said is None or int(said[1]) != part.size or (tag and new_tag and tag != new_tag):
            part.empty()
            raise Trouble(
                "has changed while it was fetched, or sends another part than was asked for"
            )
        total = None if said[2] == "*" else int(said[2])
    else:
        if part.size:  # the server knows no ranges, or the file is another one by now
            part.empty()
        length = response.headers.get("content-length")
        is_plain = response.headers.get("content-encoding", "identity") == "identity"
        total = int(length) if length and length.isdigit() and is_plain else None
    if total is not None and stated.size is not None and total != stated.size:
        raise ModelError(f"{url}: has {total} bytes, but the hub states {stated.size}")
    return total


async def _write(response: "httpx2.Response", part: _Part, at_most: int | None, url: str) -> None:
    size = part.size
    with part.path.open("ab") as file:
        give_to_owner_of(part.path.parent, file.fileno())
        async for piece in response.aiter_bytes():
            size += len(piece)
            if at_most is not None and size > at_most:
                raise ModelError(f"{url}: sends more than the {at_most} bytes it is said to have")
            file.write(piece)
            part.told(len(piece))
        file.flush()
        os.fsync(file.fileno())


def _judged(path: Path, name: str, stated: Stated) -> tuple[str, str | None]:
    """The SHA-256, and what is wrong with the file. In a thread: it reads all of it."""
    size, sha256 = path.stat().st_size, sha256_of(path)
    if (size or stated.size) and (said := instead(path, Path(name).suffix)):
        return sha256, said
    if stated.size is not None and size != stated.size:
        return sha256, f"has {size} bytes, but the hub states {stated.size}"
    if stated.sha256 is not None and sha256 != stated.sha256:
        return sha256, f"has the SHA-256 {sha256}, but the hub states {stated.sha256}"
    if stated.git_sha1 is not None and _git_sha1(path, size) != stated.git_sha1:
        return sha256, "is not the file that the hub states: its SHA-1 is another"
    return sha256, None


def _git_sha1(path: Path, size: int) -> str:
    """As git names a blob (git's Documentation/user-manual, "The Object Database")."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
