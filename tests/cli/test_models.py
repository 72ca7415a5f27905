"""`airos models`: what is listed, fetched, looked at again and removed, and what is said of it."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from airos_edge.cli import main
from airos_edge.cli.progress import ProgressLines, line_of
from airos_edge.engines import choosing
from airos_edge.models import catalogue
from airos_edge.models.catalogue import Cost, Entry
from airos_edge.models.getting import Progress
from airos_edge.models.hub import Patience
from airos_edge.models.speed import Machine
from tests.cli.conftest import FakeDaemon
from tests.models.hub_server import HubServer, hub_server

pytestmark = pytest.mark.real_time

Captured = pytest.CaptureFixture[str]
DATA = random.Random(1).randbytes(100_000)
VOICES = (
    Entry(
        "owl-small", "tts", "espeak", "owl/small", ("a.bin",), "", ("en",), 1, "MIT", 10,
        cost=Cost(0.1, 0.1, 10), recommended=("en",),
    ),
    Entry(
        "owl-large", "tts", "espeak", "owl/large", ("b.bin",), "", ("en",), 2, "MIT", 20,
        cost=Cost(0.2, 0.2, 10), recommended=("en",),
    ),
    Entry(
        "owl-huge", "tts", "espeak", "owl/huge", ("c.bin",), "", ("en",), 3, "MIT", 30,
        cost=Cost(9, 9, 10), recommended=("en",),
    ),
    Entry(
        "eule", "tts", "strix", "owl/eule", ("d.bin",), "", ("de",), 3, "CC0", 30,
        cost=Cost(0.1, 0.1, 10), recommended=("de",),
    ),
)  # fmt: skip
EARS = Entry(
    "ear", "asr", "pocketsphinx", "owl/ear", ("e.bin",), "", (), 1, "MIT", 10,
    cost=Cost(0.1, 0.1, 10), recommended=("*",),
)  # fmt: skip


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub_server() as server:
        for path in ("small/a.bin", "large/b.bin", "huge/c.bin", "eule/d.bin", "ear/e.bin"):
            server.put(f"owl/{path}", DATA)
        yield server


@pytest.fixture(autouse=True)
def directory(server: HubServer, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the models; the catalogue is a small one, and the hub near."""
    monkeypatch.setattr(catalogue, "entries", lambda: (*VOICES, EARS))
    monkeypatch.setattr("airos_edge.models.speed.this_machine", lambda: Machine("x86_64", 4, 8000))
    monkeypatch.setattr(choosing, "is_installed", lambda part: True)
    (runtime / "config.yaml").write_text(
        f"models: {{directory: {runtime}/models, mirror: '{server.url}/'}}\n"
    )
    return runtime / "models"


def test_a_model_is_fetched_and_it_is_said_where_it_is(directory: Path, capsys: Captured) -> None:
    assert main(["models", "get", "owl-small"]) == 0
    captured = capsys.readouterr()
    assert f"owl-small is there: {directory}/owl-small\n" in captured.out
    assert "No daemon is running; the next one to start takes it up." in captured.out
    assert "owl-small: 0.1 MB, MIT, from http://127.0.0.1" in captured.err
    assert (directory / "owl-small" / "a.bin").read_bytes() == DATA


def test_what_is_there_is_not_fetched_again_unless_told_so(
    server: HubServer, capsys: Captured
) -> None:
    main(["models", "get", "owl-small"])
    before = len(server.requests)
    assert main(["models", "get", "owl-small"]) == 0
    assert len(server.requests) == before
    assert main(["models", "get", "--again", "owl-small"]) == 0
    assert len(server.requests) > before


def test_several_come_at_once_and_one_that_fails_hinders_no_other(
    server: HubServer, directory: Path, capsys: Captured
) -> None:
    server.files["owl/large/b.bin"].stated_sha256 = "0" * 64
    del server.files["owl/huge/c.bin"]
    assert main(["models", "get", "owl-small", "owl-large", "owl-huge", "eule"]) == 1
    captured = capsys.readouterr()
    assert "owl/huge/resolve/main/c.bin: there is no such file" in captured.err
    assert "but the hub states 0000" in captured.err
    assert sorted(path.parent.name for path in directory.glob("*/airos.json")) == [
        "eule",
        "owl-small",
    ]
    assert "it is run by strix, which is not installed: pip install 'strix'" in captured.out


def test_recommended_is_the_best_that_this_box_is_fast_enough_for(
    directory: Path, capsys: Captured
) -> None:
    assert main(["models", "recommended"]) == 0
    assert {path.parent.name for path in directory.glob("*/airos.json")} == {"ear", "owl-large"}
    assert main(["models", "get", "recommended", "--language", "de"]) == 0
    assert (directory / "eule").is_dir()


