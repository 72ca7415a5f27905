"""Where the model of a wake word is: the owner's file, a model that is stored on the box, or neither."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from airos_edge.engines.wanted import WantedWake
from airos_edge.errors import EngineUnavailable
from airos_edge.models.stored import MANIFEST, StoredModel, find
from airos_edge.models.suspect import instead
from airos_edge.voice.waking import WordSettings

T = TypeVar("T")

FORMATS: Mapping[str, tuple[str, ...]] = {
    "openwakeword": (".onnx", ".tflite"),
    "microwakeword": (".json",),
}
"""By engine, how the files end that it loads. A microWakeWord model is a .tflite too; its .json names it."""


def word_file(word: str, settings: WordSettings, stored: Sequence[StoredModel]) -> Path | None:
    """The file to load; None: the word is one that an engine's package brings, or nobody has it.

    Without `settings.model` it is the stored model that is called as the word. Raises ValueError
    for a file that is not there, or is plainly something else; it says which.
    """
    if (path := _path(word, settings, stored)) is None:
        return None
    try:
        suspected = instead(path)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    if suspected:
        raise ValueError(f"{path} {suspected}")
    if engine_of(path) is None:
        ends = " or ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
        raise ValueError(f"{path}: a wake word's model ends in {ends}")
    return path


def _path(word: str, settings: WordSettings, stored: Sequence[StoredModel]) -> Path | None:
    wanted = settings.model or word
    if (known := find(stored, wanted)) is not None:
        return _file_of(known)
    if settings.model is None:
        return None
    path = Path(wanted).expanduser()
    if "/" not in wanted and engine_of(path) is None:
        names = ", ".join(model.name for model in stored) or "none"
        raise ValueError(f"there is no model {wanted!r}; of wake words this box has: {names}")
    return path


def _file_of(model: StoredModel) -> Path:
    suffixes = FORMATS.get(model.engine, ())
    try:
        files = sorted(model.path.iterdir())
    except OSError as error:
        raise ValueError(f"{model.path}: {error.strerror}") from error
    for path in files:
        if path.suffix in suffixes and path.name != MANIFEST:
            return path
    ends = " or ".join(suffixes) or "what is known"
    raise ValueError(f"{model.path} has no file that ends in {ends}")


def loaded(
    wanted: WantedWake, brought: Mapping[str, Path], load: Callable[[Path], T]
) -> tuple[dict[str, T], dict[str, str]]:
    """What is made of each word's file, and of the words of which nothing can be made, why.

    `brought`: the files of the words in the engine's package; an unknown one gets the names nearest to it.
    `load` raises EngineUnavailable, OSError, or ValueError with what the file is instead.
    """
    made: dict[str, T] = {}
    unheard: dict[str, str] = {}
    for word, settings in wanted.words.items():
        path = None
        try:
            path = word_file(word, settings, wanted.models) or brought.get(word)
            if path is None:
                near = get_close_matches(word, brought, cutoff=0.3) or sorted(brought)
                unheard[word] = f"no wake word {word!r}; try {' or '.join(near)}"
            else:
                made[word] = load(path)
        except ValueError as error:
            unheard[word] = f"{path} {error}" if path else str(error)
        except (EngineUnavailable, OSError) as error:
            unheard[word] = str(error)
    return made, unheard


def engine_of(path: Path) -> str | None:
    """Who loads such a file."""
    return next((name for name, suffixes in FORMATS.items() if path.suffix in suffixes), None)
