"""What documents and sentences of the program tell people to type is there to be typed."""

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from airos_edge.cli import _parser

ROOT = Path(__file__).parents[2]
PROSE = [ROOT / "README.md", ROOT / "config.example.yaml", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = sorted((ROOT / "airos_edge").rglob("*.py"))
TYPED = re.compile(r"`(?:sudo )?airos ([^`\n]+)`")


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in parser._actions:  # argparse tells it nowhere else
        if isinstance(action, argparse._SubParsersAction):
            found: Mapping[str, argparse.ArgumentParser] = action.choices
            return found
    return {}


def complaints(typed: str) -> Iterator[str]:
    """Words in capitals and dots stand for others."""
    parser, words = _parser(), typed.split()
    while words and (known := commands_of(parser)) and re.fullmatch(r"[a-z]+", words[0]):
        if words[0] not in known:
            yield f"there is no {words[0]!r}"
            return
        parser = known[words.pop(0)]
    options = {option for action in parser._actions for option in action.option_strings}
    for word in words:
        if word.startswith("--") and word not in options:
            yield f"has no {word}"


@pytest.mark.parametrize("file", [*PROSE, *PROGRAM], ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_to_be_typed_is_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    wrong = [f"airos {typed}: {why}" for typed in TYPED.findall(text) for why in complaints(typed)]
    assert not wrong


def test_a_command_that_is_not_there_is_found() -> None:
    assert [*complaints("log")] == ["there is no 'log'"]
    assert [*complaints("models fetch NAME")] == ["there is no 'fetch'"]
    assert [*complaints("models get NAME --dry-run --fast")] == ["has no --fast"]
    assert not [*complaints("models …")]
