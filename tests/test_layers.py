"""Arrows never point back: cli, daemon, the parts beside each other, voice, errors."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import airos_edge

ROOT = Path(airos_edge.__file__).parent
RANKS = {
    **{
        "__main__": 8,
        "cli": 7,
        "daemon": 6,
        "scoring": 6,
        "listening": 5.5,
        "presence": 5.5,
        "usual": 5.5,
        "box": 5,
        "parts": 4,
        "opened": 3.5,
        "config": 3,
    },
    "fluency": 3.3,
    "offers": 4.5,
    "ears": 4.5,
    "description": 4.5,
    "loudspeaker": 4,
    **dict.fromkeys(["realtime", "esphome", "local", "announce", "console", "mqtt"], 2),
    **dict.fromkeys(["http", "router", "home", "engines"], 2),
    "languages": 1.5,
    "models": 1.9,  # below the engines, which run them
    "tools": 1.9,  # below the router, which offers them
    "wyoming": 1.8,  # below the engines: those that are elsewhere speak it too
    **{"voice": 1, "settings": 1.5, "secret": 1, "health": 1.5, "network": 1.5, "identity": 1},
    **{"workshop": 1.5, "quota": 1.5, "visitor": 1.6, "refusal": 1},
    **dict.fromkeys(
        ["errors", "limits", "paths", "files", "scopes", "virtual_time", "airos_edge"], 0
    ),
}
"""Who is above whom; equals do not know each other."""
CORE_MAY_IMPORT = {*sys.stdlib_module_names, "numpy", "airos_edge"}
CORE_STANDS_ON = {"voice", "errors", "limits"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


TREES = {name_of(path): ast.parse(path.read_text()) for path in ROOT.rglob("*.py")}


def imports(module: str) -> Iterator[str]:
    """Every module that is imported, within functions too; a name of a package is no module."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{module} imports relatively"  # noqa: PT018
            named = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from (named & TREES.keys()) or [node.module]


def of_ours(module: str) -> set[str]:
    return {name for name in imports(module) if name.split(".")[0] == "airos_edge"} - {module}


@pytest.mark.parametrize("module", TREES)
def test_arrows_point_down(module: str) -> None:
    mine = part_of(module)
    for other in map(part_of, of_ours(module)):
        assert other == mine or RANKS[other] < RANKS[mine], f"{module} imports {other}"


@pytest.mark.parametrize("module", [name for name in TREES if part_of(name) == "voice"])
def test_the_core_knows_the_standard_library_and_numpy(module: str) -> None:
    assert {name.split(".")[0] for name in imports(module)} <= CORE_MAY_IMPORT
    assert {part_of(name) for name in of_ours(module)} <= CORE_STANDS_ON


def test_nothing_imports_itself_by_a_detour() -> None:
    TopologicalSorter({module: of_ours(module) for module in TREES}).prepare()


def test_tasks_are_made_in_scopes_that_own_them() -> None:
    makers = {
        module
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if getattr(node, "attr", getattr(node, "id", "")) in ("create_task", "ensure_future")
    }
    assert makers == {"airos_edge.voice.flow"}
