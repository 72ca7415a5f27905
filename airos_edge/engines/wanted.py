"""What the function that opens an engine is told: one value for each port.

They are values, so that an engine is kept as long as nothing of it has changed. One that runs a model is told
nothing of what changes with the house: it would be loaded anew for each lamp.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from airos_edge.engines.settings import AsrSettings, TtsSettings
from airos_edge.models.stored import StoredModel
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.place import Place
from airos_edge.voice.ports import Wake
from airos_edge.voice.waking import WordSettings


@dataclass(frozen=True, slots=True)
class WantedAsr:
    """`open_asr(wanted) -> Asr`."""

    settings: AsrSettings = field(default_factory=AsrSettings)
    language: str = "en"
    languages: tuple[str, ...] = ()
    """All that are spoken in the house, `language` first; none given: only that one."""
    grammar: Grammar = Grammar(({},), frozenset())  # noqa: RUF009 - it is a value
    """The house's sentences, for one that runs no model; without one where it has none in this language."""
    wake_words: tuple[str, ...] = ()
    """May be heard before what is said, and are no part of it; for such a one too."""
    model: StoredModel | None = None
    """None: the engine brings its own, or is elsewhere."""
    uri: str = ""
    """Where it is, of an engine elsewhere."""
    place: Place = Place.LOCAL


@dataclass(frozen=True, slots=True)
class WantedTts:
    """`open_tts(wanted) -> Tts`."""

    settings: TtsSettings = field(default_factory=TtsSettings)
    language: str = "en"
    model: StoredModel | None = None
    models: tuple[StoredModel, ...] = ()
    """All of this engine's on the box, the best first: each may bring voices. `model` is the first."""
    uri: str = ""
    place: Place = Place.LOCAL


@dataclass(frozen=True, slots=True)
class WantedWake:
    """`open_wake(wanted) -> () -> Wake`: each call of what it gives is a new stream. If that is a `WakeWords`,
    it says which of the words it does not hear."""

    words: Mapping[str, WordSettings] = field(default_factory=dict)
    models: tuple[StoredModel, ...] = ()
    """Those of wake words on the box, for any engine that can run them."""
    uri: str = ""
    place: Place = Place.LOCAL


@dataclass(frozen=True, slots=True)
class WakeWords:
    """What opening wake words gives. Each call is a new stream, to be closed by who opens it if it has an
    `aclose`."""

    begin: Callable[[], Wake]
    unheard: Mapping[str, str] = field(default_factory=dict)
    """The words that it does not hear, each with why; the others are not disturbed."""
    by: Mapping[str, str] = field(default_factory=dict)
    """Of the words that it hears, the engine of each."""

    def __call__(self) -> Wake:
        return self.begin()


@dataclass(frozen=True, slots=True)
class WantedVad:
    """`open_vad(wanted) -> () -> Vad`: each call of what it gives is a new stream."""
