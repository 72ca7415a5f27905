"""The sections of the configuration that choose engines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from airos_edge.errors import ConfigError
from airos_edge.limits import Range
from airos_edge.secret import Secret
from airos_edge.voice.waking import WordSettings

Engines = tuple[str, ...] | str
"""One engine, or several in the order in which they are tried: names, URIs, or `auto`."""
Device = Literal["auto", "cpu", "cuda"]
"""auto: the GPU where there is one that works, else the CPU."""


@dataclass(frozen=True, slots=True)
class WakeSettings:
    engine: str = "auto"
    words: Mapping[str, WordSettings] = field(
        default_factory=lambda: {"hey_jarvis": WordSettings()}
    )


@dataclass(frozen=True, slots=True)
class VadSettings:
    engine: str = "auto"
    threshold: Annotated[float, Range(0.05, 1)] = 0.5
    """The probability that counts as speech."""


@dataclass(frozen=True, slots=True)
class AsrSettings:
    engine: Engines = "auto"
    model: str | None = None
    """The name of a model on this box, the path of one, or, of an engine elsewhere, what its server calls
    it; None: the best there is."""
    grammar: bool = True
    """Whether the closed grammar of the house's commands hears beside an engine that hears anything, and in its
    stead when it fails."""
    certainty: Annotated[float, Range(0, 1)] = 0.5
    """The probability that makes words a command, where a recogniser tells it."""
    device: Device = "auto"
    compute_type: str = "auto"
    """How precisely it computes, in CTranslate2's words (int8, float16, …); auto: as fits the device."""
    api_key: Secret | None = None


@dataclass(frozen=True, slots=True)
class CloneSettings:
    """A voice that is copied from a recording, by engines whose model can."""

    reference: str = ""
    """The recording: a file of 3 to 30 s of one person, without noise."""
    text: str = ""
    """What is said in it, word for word."""
    consent: str = ""
    """Who agreed that the voice is copied, and when. Without it, it is not."""


@dataclass(frozen=True, slots=True)
class TtsSettings:
    engine: Engines = "auto"
    model: str | None = None
    """As of `AsrSettings`."""
    voice: str | None = None
    """None: the voice of the language."""
    rate: Annotated[float, Range(0.5, 3)] = 1.0
    """1.0 is the voice's own speed."""
    clones: Mapping[str, CloneSettings] = field(default_factory=dict)
    """By the names under which they are voices."""
    cache_mb: Annotated[int, Range(0, 100_000)] = 50
    """How much of what was said is kept; 0: nothing."""
    device: Device = "auto"
    api_key: Secret | None = None


def refuse_without_consent(tts: TtsSettings) -> None:
    """Raises ConfigError for a voice that would be copied without anybody having agreed, and for one
    that could not be."""
    for name, clone in tts.clones.items():
        path = f"tts.clones.{name}"
        if not clone.consent.strip():
            raise ConfigError(
                f"{path}.consent: is missing: who agreed that this voice is copied, and when"
                " (such as: Maria Schmidt, 2026-11-01)"
            )
        for option in ("reference", "text"):
            if not getattr(clone, option).strip():
                raise ConfigError(f"{path}.{option}: is missing")
