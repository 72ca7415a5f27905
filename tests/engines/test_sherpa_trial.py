"""A model is tried in a process of its own: what would end that process is a sentence here."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from airos_edge.engines import sherpa_trial
from airos_edge.engines.sherpa import Plan, plan_of
from airos_edge.engines.sherpa_kinds import kind_of
from airos_edge.engines.sherpa_trial import NOTED, tried
from airos_edge.errors import EngineUnavailable
from tests.sherpa_funasr import paraformer, sense_voice
from tests.sherpa_models import zipformer
from tests.sherpa_voices import kokoro


def plan_for(directory: Path, task: str = "asr", device: str = "cpu") -> Plan:
    return plan_of(kind_of(directory, task), device)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each process that is begun."""
    begun: list[str] = []
    run = subprocess.run

    def counted(*given: Any, **named: Any) -> Any:
        begun.append(named["input"])
        return run(*given, **named)

    monkeypatch.setattr(sherpa_trial.subprocess, "run", counted)
    return begun


def test_a_model_that_works_is_tried_once_until_it_changes(
    tmp_path: Path, count: list[str]
) -> None:
    plan = plan_for(sense_voice(tmp_path))
    assert tried(plan, tmp_path) == plan
    assert tried(plan, tmp_path) == plan
    assert len(count) == 1
    os.utime(tmp_path / "model.onnx", ns=(1, 1))
    tried(plan, tmp_path)
    assert len(count) == 2


def test_what_cannot_be_noted_is_tried_each_time(
    tmp_path: Path, count: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(sherpa_trial, "write_whole", full)
    plan = plan_for(paraformer(tmp_path))
    tried(plan, tmp_path)
    tried(plan, tmp_path)
    assert len(count) == 2


@pytest.mark.parametrize("note", ["{", "[]", ""])
def test_a_note_that_is_broken_is_none(note: str, tmp_path: Path, count: list[str]) -> None:
    plan = plan_for(paraformer(tmp_path))
    (tmp_path / NOTED).write_text(note)
    tried(plan, tmp_path)
    assert len(count) == 1


def test_swapped_files_are_refused_with_what_the_library_says(tmp_path: Path) -> None:
    plan = plan_for(zipformer(tmp_path))
    (tmp_path / "decoder.onnx").replace(tmp_path / "kept")
    (tmp_path / "joiner.onnx").replace(tmp_path / "decoder.onnx")
    (tmp_path / "kept").replace(tmp_path / "joiner.onnx")
    with pytest.raises(
        EngineUnavailable, match=r"cannot run it: 'vocab_size' does not exist in the meta"
    ):
        tried(plan, tmp_path)
    assert not (tmp_path / NOTED).exists()


def test_weights_that_are_no_longer_what_they_were_are_refused(tmp_path: Path) -> None:
    plan = plan_for(zipformer(tmp_path))
    encoder = tmp_path / "encoder.onnx"
    encoder.write_bytes(encoder.read_bytes().replace(b"ReduceMean", b"ReduceMoan"))
    with pytest.raises(EngineUnavailable, match="ReduceMoan"):
        tried(plan, tmp_path)


def test_voices_of_another_model_are_refused(tmp_path: Path) -> None:
    plan = plan_for(kokoro(tmp_path), "tts")
    (tmp_path / "voices.bin").write_bytes(bytes(400))
    with pytest.raises(EngineUnavailable, match=r"Corrupted.*Expected #floats: 1600, actual: 100"):
        tried(plan, tmp_path)


def test_a_process_that_crashes_is_told_by_its_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_for(paraformer(tmp_path))
    ended = subprocess.CompletedProcess([], -11, "", "/project/a.cc:Run:12 Something is odd\n\n")
    monkeypatch.setattr(sherpa_trial.subprocess, "run", lambda *given, **named: ended)
    with pytest.raises(EngineUnavailable, match=r"crashes on it \(SIGSEGV\): Something is odd$"):
        tried(plan, tmp_path)


def test_a_process_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*given: Any, **named: Any) -> None:
        raise subprocess.TimeoutExpired("python", named["timeout"])

    plan = plan_for(paraformer(tmp_path))
    monkeypatch.setattr(sherpa_trial.subprocess, "run", slow)
    with pytest.raises(EngineUnavailable, match="takes over 300 s to load"):
        tried(plan, tmp_path)


def test_without_a_gpu_it_goes_on_on_the_cpu_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, count: list[str]
) -> None:
    plan = plan_for(paraformer(tmp_path), device="cuda")
    assert plan.provider == "cuda"
    assert tried(plan, tmp_path).provider == "cpu"
    assert "finds no GPU; going on on the CPU" in caplog.text
    assert tried(plan, tmp_path).provider == "cpu"
    assert len(count) == 2, "one with the GPU, one without"


def test_a_gpu_that_fails_is_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def without_cuda(*given: Any, **named: Any) -> Any:
        if '"cuda"' in named["input"]:
            return subprocess.CompletedProcess([], 255, "", "CUDA error 35")
        return run(*given, **named)

    monkeypatch.setattr(sherpa_trial.subprocess, "run", without_cuda)
    plan = plan_for(paraformer(tmp_path), device="cuda")
    assert tried(plan, tmp_path).provider == "cpu"
    assert "CUDA error 35; going on on the CPU" in caplog.text