def test_recommended_is_for_all_that_is_spoken_in_the_house(
    directory: Path, runtime: Path, capsys: Captured
) -> None:
    with (runtime / "config.yaml").open("a") as config:
        config.write("languages: [en, de]\n")
    assert main(["models", "recommended"]) == 0
    brought = {path.parent.name for path in directory.glob("*/airos.json")}
    assert brought == {"ear", "owl-large", "eule"}


def test_where_nothing_is_recommended_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(catalogue, "entries", lambda: VOICES)
    assert main(["models", "get", "recommended", "--language", "fr"]) == 1
    assert "nothing is recommended for 'fr'" in capsys.readouterr().err


def test_a_dry_run_fetches_nothing(directory: Path, server: HubServer, capsys: Captured) -> None:
    assert main(["models", "get", "owl-small", "owl-large", "--dry-run"]) == 0
    assert f"0.2 MB would be fetched into {directory}" in capsys.readouterr().out
    assert {method for method, _, _ in server.requests} == {"HEAD"}
    assert not directory.exists()


def test_a_name_that_is_none_gets_the_nearest(capsys: Captured) -> None:
    assert main(["models", "get", "owl-smal"]) == 1
    assert "did you mean owl-small?" in capsys.readouterr().err


def test_a_hub_that_is_not_there_is_told_of_once(
    runtime: Path, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (runtime / "config.yaml").write_text("models: {mirror: 'http://127.0.0.1:9'}\n")
    monkeypatch.setattr("airos_edge.models.hub.LONG_S", 0)
    monkeypatch.setattr(Patience, "before", lambda self, attempt, asked_s: 0.01)
    assert main(["models", "get", "owl-small", "owl-large", "--dry-run"]) == 1
    said = capsys.readouterr()
    assert said.out == "", "nothing is known of what would be fetched"
    *waits, failed = said.err.splitlines()
    assert len({*waits}) == 1
    assert failed.startswith("airos: 127.0.0.1: cannot be reached")
    assert failed.endswith("look whether this box is online; given up for now")


def test_a_mirror_without_hashes_is_said_to_be_one(server: HubServer, capsys: Captured) -> None:
    server.states_hashes = False
    assert main(["models", "get", "owl-small"]) == 0
    assert "no SHA-256 is stated there" in capsys.readouterr().err


def test_the_list_says_what_is_here_what_is_fast_and_what_is_recommended(
    directory: Path, capsys: Captured
) -> None:
    main(["models", "get", "owl-small"])
    (directory / "own").mkdir()
    (directory / "own" / "airos.json").write_text('{"task": "tts", "engine": "owl"}')
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in told["models"]}
    assert told["directory"] == str(directory)
    assert set(rows) == {"owl-small", "owl-large", "owl-huge", "ear", "own"}
    assert [rows[name]["stored"] for name in ("owl-small", "owl-large", "own")] == [
        True,
        False,
        True,
    ]
    assert (rows["owl-small"]["fast_enough"], rows["owl-huge"]["fast_enough"]) == ("yes", "no")
    assert main(["models", "list", "--all"]) == 0
    out = capsys.readouterr().out
    assert "voices:\n" in out
    assert "eule" in out
    line = next(line for line in out.splitlines() if "owl-small" in line)
    assert line.split() == ["*", "owl-small", "espeak", "en", "1", "10", "here", "MIT"]
    assert next(line for line in out.splitlines() if "owl-huge" in line).endswith(
        "too slow      MIT"
    )


def test_verify_names_what_differs(directory: Path, capsys: Captured) -> None:
    main(["models", "get", "owl-small", "owl-large"])
    capsys.readouterr()
    assert main(["models", "verify"]) == 0
    (directory / "owl-small" / "a.bin").write_bytes(DATA[:10])
    assert main(["models", "verify"]) == 1
    out = capsys.readouterr().out
    assert "owl-large: all of its files are as they came" in out
    assert "owl-small: a.bin is cut off: 10 of 100000 bytes are there" in out
    assert "airos models get --again owl-small" in out
    assert main(["models", "verify", "nothing"]) == 1
    assert "there is no model 'nothing'" in capsys.readouterr().err


def test_a_manifest_that_cannot_be_used_hinders_no_other_from_being_verified(
    directory: Path, capsys: Captured
) -> None:
    main(["models", "get", "owl-small"])
    for name, files in {"bad": '{"../x": {}}', "by-hand": "{}"}.items():
        (directory / name).mkdir()
        told = f'{{"task": "tts", "engine": "owl", "files": {files}}}'
        (directory / name / "airos.json").write_text(told)
    assert main(["models", "verify"]) == 1
    out = capsys.readouterr().out
    assert "'../x' lies elsewhere" in out
    assert "by-hand: its manifest lists no files" in out
    assert "owl-small: all of its files are as they came" in out


