"""Which voices the models of sherpa-onnx on this box bring, by what their files say: none is loaded."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from airos_edge.engines.sherpa import CLONING
from airos_edge.engines.sherpa_kinds import Found, Metadata
from airos_edge.models.stored import StoredModel

KOKORO = {
    "a": "en-us",
    "b": "en-gb",
    "e": "es",
    "f": "fr",
    "h": "hi",
    "i": "it",
    "j": "ja",
    "p": "pt-br",
    "z": "zh",
}
"""What a voice of Kokoro's speaks, by the first letter of its name (hexgrad/kokoro, README.md)."""


@dataclass(frozen=True, slots=True)
class Voice:
    """`ipa`: the voice of espeak-ng that tells it how words sound; None: its model knows by itself."""

    name: str
    language: str
    model: StoredModel
    found: Found
    speaker: int = 0
    ipa: str | None = None
    is_clone: bool = False

    def speaks(self, language: str) -> bool:
        return self.language.partition("-")[0] == language.lower().partition("-")[0]


def voices_of(
    model: StoredModel, found: Found, clones: Collection[str], language: str
) -> Iterator[Voice]:
    """`language`: what a model speaks that does not say."""
    usual = _language_of(model, found.metadata, language)
    if found.kind.name in CLONING:
        for name in clones:
            yield Voice(name, usual, model, found, is_clone=True)
        return
    for speaker, name in enumerate(_names(model, found.metadata)):
        spoken = KOKORO.get(name[:1], usual) if found.kind.name == "kokoro" else usual
        yield Voice(name, spoken, model, found, speaker, _ipa_voice(found, spoken))


def _names(model: StoredModel, metadata: Metadata) -> Sequence[str]:
    named = [name.strip() for name in metadata.get("speaker_names", "").split(",")]
    try:
        speakers = max(1, int(metadata.get("n_speakers", "1")))
    except ValueError:
        speakers = 1
    if all(named) and len(named) == speakers:
        return named
    return [model.name if speakers == 1 else f"{model.name}#{number}" for number in range(speakers)]


def _language_of(model: StoredModel, metadata: Metadata, language: str) -> str:
    if model.speaks(language):
        return language
    return model.languages[0] if model.languages else metadata.get("voice", language)


def _ipa_voice(found: Found, language: str) -> str | None:
    told = found.metadata
    is_of_espeak = told.get("has_espeak") == "1"
    match found.kind.name:
        case "vits" if is_of_espeak or told.get("comment") in ("piper", "coqui"):
            return told.get("voice") or language
        case "matcha" if is_of_espeak and told.get("jieba") != "1":
            mixes = " " in told.get("voice", "")  # Chinese and English, by its lexicon
            return None if mixes else told.get("voice") or language
        case "kokoro" if told.get("version", "1") == "1" or "lexicon" not in found.files:
            return language
        case "kokoro" if language.partition("-")[0] not in ("en", "zh"):
            return language
        case "kitten":
            return told.get("voice") or "en-us"
    return None
