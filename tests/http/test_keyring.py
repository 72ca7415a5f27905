"""The keys that `airos keys` makes, in their file."""

import os
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from airos_edge.errors import AirosError
from airos_edge.http.keyring import Keyring
from airos_edge.scopes import SCOPES


def test_a_key_is_found_and_nothing_that_is_kept_would_find_it(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    key = keyring.add("kitchen", ["realtime"])
    assert key.startswith("sk-airos-")
    assert len(key) > 50
    kept = (tmp_path / "keys.json").read_text()
    assert key not in kept
    found = keyring.find(key)
    assert found is not None
    assert (found.name, found.scopes) == ("kitchen", ("realtime",))
    assert keyring.find(found.sha256) is None
    assert keyring.find(key[:-1]) is None


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    Keyring(tmp_path / "state").add("one")
    assert stat.S_IMODE((tmp_path / "state" / "keys.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert os.listdir(tmp_path / "state") == ["keys.json"]


def test_what_another_process_changes_is_known_at_once(tmp_path: Path) -> None:
    daemon, command = Keyring(tmp_path), Keyring(tmp_path)
    assert daemon.all() == []
    key = command.add("one")
    assert daemon.find(key) is not None
    command.revoke("one")
    assert daemon.find(key) is None


def test_when_a_key_was_used_is_written_once_a_day(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    key = keyring.add("one")
    assert keyring.all()[0].last_used is None
    keyring.find(key)
    written = (tmp_path / "keys.json").stat()
    keyring.find(key)
    assert (tmp_path / "keys.json").stat().st_ino == written.st_ino
    assert Keyring(tmp_path).all()[0].last_used == date.today().isoformat()


def test_processes_that_add_at_once_lose_no_key(tmp_path: Path) -> None:
    add = (
        "import sys; from pathlib import Path; from airos_edge.http.keyring import Keyring\n"
        "for n in range(20): Keyring(Path(sys.argv[1])).add(f'{sys.argv[2]} {n}')"
    )
    command = [sys.executable, "-c", add, str(tmp_path)]
    processes = [subprocess.Popen([*command, name]) for name in "abcd"]
    assert [process.wait(30) for process in processes] == [0, 0, 0, 0]
    assert len(Keyring(tmp_path).all()) == 80


@pytest.mark.parametrize(
    ("name", "scopes", "said"),
    [
        ("", SCOPES, "a key's name is"),
        ("a\nb", SCOPES, "a key's name is"),
        ("x" * 65, SCOPES, "a key's name is"),
        ("one", ["everything"], "not everything"),
        ("one", [], "not nothing"),
    ],
)
def test_what_a_key_may_not_be_is_said(
    name: str, scopes: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(AirosError, match=said):
        Keyring(tmp_path).add(name, scopes)


def test_names_are_given_once_and_who_is_unknown_cannot_be_revoked(tmp_path: Path) -> None:
    keyring = Keyring(tmp_path)
    keyring.add("one")
    with pytest.raises(AirosError, match="there is a key 'one'"):
        keyring.add("one")
    with pytest.raises(AirosError, match="no key 'two'; there are: one"):
        keyring.revoke("two")


def test_a_file_that_is_broken_is_named_and_a_daemon_goes_on_with_what_it_read(
    tmp_path: Path,
) -> None:
    daemon = Keyring(tmp_path)
    key = daemon.add("one")
    assert daemon.find(key) is not None
    (tmp_path / "keys.json").write_text("{")
    assert daemon.find(key) is not None
    with pytest.raises(AirosError, match=r"keys\.json is no list of keys"):
        Keyring(tmp_path).all()
    with pytest.raises(AirosError, match="is no list of keys"):
        daemon.add("two")


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AirosError, match="keys cannot be kept in"):
        Keyring(tmp_path / "file" / "state").add("one")