def test_a_path_is_that_of_a_model_or_of_all(directory: Path, capsys: Captured) -> None:
    assert main(["models", "path"]) == 0
    assert capsys.readouterr().out == f"{directory}\n"
    main(["models", "get", "owl-small"])
    capsys.readouterr()
    assert main(["models", "path", "owl-small"]) == 0
    assert capsys.readouterr().out == f"{directory}/owl-small\n"


def test_a_model_is_removed_with_all_that_it_had(directory: Path, capsys: Captured) -> None:
    main(["models", "get", "owl-small"])
    assert main(["models", "remove", "owl-small"]) == 0
    assert not (directory / "owl-small").exists()
    assert main(["models", "remove", "owl-small"]) == 1
    assert "there is no model 'owl-small'" in capsys.readouterr().err


def test_what_came_of_a_model_that_never_became_whole_is_removed_too(
    directory: Path, server: HubServer
) -> None:
    server.files["owl/small/a.bin"].refusals = [(401, None)]
    main(["models", "get", "owl-small"])
    assert list(directory.glob(".arriving/owl-small@*"))
    assert main(["models", "remove", "owl-small"]) == 0
    assert not list(directory.glob(".arriving/owl-small@*"))


def test_a_directory_that_is_another_s_is_a_sentence(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("airos_edge.models.getting.make_directory", refuse)
    assert main(["models", "get", "owl-small"]) == 1
    said = f"airos: {directory}: cannot be written: Permission denied; be its owner, or root\n"
    assert capsys.readouterr().err.endswith(said)


def test_what_root_fetches_belongs_to_whom_the_directory_belongs(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda file, user, group: given.append((user, group)))
    monkeypatch.setattr(os, "chown", lambda path, *owner, **how: given.append(owner))
    assert main(["models", "get", "owl-small"]) == 0
    owner = directory.parent.stat()
    assert set(given) == {(owner.st_uid, owner.st_gid)}
    # The directories of models, of what arrives and of what was seen, a.bin, its ETag, and three more files.
    assert len(given) >= 8


def test_a_file_is_imported(directory: Path, runtime: Path, capsys: Captured) -> None:
    (runtime / "mind.gguf").write_bytes(b"GGUF....")
    assert main(["models", "import", "mind.gguf", "--name", "owl", "--language", "de,en"]) == 0
    assert f"owl is there, for llama (llm of de, en): {directory}/owl" in capsys.readouterr().out


def test_what_was_imported_is_mended_from_where_it_came(
    directory: Path, runtime: Path, capsys: Captured
) -> None:
    source = runtime / "my mind.gguf"
    source.write_bytes(b"GGUF" + bytes(100))
    assert main(["models", "import", str(source)]) == 1
    assert "give it another by --name" in capsys.readouterr().err
    assert main(["models", "import", str(source), "--name", "mind"]) == 0
    (directory / "mind" / "my mind.gguf").write_bytes(b"GGUF")
    capsys.readouterr()
    assert main(["models", "verify"]) == 1
    assert f"mend it with: airos models import '{source}' --name mind\n" in capsys.readouterr().out


# ---- the daemon --------------------------------------------------------------------------------


def test_a_daemon_is_told_and_says_what_it_uses(
    daemon: FakeDaemon, directory: Path, capsys: Captured
) -> None:
    daemon.answer = {"changed": {"tts": "owl with owl-small"}, "directory": str(directory)}
    assert main(["models", "get", "owl-small"]) == 0
    assert daemon.requests[-1][:2] == ("POST", "/api/models/changed")
    captured = capsys.readouterr()
    assert "takes it up, for the next turn: tts is owl with owl-small." in captured.out
    assert "keeps its models" not in captured.err
    assert main(["models", "remove", "owl-small"]) == 0
    assert daemon.requests[-1][:2] == ("POST", "/api/models/changed")


def test_nothing_is_brought_where_the_daemon_would_never_find_it(
    daemon: FakeDaemon, directory: Path, capsys: Captured
) -> None:
    daemon.answer = {"directory": "/var/lib/airos/models"}
    assert main(["models", "get", "owl-small"]) == 1
    assert main(["models", "import", "mind.gguf"]) == 1
    said = capsys.readouterr().err
    assert said.count("the daemon that runs keeps its models in /var/lib/airos/models") == 2
    assert not directory.exists()


def test_a_daemon_that_takes_nothing_of_it_says_so(
    daemon: FakeDaemon, directory: Path, capsys: Captured
) -> None:
    daemon.answer = {"changed": {}, "directory": str(directory)}
    assert main(["models", "get", "owl-small"]) == 0
    assert "chooses as before" in capsys.readouterr().out


def test_a_daemon_that_refuses_is_told_of_and_the_model_is_there(
    daemon: FakeDaemon, directory: Path, capsys: Captured
) -> None:
    daemon.answer, daemon.status = {"error": "the house is on fire"}, 400
    assert main(["models", "get", "owl-small"]) == 0
    assert "has not taken it up: the house is on fire" in capsys.readouterr().err


# ---- progress ----------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_line_for_each_model_that_changes() -> None:
    out, now = Terminal(), [0.0]
    lines = ProgressLines(out, lambda: now[0])
    small, large = (
        Progress("small", 10_000_000, lines.changed),
        Progress("large", 40_000_000, lines.changed),
    )
    for second in range(1, 4):
        now[0] = float(second)
        for progress in (small, large):
            progress.of_file("a")(0)
            progress.of_file("a")(2_000_000)
    lines.end()
    shown = out.getvalue()
    assert "\x1b[2A" in shown
    assert "small                         60 %  6.0 of 10 MB  3.0 MB/s  0:01" in shown
    assert all(len(line) < 80 for line in shown.splitlines())


def test_what_is_said_meanwhile_stands_above_the_lines_that_change() -> None:
    out = Terminal()
    lines = ProgressLines(out, lambda: 0.0)
    progress = Progress("small", 100, lines.changed)
    progress.of_file("a")(50)
    lines.say("the hub is busy")
    progress.of_file("a")(50)
    drawn = out.getvalue().split("\n")
    assert drawn[1] == "\x1b[1A\x1b[Jthe hub is busy"
    assert drawn[2].startswith("small")


def test_what_is_no_terminal_gets_a_plain_line_now_and_then() -> None:
    out, now = io.StringIO(), [0.0]
    lines = ProgressLines(out, lambda: now[0])
    progress = Progress("small", 40_000_000, lines.changed)
    for second in range(1, 26):
        now[0] = float(second)
        progress.of_file("a")(1_000_000)
    lines.end()
    assert out.getvalue().count("\n") == 3
    assert "\x1b" not in out.getvalue()


def test_a_line_of_what_is_done_has_no_speed() -> None:
    progress = Progress("small", 100, done_bytes=100)
    assert line_of(progress, 5.0) == "small                        100 %  0.0 of 0.0 MB"


# ---- as a process ------------------------------------------------------------------------------


@pytest.fixture
def command(server: HubServer, tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """The real catalogue's smallest ears, from a mirror, into a fresh home."""
    for name, data in {
        "config.json": b"{}",
        "tokenizer.json": b"{}",
        "vocabulary.txt": b"a",
    }.items():
        server.put(f"Systran/faster-whisper-tiny/{name}", data, is_large=False)
    server.put("Systran/faster-whisper-tiny/model.bin", DATA * 20)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIROS_")},
        "HOME": str(tmp_path / "home"),
        "AIROS_RUNTIME": str(tmp_path / "home"),
        "AIROS_MODELS__MIRROR": server.url,
        "AIROS_STATE__DIRECTORY": str(tmp_path / "state"),
        "NO_PROXY": "127.0.0.1",
    }
    (tmp_path / "home").mkdir()
    return [sys.executable, "-m", "airos_edge", "models", "get", "whisper-tiny"], environment


def test_a_get_that_was_killed_is_gone_on_with_by_the_next(
    command: tuple[list[str], dict[str, str]], server: HubServer, tmp_path: Path
) -> None:
    arguments, environment = command
    model = server.files["Systran/faster-whisper-tiny/model.bin"]
    model.pace_s = 0.02
    arriving = tmp_path / "state" / "models" / ".arriving"
    with subprocess.Popen(
        arguments, env=environment, cwd=tmp_path / "home", stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 20
        while sum(path.stat().st_size for path in arriving.rglob("model.bin.part")) < 200_000:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not list((tmp_path / "state" / "models").glob("*/airos.json"))
    model.pace_s = 0
    done = subprocess.run(
        arguments,
        env=environment,
        cwd=tmp_path / "home",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    path = tmp_path / "state" / "models" / "whisper-tiny"
    assert (path / "model.bin").read_bytes() == DATA * 20
    last = server.ranges("/cdn/Systran/faster-whisper-tiny/model.bin")[-1]
    assert int(last.removeprefix("bytes=").rstrip("-")) >= 200_000


def test_two_processes_at_once_bring_one_whole_model(
    command: tuple[list[str], dict[str, str]], server: HubServer, tmp_path: Path
) -> None:
    arguments, environment = command
    server.files["Systran/faster-whisper-tiny/model.bin"].pace_s = 0.01
    both = [
        subprocess.Popen(
            arguments, env=environment, cwd=tmp_path / "home", stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=40)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(server.ranges("/cdn/Systran/faster-whisper-tiny/model.bin")) == 1
    assert "is being fetched by another; waiting for it" in "".join(said)
