"""Files that are written whole or not at all."""

import contextlib
import os
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Whoever reads it finds what was there before or all of `data`, and it is never readable by more
    than `mode` says. What root writes belongs to whom the directory belongs. Makes the directory, for
    its owner alone. Raises OSError."""
    make_directory(path.parent)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        half.unlink()  # of one that died half-way; what is opened below is new, and no link elsewhere
    try:
        with open(half, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            give_to_owner_of(path.parent, file.fileno())
        half.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            half.unlink()


def make_directory(directory: Path) -> None:
    """With those above it. Root makes it for whom the one above belongs to: a service could not enter
    root's. Raises OSError."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        owner = directory.parent.stat()
        os.chown(directory, owner.st_uid, owner.st_gid, follow_symlinks=False)


def give_to_owner_of(directory: Path, descriptor: int) -> None:
    """An open file, if root has made it."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
