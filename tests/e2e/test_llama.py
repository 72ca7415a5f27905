"""The daemon with a model that llama.cpp runs: its weights are random, and what it says means nothing."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.test_models import QUESTION, ask, config, health
from tests.llama_model import write_model

pytestmark = pytest.mark.real_time


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    liking = {"<tool_call>": -50.0, "<think>": -50.0}  # it is offered tools, and is only to speak
    return write_model(tmp_path / "tiny.gguf", liking, context=8192)


def small(model: object, **options: object) -> str:
    told = ", ".join(f"{name}: {value}" for name, value in options.items())
    return f"small: {{engine: llama, model: {model}, threads: 1, max_tokens: 20, {told}}}"


def state_of(daemon: Daemon) -> dict[str, str]:
    """Of the model, when it has been loaded or has failed."""
    until = time.monotonic() + 20
    while True:
        told: dict[str, str] = health(daemon)["parts"]["llm small"]
        if told["state"] != "starting":
            return told
        assert time.monotonic() < until, daemon.log
        time.sleep(0.05)


def test_what_is_no_command_is_answered_by_it(start_daemon: StartDaemon, model_file: Path) -> None:
    daemon = start_daemon("--demo", config=config(small(model_file), tiers="commands, small"))
    assert f"llm small: {model_file} run by llama.cpp on this box (local)" in daemon.log
    answer = ask(daemon, QUESTION)
    assert answer["tier"] == "small"
    assert answer["answer"]
    assert answer["left"] == "nothing"
    assert ask(daemon, "turn on the kitchen light")["tier"] == "commands"
    assert state_of(daemon) == {"state": "ok"}
    assert "llm small: loaded in" in daemon.log


def test_its_program_ends_with_the_daemon(start_daemon: StartDaemon, model_file: Path) -> None:
    daemon = start_daemon("--demo", config=config(small(model_file), tiers="commands, small"))
    state_of(daemon)
    children = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children")
    if not children.exists():
        pytest.skip("looks into /proc")
    pids = [int(pid) for pid in children.read_text().split()]
    assert pids
    daemon.stop()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_daemon_that_is_killed_leaves_nothing_of_it(
    start_daemon: StartDaemon, model_file: Path, tmp_path: Path
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    section = config(small(model_file), tiers="commands, small")
    daemon = start_daemon("--demo", config=section, TMPDIR=str(temporary))
    state_of(daemon)
    runtime = Path(daemon.environment["AIROS_RUNTIME"])
    places = [temporary, runtime]
    assert [folder for place in places for folder in place.glob("airos-llama-*")]
    daemon.stop(signal.SIGKILL)
    until = time.monotonic() + 10
    while left := [folder for place in places for folder in place.glob("airos-llama-*")]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


def test_a_model_that_cannot_be_loaded_fails_alone(
    start_daemon: StartDaemon, model_file: Path
) -> None:
    model_file.write_bytes(model_file.read_bytes()[:20_000])
    section = config(small(model_file), tiers="commands, small")
    daemon = start_daemon("--demo", config=section, expect_warnings=True)
    told = state_of(daemon)
    assert told["state"] == "failed"
    assert "corrupted or incomplete" in told["why"]
    assert ask(daemon, "turn on the kitchen light")["tier"] == "commands"


def test_one_that_is_not_on_the_box_is_named(start_daemon: StartDaemon) -> None:
    section = config(small("qwen"), tiers="commands, small")
    daemon = start_daemon("--demo", config=section, expect_warnings=True)
    why = "small: there is no model 'qwen' on this box"
    assert why in daemon.log
    assert health(daemon)["parts"]["llm small"]["state"] == "failed"
