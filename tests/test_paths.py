"""The daemon and the commands find the same socket, whoever starts them and from where."""

import os
from pathlib import Path

import pytest

from airos_edge import paths
from airos_edge.paths import daemons_state_directory, socket_mode, socket_path, state_directory


@pytest.fixture(autouse=True)
def _nobody_special(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AIROS_RUNTIME", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(paths, "SYSTEM", tmp_path / "run")
    monkeypatch.setattr(os, "getuid", lambda: 2**31)


def test_the_first_place_that_is_named_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert socket_path() == tmp_path / "home/.local/state/airos/control.sock"
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert socket_path() == Path("/run/user/1000/airos/control.sock")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/airos")
    assert socket_path() == Path("/run/airos/control.sock")
    monkeypatch.setenv("AIROS_RUNTIME", "/tmp/mine")
    assert socket_path() == Path("/tmp/mine/control.sock")


def test_the_socket_of_a_service_is_open_to_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    assert socket_mode() == 0o600
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/airos")
    assert socket_mode() == 0o660
    monkeypatch.setenv("AIROS_RUNTIME", "/tmp/mine")
    assert socket_mode() == 0o600


def test_what_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AIROS_RUNTIME", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, "")
    assert socket_path() == tmp_path / "home/.local/state/airos/control.sock"


def test_a_daemon_of_the_whole_box_is_found_before_the_users_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/control.sock").touch()
    assert socket_path() == tmp_path / "run/control.sock"


def test_without_a_login_the_same_directory_is_meant_as_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "is_dir", lambda path: str(path) == "/run/user/2147483648")
    assert socket_path() == Path("/run/user/2147483648/airos/control.sock")


def test_a_user_without_a_home_has_a_path_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(Path, "home", _no_home)
    assert socket_path() == Path("/run/user/2147483648/airos/control.sock")


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_state_is_kept_where_it_is_configured_or_systemd_or_the_login_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert state_directory(None) == tmp_path / "home/.local/state/airos"
    monkeypatch.setenv("XDG_STATE_HOME", "/home/state")
    assert state_directory(None) == Path("/home/state/airos")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/airos:/var/lib/other")
    assert state_directory(None) == Path("/var/lib/airos")
    assert state_directory("~/mine") == tmp_path / "home/mine"


def test_root_without_a_daemon_means_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setattr(paths, "SYSTEM_STATE", tmp_path / "lib")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert daemons_state_directory(None) == state_directory(None)
    (tmp_path / "lib").mkdir()
    assert daemons_state_directory(None) == tmp_path / "lib"
    assert daemons_state_directory("/elsewhere") == Path("/elsewhere")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert daemons_state_directory(None) == state_directory(None)
