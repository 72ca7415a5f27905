"""Who the box is stays the same: over restarts, over a new name, and without a place to keep it."""

import logging
from pathlib import Path

import pytest

from airos_edge.identity import identity

MACHINE = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def machine_id(tmp_path: Path) -> Path:
    file = tmp_path / "machine-id"
    file.write_text(f"{MACHINE}\n")
    return file


def test_it_is_a_hash_of_the_machine_id_which_itself_is_not_told(
    tmp_path: Path, machine_id: Path
) -> None:
    found = identity(tmp_path / "a", machine_id)
    assert len(found) == 12
    assert found not in MACHINE
    assert identity(tmp_path / "b", machine_id) == found


def test_it_is_kept_when_the_machine_gets_another_id(tmp_path: Path, machine_id: Path) -> None:
    found = identity(tmp_path / "state", machine_id)
    machine_id.write_text("f" * 32)
    assert identity(tmp_path / "state", machine_id) == found


@pytest.mark.parametrize("content", [None, "", "uninitialized\n", "ä"])
def test_a_machine_without_an_id_gets_one_by_chance_and_keeps_it(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "machine-id"
    if content is not None:
        file.write_text(content)
    found = identity(tmp_path / "state", file)
    assert identity(tmp_path / "state", file) == found
    assert identity(tmp_path / "other", file) != found


def test_what_is_kept_and_is_no_identity_is_replaced(tmp_path: Path, machine_id: Path) -> None:
    (tmp_path / "identity").write_text("../../etc")
    found = identity(tmp_path, machine_id)
    assert (tmp_path / "identity").read_text() == f"{found}\n"


def test_where_it_cannot_be_kept_it_is_there_all_the_same(
    tmp_path: Path, machine_id: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        found = identity(tmp_path / "file" / "state", machine_id)
    assert identity(tmp_path / "state", machine_id) == found
    assert "state.directory" in caplog.text
