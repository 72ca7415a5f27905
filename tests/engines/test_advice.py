"""Which models a house is told to bring."""

import pytest

from airos_edge.engines import choosing
from airos_edge.engines.advice import advised, to_install
from airos_edge.models import catalogue, speed

PI, PC = speed.Machine("aarch64", 4, 8000), speed.Machine("x86_64", 16, 32_000)


@pytest.fixture(autouse=True)
def _box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "is_installed", lambda part: True)
    monkeypatch.setattr(speed, "this_machine", lambda: PI)


def names(task: catalogue.Task, *languages: str, wanted: str = "auto") -> dict[str, str]:
    return {one: entry.name for one, entry in advised(task, languages, wanted).items()}


def test_ears_of_several_languages_know_all_of_them() -> None:
    assert names("asr", "en") == {"en": "zipformer-en"}
    assert names("asr", "en", "de") == {"en": "whisper-base", "de": "whisper-base"}
    assert names("asr", "zh", "en") == {"zh": "sense-voice", "en": "sense-voice"}


def test_voices_of_several_languages_are_of_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "this_machine", lambda: PC)
    assert names("tts", "en") == {"en": "kokoro"}
    assert names("tts", "en", "zh") == {"en": "kokoro", "zh": "kokoro"}
    assert names("tts", "en", "de") == {
        "en": "piper-en-us-ljspeech",
        "de": "piper-de-thorsten-high",
    }


def test_what_is_configured_is_what_is_brought() -> None:
    assert names("asr", "en", wanted="whisper") == {"en": "whisper-base"}
    assert names("asr", "en", wanted="pocketsphinx") == {"en": "zipformer-en"}, "which runs none"


def test_what_can_be_run_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "is_installed", lambda part: part != "sherpa_onnx")
    assert names("asr", "en") == {"en": "whisper-base"}
    assert to_install(catalogue.find("zipformer-en", catalogue.entries())) == "airos-edge[sherpa]"
    monkeypatch.setattr(choosing, "is_installed", lambda part: False)
    assert names("asr", "en") == {"en": "zipformer-en"}


def test_of_a_language_that_nobody_speaks_nothing_is_said() -> None:
    assert names("tts", "en", "tlh") == {"en": "piper-en-us-ljspeech"}
