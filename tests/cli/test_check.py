"""`airos check`: what is in force, where it comes from, and whether the daemon agrees."""

import json
from pathlib import Path

import pytest
import yaml

from airos_edge.cli import CONFIGURATION, main
from airos_edge.config import effective, load
from airos_edge.parts import rehearse
from tests.cli.conftest import FakeDaemon

Captured = pytest.CaptureFixture[str]


def as_the_daemon_has_it() -> dict[str, object]:
    config = load()
    engines = {
        choice.port: {"engine": choice.engine, "why": choice.why} for choice in rehearse(config)
    }
    return {"config": effective(config), "engines": engines}


def test_every_option_is_shown_as_a_file_could_say_it(runtime: Path, capsys: Captured) -> None:
    (runtime / "config.yaml").write_text("name: Maison\nturn: {longest_s: 30}\n")
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# from config.yaml\n")
    shown = yaml.safe_load(out)
    assert (shown["name"], shown["turn"]["longest_s"], shown["reach"]) == ("Maison", 30, "local")
    (runtime / "again.yaml").write_text(out)
    assert load(runtime / "again.yaml") == load()


def test_each_port_has_its_engine_and_the_reason(runtime: Path, capsys: Captured) -> None:
    (runtime / "config.yaml").write_text("asr: {engine: pocketsphinks}\n")
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    engines = [line.split(maxsplit=3) for line in lines if line.startswith("#   ")]
    assert [words[1] for words in engines] == ["wake", "vad", "asr", "tts"]
    assert engines[2][2:] == ["none", "there is no 'pocketsphinks'; try pocketsphinx"]


def test_each_language_is_told_of(runtime: Path, capsys: Captured) -> None:
    (runtime / "config.yaml").write_text("language: en\nlanguages: [de]\n")
    assert main(["check"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "# language" in line]
    assert lines[0].startswith("# language en: commands 11 of 11; ears: pocketsphinx; voice: ")
    assert "# language de: commands 11 of 11; no ears for de: airos models get" in lines[1]
    main(["check", "--json"])
    assert set(json.loads(capsys.readouterr().out)["languages"]) == {"en", "de"}


def test_without_a_file_it_says_so_and_names_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    main(["check"])
    out = capsys.readouterr().out
    assert "# from no file" in out
    assert "environment" not in out
    monkeypatch.setenv("AIROS_SERVER__PORT", "8766")
    main(["check"])
    out = capsys.readouterr().out
    assert "# and from the environment: AIROS_SERVER__PORT\n" in out
    assert yaml.safe_load(out)["server"]["port"] == 8766


def test_a_file_that_is_missing_or_wrong_is_refused_with_the_place(
    runtime: Path, capsys: Captured
) -> None:
    assert main(["check", "--config", "missing.yaml"]) == CONFIGURATION
    assert (
        capsys.readouterr().err
        == "airos: missing.yaml: cannot be read: No such file or directory\n"
    )
    (runtime / "bad.yaml").write_text("server:\n  port: many\n")
    assert main(["check", "--config", "bad.yaml"]) == CONFIGURATION
    captured = capsys.readouterr()
    assert "bad.yaml:2:9: server.port: got 'many', wants a whole number" in captured.err
    assert captured.out == ""


def test_as_json_it_is_one_value(daemon: FakeDaemon, capsys: Captured) -> None:
    daemon.answer = as_the_daemon_has_it()
    assert main(["check", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["source"], report["environment"]) == ("", [])
    assert {name: report[name] for name in ("config", "engines")} == daemon.answer
    assert report["daemon"] == daemon.answer


# ---- the daemon ---------------------------------------------------------------------------------


def test_a_daemon_that_runs_with_the_same_is_said_to(daemon: FakeDaemon, capsys: Captured) -> None:
    daemon.answer = as_the_daemon_has_it()
    assert main(["check"]) == 0
    assert daemon.requests == [("GET", "/api/check", b"")]
    assert capsys.readouterr().out.endswith("# the daemon runs with this configuration\n")


def test_what_the_daemon_has_not_read_yet_is_named(
    daemon: FakeDaemon, runtime: Path, capsys: Captured
) -> None:
    daemon.answer = as_the_daemon_has_it()
    (runtime / "config.yaml").write_text("name: Maison\nvad: {threshold: 0.7}\n")
    assert main(["check"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "# the daemon runs with another configuration; different: name, vad"


def test_an_engine_installed_since_the_daemon_started_is_noticed(
    daemon: FakeDaemon, capsys: Captured
) -> None:
    daemon.answer = as_the_daemon_has_it()
    daemon.answer["engines"]["asr"]["engine"] = "another"
    main(["check"])
    assert "different: the engines and models that are installed" in capsys.readouterr().out


def test_that_no_daemon_runs_is_said_and_is_no_error(capsys: Captured) -> None:
    assert main(["check"]) == 0
    assert "# no daemon is running" in capsys.readouterr().out.splitlines()[-1]


def test_a_mind_whose_file_is_not_on_this_box_is_said_not_to_be_there(
    runtime: Path, capsys: Captured
) -> None:
    (runtime / "notes.gguf").write_text("<html>Sign in</html>")
    (runtime / "config.yaml").write_text(
        "llm:\n"
        "  small: {engine: llama, model: nope}\n"
        f"  page: {{engine: llama, model: {runtime / 'notes.gguf'}}}\n"
        "router: {tiers: [commands, small]}\n"
    )
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert (
        "llm small: nope run by llama.cpp on this box (local), cannot be opened: there is no" in out
    )
    assert "notes.gguf is a web page, not a model" in out


def test_a_port_without_an_engine_is_named_once(runtime: Path, capsys: Captured) -> None:
    (runtime / "config.yaml").write_text("wake: {words: {owl: {model: /nowhere/owl.onnx}}}\n")
    assert main(["check"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "wake  none" in line]
    assert "wake: " not in line
