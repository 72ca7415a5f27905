"""The models that are on the box, each a directory with a manifest: complete, or not there.

`<models>/<name>/airos.json` is written last, so a directory without it is no model. What it says is what
engines choose by; whether the files are still those that came is for `airos models verify`.
"""

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

log = logging.getLogger(__name__)

Task = Literal["asr", "tts", "wake", "llm"]
TASKS: tuple[Task, ...] = get_args(Task)
MANIFEST = "airos.json"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model on this box. `path` is its directory."""

    name: str
    task: Task
    engine: str
    """Who runs it: an engine's name in `engines/registry.py`, of an LLM in `engines/llm.py`."""
    path: Path
    kind: str = ""
    """Of an engine that runs models of several kinds: which. "" where the engine sees for itself."""
    languages: tuple[str, ...] = ()
    """None given: any."""
    quality: int = 0
    """Higher is better, among the models of a task."""
    revision: str = ""
    """Which edition lies there."""
    arrived_ns: int = 0
    """When it was put there: what replaces it under the same name, be it of the same edition, is another value."""

    def speaks(self, language: str) -> bool:
        """Whether it knows the language; of "de-at" that is "de"."""
        return not self.languages or bool(
            {language, language.partition("-")[0]} & {*self.languages}
        )


def stored_models(directory: Path) -> list[StoredModel]:
    """Those that are complete, by their names. What cannot be read is none, and logged."""
    found = []
    for manifest in sorted(directory.glob(f"[!.]*/{MANIFEST}")):
        try:
            found.append(_read(manifest))
        except (OSError, ValueError) as error:
            log.warning("%s: no model: %s", manifest, error)
    return found


def find(models: Collection[StoredModel], wanted: str) -> StoredModel | None:
    """By its name."""
    return next((model for model in models if model.name == wanted), None)


def _read(manifest: Path) -> StoredModel:
    """Raises OSError, and ValueError for what is no manifest."""
    told = json.loads(manifest.read_text(encoding="utf-8"))
    try:
        model = StoredModel(
            manifest.parent.name,
            told["task"],
            told["engine"],
            manifest.parent,
            str(told.get("kind", "")),
            tuple(map(str, told.get("languages", ()))),
            int(told.get("quality", 0)),
            str(told.get("revision", "")),
            manifest.stat().st_mtime_ns,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"its manifest lacks {error}") from error
    if model.task not in TASKS:
        raise ValueError(f"there is no task {model.task!r}")
    return model
