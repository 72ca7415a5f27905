"""What works in each language of a house, and what would mend the rest."""

from dataclasses import replace
from pathlib import Path

import pytest

from airos_edge.config import Config
from airos_edge.engines.choosing import Choice
from airos_edge.errors import ConfigError
from airos_edge.fluency import fluencies, spoken_languages
from airos_edge.models import speed
from airos_edge.models.stored import StoredModel

SPHINX, ESPEAK = Choice("asr", "pocketsphinx", "best"), Choice("tts", "espeak", "best")
NO_EARS, NO_VOICE = Choice("asr", None, "none is there"), Choice("tts", None, "none is there")


@pytest.fixture(autouse=True)
def _small_box(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "this_machine", lambda: speed.Machine("aarch64", 4, 8000))


def told(language: str, asr: Choice = SPHINX, tts: Choice = ESPEAK, *others: str) -> list[str]:
    config = replace(Config(), language=language, languages=others)
    return [one.told for one in fluencies(config, [asr, tts], [])]


def test_english_has_all_with_nothing_downloaded() -> None:
    assert told("en") == ["commands 11 of 11; ears: pocketsphinx; voice: espeak; answers: English"]


def test_what_is_missing_is_said_with_what_brings_it() -> None:
    (german,) = told("de", NO_EARS)
    assert german == (
        "commands 11 of 11; no ears for de: airos models get whisper-base; voice: espeak; "
        "answers: German"
    )
    assert "no voice for de: airos models get piper-de-thorsten;" in told("de", tts=NO_VOICE)[0]


def test_each_language_is_told_of_by_itself() -> None:
    english, german = told("en", SPHINX, ESPEAK, "de-AT")
    assert "ears: pocketsphinx" in english
    assert "no ears for de-AT" in german, "pocketsphinx knows English only"
    assert "answers: German" in german


def test_a_model_hears_the_languages_that_it_says_it_knows() -> None:
    model = StoredModel("owl", "asr", "pocketsphinx", Path("/owl"), languages=("de", "zh"))
    config = replace(Config(), language="de", languages=("zh-CN", "fr"))
    choices = [replace(SPHINX, model=model), ESPEAK]
    ears = [one.ears for one in fluencies(config, choices, [])]
    assert ears == ["pocketsphinx", "pocketsphinx", None]
    anything = replace(model, languages=())
    choices = [replace(SPHINX, model=anything), ESPEAK]
    assert all(one.ears for one in fluencies(config, choices, []))


def test_what_is_elsewhere_is_believed_to_know_it() -> None:
    elsewhere = Choice("asr", "tcp://192.0.2.1:10300", "as configured")
    assert "ears: tcp://192.0.2.1:10300" in told("de", elsewhere)[0]


@pytest.mark.parametrize(("language", "has_voice"), [("zh-HK", True), ("sv", True), ("gl", False)])
def test_a_voice_is_there_where_espeak_has_one(language: str, has_voice: bool) -> None:
    assert ("no voice" not in told(language)[0]) == has_voice


def test_of_a_language_with_few_sentences_that_is_said() -> None:
    (japanese,) = told("ja")
    assert japanese.startswith("commands 4 of 11; ")
    assert japanese.endswith("answers: Home Assistant's own; what else the box says is English")


def test_the_languages_of_a_house_are_its_own_and_the_others_once() -> None:
    assert spoken_languages(replace(Config(), languages=("de", "en", "de"))) == ("en", "de")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"language": "tlh"}, "language: there are no sentences in 'tlh'; try"),
        ({"languages": ("de", "frr")}, r"languages\[1\]: there are no sentences in 'frr'; try"),
    ],
)
def test_a_language_without_sentences_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        spoken_languages(replace(Config(), **changed))  # type: ignore[arg-type]
