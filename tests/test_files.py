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
    monkeypatch.setattr(os, "chown", lambda path, *owner, **how: given.append(owner))
    write_whole(tmp_path / "tls" / "file", b"", 0o600)
    owner = tmp_path.stat()
    assert given == [(owner.st_uid, owner.st_gid)] * 2


def test_what_lies_in_the_way_is_neither_followed_nor_kept(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"of somebody else")
    (tmp_path / f".kept.{os.getpid()}").symlink_to(elsewhere)
    write_whole(tmp_path / "kept", b"one", 0o600)
    assert elsewhere.read_bytes() == b"of somebody else"
    assert not (tmp_path / "kept").is_symlink()
    (tmp_path / f".kept.{os.getpid()}").write_bytes(b"left, and readable by all")
    write_whole(tmp_path / "kept", b"two", 0o600)
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o600
