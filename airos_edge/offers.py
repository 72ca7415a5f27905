"""What of a box others may use: its stages, as far as they work now and lie within `reach`."""

from importlib import metadata

from airos_edge import __version__
from airos_edge.engines import llm
from airos_edge.engines.choosing import Choice, is_uri
from airos_edge.engines.opening import package_of
from airos_edge.parts import Parts
from airos_edge.wyoming.info import Model, Offers

ONLY_VOICE = "default"
"""What the voice of an engine that names none is called."""


def offers_of(parts: Parts) -> Offers:
    models = {choice.port: _model(choice, parts) for choice in parts.choices}
    return Offers(
        asr=models["asr"],
        hears_ends=parts.open_vad is not None,
        tts=models["tts"],
        voices=_voices(parts),
        wake=models["wake"],
        words=_words(parts),
        handle=Model("commands", tuple(one.language for one in parts.fluencies)),
    )


def _words(parts: Parts) -> dict[str, str]:
    """Those that are heard, with what is said."""
    unheard = parts.open_wake.unheard if parts.open_wake else {}
    heard = (word for word in parts.config.wake.words if word not in unheard)
    return {word: word.replace("_", " ") for word in heard}


def _model(choice: Choice, parts: Parts) -> Model | None:
    if choice.engine is None or choice.port in parts.faults:
        return None
    languages: tuple[str, ...] = (parts.config.language,)
    if choice.port == "asr":
        languages = tuple(one.language for one in parts.fluencies if one.ears) or languages
    return Model(choice.engine, languages, _version(choice))


def _version(choice: Choice) -> str:
    """That of the package it is installed by."""
    try:
        return metadata.version(package_of(choice))
    except metadata.PackageNotFoundError:
        return __version__


def _voices(parts: Parts) -> dict[str, str]:
    """The one that speaks unasked comes first."""
    language, configured = parts.config.language, parts.config.tts.voice
    tts = parts.opened.tts
    voices = (tts.voices(language) if tts else None) or {ONLY_VOICE: language}
    first = configured or next(iter(voices))
    return {first: voices.get(first, language), **voices}


def model_names(parts: Parts) -> list[str]:
    """Who answers: all together, the house, each model that may be asked; and the engines that hear and
    speak, of which one elsewhere goes by its port's name."""
    config = parts.config
    models = [name for name, settings in config.llm.items() if llm.place(settings) <= config.reach]
    engines = [
        choice.port if is_uri(choice.engine) else choice.engine
        for choice in parts.choices
        if choice.engine and choice.port in ("asr", "tts") and choice.port not in parts.faults
    ]
    return list(dict.fromkeys(["airos", "commands", *models, *engines]))
