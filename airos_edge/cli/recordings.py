"""Recordings as files: which are meant, and their bytes."""

import stat
from pathlib import Path

from airos_edge.errors import RecordingError
from airos_edge.http.limits import LARGEST_BODY_BYTES

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}


def is_named_like_one(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def read(path: Path) -> bytes:
    """The whole file. Raises RecordingError, which names it and says why it cannot be read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # of a pipe or a device nobody knows where it ends
            kind = "a directory" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
            raise RecordingError(f"{path}: this is {kind}, no recording")
        if found.st_size > LARGEST_BODY_BYTES:
            size_mb = found.st_size / 1e6
            raise RecordingError(f"{path}: {size_mb:.0f} MB are too many for a question")
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error
