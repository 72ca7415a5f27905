"""Which file a model of llama.cpp is, and whether it is one at all."""

from collections.abc import Sequence
from pathlib import Path

from airos_edge.errors import EngineUnavailable
from airos_edge.models.stored import StoredModel, find
from airos_edge.models.suspect import instead


def file_of(name: str, model: str, stored: Sequence[StoredModel]) -> Path:
    """The file of a model that is named, or given by its path; of one in several files, the first.

    Raises EngineUnavailable where there is none, and where it is something else.
    """
    mine = [one for one in stored if (one.task, one.engine) == ("llm", "llama")]
    if (found := find(mine, model)) is not None:
        path = found.path
    elif "/" in model:
        path = Path(model).expanduser()
    else:
        why = f"there is no model {model!r} on this box: `airos models list` shows those there are"
        raise EngineUnavailable(name, why)
    if path.is_dir():
        files = [file for file in sorted(path.glob("*.gguf")) if "mmproj" not in file.name]
        if not files:
            raise EngineUnavailable(name, f"there is no .gguf file in {path}")
        path = files[0]
    try:
        wrong = instead(path, ".gguf")
    except OSError as error:
        raise EngineUnavailable(name, f"{path} cannot be read: {error.strerror}") from error
    if wrong:
        raise EngineUnavailable(name, f"{path} {wrong}; get it again")
    return path
