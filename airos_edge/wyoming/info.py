"""What `describe` is answered: the stages that work here now. Names never change, as Home Assistant knows
its entities by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    TtsProgram,
    TtsVoice,
    WakeModel,
    WakeProgram,
)

from airos_edge import __version__

PROGRAM = "airos"
MAKER = Attribution("Airos Edge", "")


@dataclass(frozen=True, slots=True)
class Model:
    """What stands behind a stage, and in which languages."""

    name: str
    languages: tuple[str, ...]
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Offers:
    """The stages of a box; None or empty: it has none of the kind.

    `voices` are names with their languages, the one that speaks unasked first; `words` the names of
    wake words with what is said.
    """

    asr: Model | None = None
    hears_ends: bool = False
    """Whether the ears say themselves where a question ends."""
    tts: Model | None = None
    voices: Mapping[str, str] = field(default_factory=dict)
    wake: Model | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    handle: Model | None = None


def info(offers: Offers, services: Sequence[str]) -> Info:
    """Of these services."""
    found = Info()
    if offers.asr and "asr" in services:
        found.asr = [_asr(offers.asr, offers.hears_ends)]
    if offers.tts and "tts" in services:
        found.tts = [_tts(offers.tts, offers.voices)]
    if offers.wake and "wake" in services:
        found.wake = [_wake(offers.wake, offers.words)]
    if offers.handle and "handle" in services:
        found.handle = [_handle(offers.handle)]
    return found


def _of(name: str, version: str = __version__, description: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "attribution": MAKER,
        "installed": True,
        "description": description or name,
        "version": version,
    }


def _program(stage: Model) -> dict[str, Any]:
    return _of(PROGRAM, description=f"Airos, by {stage.name}")


def _asr(model: Model, hears_ends: bool) -> AsrProgram:
    """The ears were measured without gain control and noise reduction before them."""
    return AsrProgram(
        **_program(model),
        models=[AsrModel(**_of(model.name, model.version), languages=list(model.languages))],
        supports_transcript_streaming=True,
        requires_external_vad=not hears_ends,
        prefers_auto_gain_enabled=False,
        prefers_noise_reduction_enabled=False,
    )


def _tts(model: Model, voices: Mapping[str, str]) -> TtsProgram:
    return TtsProgram(
        **_program(model),
        voices=[
            TtsVoice(**_of(name, model.version), languages=[language])
            for name, language in voices.items()
        ],
        supports_synthesize_streaming=True,
    )


def _wake(model: Model, words: Mapping[str, str]) -> WakeProgram:
    return WakeProgram(
        **_program(model),
        models=[
            WakeModel(
                **_of(word, model.version, phrase), languages=list(model.languages), phrase=phrase
            )
            for word, phrase in words.items()
        ],
    )


def _handle(model: Model) -> HandleProgram:
    return HandleProgram(
        **_program(model),
        models=[HandleModel(**_of(model.name, model.version), languages=list(model.languages))],
        supports_handled_streaming=True,
        supports_home_control=True,
    )
