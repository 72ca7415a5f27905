"""What of a box works in each language that is spoken in its house, and what would mend the rest."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from airos_edge.config import Config
from airos_edge.engines.advice import advised
from airos_edge.engines.choosing import Choice, is_uri
from airos_edge.engines.registry import find
from airos_edge.home.sentences import share_of, tag_of
from airos_edge.languages.phrases import contents, languages, says_all
from airos_edge.models.catalogue import Entry
from airos_edge.models.stored import StoredModel
from airos_edge.voice.tags import nearest


@dataclass(frozen=True, slots=True)
class Fluency:
    """Of one language. `ears` and `voice` are who hears and speaks it; None: nobody does, and `mends` says by
    port what would."""

    language: str
    commands: int
    of: int
    ears: str | None
    voice: str | None
    answers: str
    mends: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """As a line: "commands 11 of 11; no ears for de: airos models get whisper-base; voice: espeak; …"."""
        lacks = f"for {self.language}"
        ears = f"ears: {self.ears}" if self.ears else f"no ears {lacks}: {self.mends['asr']}"
        voice = f"voice: {self.voice}" if self.voice else f"no voice {lacks}: {self.mends['tts']}"
        return f"commands {self.commands} of {self.of}; {ears}; {voice}; answers: {self.answers}"


def spoken_languages(config: Config) -> tuple[str, ...]:
    """All that are spoken in the house, the box's own first. Raises ConfigError for one without sentences."""
    tag_of(config.language)
    for place, language in enumerate(config.languages):
        tag_of(language, f"languages[{place}]")
    return tuple(dict.fromkeys((config.language, *config.languages)))


def fluencies(
    config: Config, choices: Collection[Choice], stored: Sequence[StoredModel]
) -> tuple[Fluency, ...]:
    """Of every language of the house, with the engines that were chosen for it."""
    chosen = {choice.port: choice for choice in choices}
    languages = spoken_languages(config)
    ears = advised("asr", languages, config.asr.engine)
    voices = advised("tts", languages, config.tts.engine)
    return tuple(
        Fluency(
            language,
            *share_of(language),
            ears=_knowing(language, chosen["asr"], ()),
            voice=_knowing(language, chosen["tts"], stored),
            answers=_answers(language),
            mends={"asr": _mend(ears.get(language)), "tts": _mend(voices.get(language))},
        )
        for language in languages
    )


def _mend(entry: Entry | None) -> str:
    return f"airos models get {entry.name}" if entry else "the catalogue recommends none"


def _knowing(language: str, choice: Choice, stored: Sequence[StoredModel]) -> str | None:
    """The chosen engine, if it knows the language. One elsewhere is believed to."""
    if choice.engine is None:
        return None
    if is_uri(choice.engine):
        return choice.engine
    known = _languages(choice, stored)
    return choice.engine if not known or nearest(language, known) is not None else None


def _languages(choice: Choice, stored: Sequence[StoredModel]) -> Collection[str]:
    """What the engine knows, with its models; none: anything."""
    if choice.engine == "espeak":
        from airos_edge.engines.espeak import load

        return load().languages
    row = find(choice.port, choice.engine or "")
    models = [
        *([choice.model] if choice.model else []),
        *(one for one in stored if (one.task, one.engine) == (choice.port, choice.engine)),
    ]
    if any(not model.languages for model in models):
        return ()
    known = row.languages if row is not None else ()
    return (*known, *(language for model in models for language in model.languages))


def _answers(language: str) -> str:
    tag = nearest(language, languages())
    if tag is not None and says_all(language):
        return str(contents(tag)["name"])
    return "Home Assistant's own; what else the box says is English"
