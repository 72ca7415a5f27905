"""What a command learns from the daemon, and of it when it does not answer."""

import socket
from pathlib import Path
from typing import Any

import pytest

from airos_edge.cli import control
from airos_edge.errors import DaemonError
from tests.cli.conftest import FakeDaemon

pytestmark = pytest.mark.real_time


def test_the_daemons_answer_is_given(daemon: FakeDaemon) -> None:
    daemon.answer = {"changed": "home"}
    assert control.post_json(daemon.path, "/api/reload", {"é": 1}) == {"changed": "home"}
    assert daemon.requests == [("POST", "/api/reload", b'{"\\u00e9": 1}')]


def test_a_refusal_is_given_in_the_daemons_own_words(daemon: FakeDaemon) -> None:
    daemon.status, daemon.answer = 400, {"error": "espeak: broke"}
    with pytest.raises(control.Refused, match=r"^espeak: broke$"):
        control.request(daemon.path, "POST", "/api/say")


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, b"500 Internal Server Error"), (200, b"<html>"), (200, [1]), (503, {"status": "?"})],
)
def test_what_is_no_answer_points_to_the_log(daemon: FakeDaemon, status: int, answer: Any) -> None:
    daemon.status, daemon.answer = status, answer
    with pytest.raises(DaemonError, match=rf"the daemon failed \(HTTP {status}\); its log"):
        control.request(daemon.path, "GET", "/api/check")


def no_file(path: Path) -> None:
    pass


def a_file_for_its_directory(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


def what_a_killed_daemon_left(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


@pytest.mark.parametrize("found", [no_file, a_file_for_its_directory, what_a_killed_daemon_left])
def test_where_nothing_listens_there_is_no_daemon(tmp_path: Path, found: Any) -> None:
    path = tmp_path / "run" / "control.sock"
    path.parent.mkdir()
    found(path)
    with pytest.raises(control.NoDaemon, match=r"no daemon is running .* `airos run`"):
        control.request(path, "GET", "/api/check")


def test_another_users_daemon_is_named(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(control._UnixConnection, "connect", refuse)
    with pytest.raises(DaemonError, match="another user's") as caught:
        control.request(daemon.path, "GET", "/api/check")
    assert not isinstance(caught.value, control.NoDaemon)


def test_of_a_service_the_group_is_named_that_may_ask_it(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(control._UnixConnection, "connect", refuse)
    monkeypatch.setenv("LOGNAME", "anna")
    daemon.path.chmod(0o660)
    with pytest.raises(DaemonError, match=rf"`sudo adduser anna {daemon.path.group()}`"):
        control.request(daemon.path, "GET", "/api/check")


def test_a_path_no_socket_can_have_is_named(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 120)
    with pytest.raises(DaemonError, match=f"{path} cannot be reached: .*too long"):
        control.request(path, "GET", "/api/check")


def test_a_daemon_that_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "TIMEOUT_S", 0.05)
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(DaemonError, match=r"no answer for 0\.05 s"):
            control.request(path, "GET", "/api/check")


def test_a_daemon_that_hangs_up_did_not_answer(daemon: FakeDaemon) -> None:
    daemon.answer = None
    with pytest.raises(DaemonError, match=r"the daemon did not answer: .*without response"):
        control.request(daemon.path, "GET", "/api/check")
