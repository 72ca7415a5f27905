"""Whether a box is fast enough for a model."""

from pathlib import Path

import pytest

from airos_edge.models.catalogue import Cost
from airos_edge.models.speed import Machine, fast_enough, this_machine

PI5 = Machine("aarch64", 4, 8000)
PC = Machine("x86_64", 4, 16000)
COST = Cost(pi5=0.6, pc=0.2, memory_mb=700)


@pytest.mark.parametrize(
    ("machine", "verdict"),
    [
        (PC, "yes"),
        (PI5, "barely"),
        (Machine("aarch64", 8, 8000), "yes"),
        (Machine("aarch64", 1, 8000), "no"),
        (Machine("x86_64", 64, 64000), "yes"),
    ],
)
def test_it_is_reckoned_from_the_kind_and_the_number_of_cores(
    machine: Machine, verdict: str
) -> None:
    told = fast_enough("asr", COST, machine)
    assert told.enough == verdict
    assert "estimated" in told.why


def test_what_was_measured_on_the_box_is_what_counts() -> None:
    told = fast_enough("asr", COST, PC, measured=3.0)
    assert (told.enough, told.why) == ("no", "3 s of work for 1 s, measured")


def test_a_voice_may_be_slower_than_ears() -> None:
    cost = Cost(pi5=0.5, pc=0.2, memory_mb=700)
    assert [fast_enough(task, cost, PI5).enough for task in ("tts", "asr")] == ["yes", "barely"]


def test_a_model_that_fills_the_memory_is_too_large_however_fast_it_is() -> None:
    told = fast_enough("asr", COST, Machine("x86_64", 4, 1000), measured=0.01)
    assert (told.enough, told.why) == ("no", "takes 700 MB of memory, of 1000 MB")
    assert fast_enough("asr", COST, Machine("x86_64", 4, 0)).enough == "yes"


def test_this_machine_tells_its_cores_and_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:        8052480 kB\nMemFree: 1 kB\n")
    machine = this_machine(tmp_path / "meminfo")
    assert machine.memory_mb == 7863
    assert machine.cores >= 1
    assert this_machine(tmp_path / "none").memory_mb == 0
