"""Files that are written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from airos_edge.files import write_whole


def test_it_is_replaced_and_is_for_whom_it_says(tmp_path: Path) -> None:
    file = tmp_path / "new" / "secret"
    write_whole(file, b"one", 0o600)
    write_whole(file, b"two", 0o600)
    assert file.read_bytes() == b"two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_cannot_be_written_whole_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept"
    write_whole(file, b"one", 0o600)

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, b"two", 0o600)
    assert file.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["kept"]


def test_what_root_writes_belongs_to_whom_the_directory_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list[tuple[int, int]]()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda file, user, group: given.append((user, group)))
    write_whole(tmp_path / "file", b"", 0o600)
    owner = tmp_path.stat()
    assert given == [(owner.st_uid, owner.st_gid)]
