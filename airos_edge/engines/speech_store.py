"""Sentences that have been said, with their sound: the newest in memory, and more of them on the disk.

A sentence is a file, whose name tells nothing of it: a line of JSON that says what its pieces are, then
their samples. The directory is all there is to know of what is kept, so two processes may share it.
"""

import json
import logging
import os
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from airos_edge.files import write_whole
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk
from airos_edge.voice.ports import Speech

log = logging.getLogger(__name__)

Said = tuple[Speech, ...]
FORMAT = 1
MEMORY_BYTES = 8 * 1024 * 1024
"""Some three minutes of speech at 22 kHz."""
SUFFIX = ".speech"
FILLED = 0.9
"""How much of the room is left filled where there was no more: not every sentence is to look for some."""
LOOK_AFTER = 8
"""Sentences written; so many of each other process may be too many."""
LEFT_S = 3600.0
"""A half file that is so old is of one that died while it wrote."""


class SpeechStore:
    """`most_bytes` 0: nothing is kept. Reading and writing block; several threads may do so at once."""

    def __init__(self, directory: Path, most_bytes: int, memory_bytes: int = MEMORY_BYTES) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._memory_bytes = min(memory_bytes, most_bytes)
        self._memory: OrderedDict[str, Said] = OrderedDict()
        self._in_memory_bytes = 0
        self._has_failed = False
        self._used_bytes = self._unseen_writes = 0
        self._writing = threading.Lock()

    def at_hand(self, key: str) -> Said | None:
        """What is in memory. Does not block; for the loop's thread only, as `keep_at_hand` is."""
        said = self._memory.get(key)
        if said is not None:
            self._memory.move_to_end(key)
        return said

    def keep_at_hand(self, key: str, said: Said) -> None:
        self._forget(key)
        self._memory[key] = said
        self._in_memory_bytes += size_of(said)
        while self._in_memory_bytes > self._memory_bytes:
            self._forget(next(iter(self._memory)))

    def _forget(self, key: str) -> None:
        gone = self._memory.pop(key, None)
        self._in_memory_bytes -= size_of(gone) if gone else 0

    def read(self, key: str) -> Said | None:
        """What is on the disk. A file that is spoilt is removed, and logged."""
        path = self._path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            return unpacked(data)
        except ValueError as error:
            log.warning("%s: %s; it is made anew", path, error)
            with suppress(OSError):
                path.unlink()
            return None

    def touch(self, key: str) -> None:
        """It was said again: of what is on the disk, it is to go last."""
        with suppress(OSError):
            os.utime(self._path(key))

    def write(self, key: str, said: Said) -> None:
        """What has not been said for the longest time goes, where there is no more room. A disk that does
        not take it is logged once."""
        data = packed(said)
        if len(data) > self._most_bytes:
            return
        with self._writing:
            try:
                self._make_room(len(data))
                write_whole(self._path(key), data, 0o600)
            except OSError as error:
                if not self._has_failed:
                    log.warning("%s: speech cannot be kept: %s", self._directory, error)
                self._has_failed = True

    def _make_room(self, wanted_bytes: int) -> None:
        """Looks through the directory when it may be full, and now and then, as others write there too."""
        self._used_bytes += wanted_bytes
        self._unseen_writes -= 1
        if self._used_bytes <= self._most_bytes and self._unseen_writes > 0:
            return
        files = sorted(_files(self._directory), reverse=True)
        whole = [(size, path) for _, size, path in files if not _is_half(path)]
        used_bytes = sum(size for size, _ in whole)
        is_full = used_bytes + wanted_bytes > self._most_bytes
        room = int(self._most_bytes * FILLED) - wanted_bytes if is_full else self._most_bytes
        gone = [path for at, _, path in files if _is_half(path) and at < time.time() - LEFT_S]
        for size, path in whole:
            room -= size
            if room < 0:
                gone.append(path)
                used_bytes -= size
        for name in gone:
            with suppress(OSError):
                os.unlink(name)
        self._used_bytes = used_bytes + wanted_bytes
        self._unseen_writes = LOOK_AFTER

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}{SUFFIX}"


def _files(directory: Path) -> Iterator[tuple[float, int, str]]:
    """When each was last said, its bytes and its path; of another process's, one may be gone by then."""
    if not directory.is_dir():
        return
    with os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                if SUFFIX in entry.name:
                    told = entry.stat()
                    yield told.st_mtime, told.st_size, entry.path


def _is_half(path: str) -> bool:
    """Of a process that is at it."""
    return os.path.basename(path).startswith(".")


def size_of(said: Sequence[Speech]) -> int:
    """Bytes, about: the sound is nearly all of it."""
    return sum(len(piece.chunk.pcm) + 2 * len(piece.text) + 200 for piece in said)


def packed(said: Sequence[Speech]) -> bytes:
    pcm = b"".join(piece.chunk.pcm for piece in said)
    pieces = [[piece.chunk.rate_hz, piece.chunk.samples, piece.text] for piece in said]
    body = json.dumps(pieces).encode() + b"\n" + pcm
    return b"%d %08x\n" % (FORMAT, zlib.crc32(body)) + body


def unpacked(data: bytes) -> Said:
    """Raises ValueError for anything but what `packed` gave."""
    head, _, body = data.partition(b"\n")
    if head != b"%d %08x" % (FORMAT, zlib.crc32(body)):
        raise ValueError("is spoilt")
    line, _, pcm = body.partition(b"\n")
    said, start = [], 0
    for rate_hz, samples, text in json.loads(line):
        end = start + samples * BYTES_PER_SAMPLE
        said.append(Speech(AudioChunk(pcm[start:end], rate_hz), text))
        start = end
    return tuple(said)
