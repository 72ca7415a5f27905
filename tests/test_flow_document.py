"""docs/flow.md shows nothing that no test plays, and no event that does not exist."""

from pathlib import Path

from airos_edge.voice import events
from tests.diagrams import DOCUMENT, diagrams

THIS = Path(__file__)
PARTS = ("A question", "An answer")
"""Diagrams that others are made of."""


def test_every_diagram_is_played_by_a_test() -> None:
    others = set(THIS.parent.rglob("test_*.py")) - {THIS}
    tests = "".join(path.read_text() for path in others)
    assert [title for title in diagrams() if f'"{title}"' not in tests] == list(PARTS)


def test_every_event_exists() -> None:
    shown = {line.split()[1] for lines in diagrams().values() for line in lines if "Face:" in line}
    assert not [name for name in shown if not hasattr(events, name)]


def test_every_diagram_is_a_diagram() -> None:
    text = DOCUMENT.read_text()
    assert text.count("```mermaid\nsequenceDiagram\n") == text.count("```") / 2 == len(diagrams())
