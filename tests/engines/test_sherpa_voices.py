"""Which voices the models of sherpa-onnx bring, and who tells them how words sound."""

from pathlib import Path

import pytest

from airos_edge.engines.sherpa_kinds import KINDS, Found
from airos_edge.engines.sherpa_voices import Voice, voices_of
from airos_edge.models.stored import StoredModel


def voices(kind: str, language: str = "en", *languages: str, **metadata: str) -> list[Voice]:
    """Those of a model that says this of itself; a file of words where it says so."""
    files = {"lexicon": "lexicon.txt"} if metadata.pop("lexicon", "") else {}
    found = Found(next(one for one in KINDS if one.name == kind), files, metadata)
    model = StoredModel("amy", "tts", "sherpa", Path("amy"), languages=languages)
    return [*voices_of(model, found, ["grandma"], language)]


def test_one_speaker_is_called_as_the_model_is_and_several_are_numbered() -> None:
    assert [voice.name for voice in voices("vits", n_speakers="1")] == ["amy"]
    assert [voice.name for voice in voices("vits", n_speakers="0")] == ["amy"]
    assert [voice.name for voice in voices("vits", n_speakers="2")] == ["amy#0", "amy#1"]
    assert [voice.speaker for voice in voices("vits", n_speakers="2")] == [0, 1]
    assert [voice.name for voice in voices("vits", n_speakers="many")] == ["amy"]


def test_names_of_speakers_count_where_there_is_one_for_each() -> None:
    named = voices("kokoro", n_speakers="2", speaker_names="af_bella, zf_xiaobei")
    assert [(voice.name, voice.language) for voice in named] == [
        ("af_bella", "en-us"),
        ("zf_xiaobei", "zh"),
    ]
    assert [voice.name for voice in voices("kokoro", n_speakers="2", speaker_names="a")] == [
        "amy#0",
        "amy#1",
    ]


def test_a_model_that_copies_voices_has_those_that_are_configured() -> None:
    (voice,) = voices("zipvoice", "de")
    assert (voice.name, voice.language, voice.is_clone) == ("grandma", "de", True)


def test_a_model_speaks_the_boxs_language_or_the_first_of_its_own() -> None:
    assert voices("vits", "de", "en", "de")[0].language == "de"
    assert voices("vits", "fr", "en", "de")[0].language == "en"
    assert voices("vits", "fr")[0].language == "fr"


@pytest.mark.parametrize(
    ("kind", "metadata", "ipa"),
    [
        ("vits", {"comment": "piper", "voice": "en-gb"}, "en-gb"),
        ("vits", {"comment": "coqui"}, "en"),
        ("vits", {"comment": "icefall", "has_espeak": "1", "voice": "en-us"}, "en-us"),
        ("vits", {"comment": "aishell3", "lexicon": "yes"}, None),
        ("matcha", {"has_espeak": "1", "voice": "en-us"}, "en-us"),
        ("matcha", {"has_espeak": "1", "voice": "zh en-us", "lexicon": "yes"}, None),
        ("matcha", {"jieba": "1", "has_espeak": "1", "lexicon": "yes"}, None),
        ("kokoro", {"version": "1", "speaker_names": "af_bella"}, "en-us"),
        ("kokoro", {"version": "2", "speaker_names": "af_bella", "lexicon": "yes"}, None),
        ("kokoro", {"version": "2", "speaker_names": "zf_bei", "lexicon": "yes"}, None),
        ("kokoro", {"version": "2", "speaker_names": "ff_siwis", "lexicon": "yes"}, "fr"),
        ("kitten", {}, "en-us"),
        ("zipvoice", {"has_espeak": "1"}, None),
    ],
)
def test_espeak_tells_those_that_were_made_with_it(
    kind: str, metadata: dict[str, str], ipa: str | None
) -> None:
    assert voices(kind, **metadata)[0].ipa == ipa
