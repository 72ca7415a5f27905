"""`make run` on a machine that lacks something: one line says what, and nothing was begun."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

OLD = """#!/bin/sh
[ "$1" = -V ] && echo "Python 3.10.12" && exit
case "$2" in *version_info*) exit 1 ;; esac
"""
NARROW = """#!/bin/sh
case "$2" in *maxsize*) exit 1 ;; esac
"""
WITHOUT_VENV = """#!/bin/sh
case "$2" in *venv*) exit 1 ;; esac
"""


def python(runtime: Path, script: str) -> str:
    program = runtime / "python-stub"
    program.write_text(script)
    program.chmod(0o755)
    return str(program)


def prerequisites(python: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(ROOT / "scripts" / "prerequisites"), python]
    environment = {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (OLD, "airos needs Python 3.11 or newer: {} is 3.10.12 (name another one: make PYTHON="),
        (NARROW, "airos needs a 64-bit Python: {} is a 32-bit one"),
        (WITHOUT_VENV, "airos needs Python's venv module (Debian: apt install python3-venv)"),
    ],
    ids=["old", "narrow", "without venv"],
)
def test_what_is_missing_is_one_line(runtime: Path, script: str, why: str) -> None:
    stub = python(runtime, script)
    ended = prerequisites(stub)
    assert ended.returncode == 1
    assert ended.stderr.startswith(why.format(stub))
    assert ended.stderr.count("\n") == 1


def test_a_python_that_is_missing_is_one_line() -> None:
    ended = prerequisites("python-of-nobody")
    assert ended.returncode == 1
    assert ended.stderr.startswith("airos needs Python 3.11 or newer: python-of-nobody was not")
    assert ended.stderr.count("\n") == 1


def test_where_nothing_is_missing_nothing_is_said() -> None:
    ended = prerequisites(sys.executable)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_make_begins_nothing_where_something_is_missing(runtime: Path) -> None:
    make = shutil.which("make", path="/usr/bin:/bin")
    if make is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, runtime)
    shutil.copytree(ROOT / "scripts", runtime / "scripts")
    ended = subprocess.run(
        [make, "run", f"PYTHON={python(runtime, OLD)}"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("airos needs Python 3.11 or newer")
    assert not (runtime / ".venv").exists()
