"""Engines as a package of its own might bring them: what they open is what a test puts here."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from airos_edge.engines.registry import ENGINES, Engine
from airos_edge.models.stored import MANIFEST
from tests.engines.slow import Opener

openers: dict[str, Opener] = {}
"""By the name of a model."""
ROWS = {
    port: Engine(
        "owl", f"tests.owl:open_{port}", (), "owl", "hears and speaks at night", runs_models=True
    )
    for port in ("asr", "tts")
}


def open_asr(wanted: Any) -> Any:
    return openers[wanted.model.name]()


open_tts = open_asr


@contextmanager
def owl(models: Path, **quality: int) -> Iterator[dict[str, Opener]]:
    """The engine is in the table, with models by name: those whose names begin with "voice" speak."""
    for name, value in quality.items():
        task = "tts" if name.startswith("voice") else "asr"
        (models / name).mkdir(parents=True, exist_ok=True)
        told = {"task": task, "engine": "owl", "languages": ["en"], "quality": value}
        (models / name / MANIFEST).write_text(json.dumps(told))
    table = {**ENGINES, **{port: (row, *ENGINES[port]) for port, row in ROWS.items()}}  # type: ignore[index]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airos_edge.engines.registry.ENGINES", table)
        yield openers
        openers.clear()
