"""docs/engines.md, run as it is printed: a voice of one's own as a package, as a process, in the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

import airos_edge
from tests.e2e.conftest import free_port

pytestmark = pytest.mark.real_time

ROOT = Path(airos_edge.__file__).parent.parent
PRINTED = (ROOT / "docs" / "engines.md").read_text()
FILES = dict(re.findall(r"`([\w.-]+\.\w+)`:\n\n```\w+\n(.*?)```", PRINTED, re.DOTALL))
COMMANDS = re.findall(r"```sh\n(.*?)```", PRINTED, re.DOTALL)
ROW = re.findall(r"under `\"tts\"`:\n\n```python\n(.*?)```", PRINTED, re.DOTALL)[0]
PLACE = '    "tts": (\n'
"""Where the row goes in the table."""
RECORDING = ROOT / "examples" / "turn-on-the-kitchen-light.wav"
SOS = [1, 1, 1, 3, 3, 3, 1, 1, 1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the files that are printed."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(line: str, folder: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    """A printed command, where `airos` and `python` are those of the test."""
    python = sys.executable
    words = line.replace("airos ", f"{python} -m airos_edge ", 1).split()
    return subprocess.run(
        words,
        cwd=folder,
        env=environment(folder, *paths),
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )


def environment(folder: Path, *paths: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIROS_")}
    where = os.pathsep.join(map(str, paths))
    return {**kept, "HOME": str(folder), "AIROS_RUNTIME": str(folder), "PYTHONPATH": where}


def signs(recording: Path) -> list[int]:
    """How many dots long each tone of the recording is."""
    with wave.open(str(recording)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        rate_hz = file.getframerate()
    block = rate_hz // 100
    blocks = samples[: len(samples) // block * block].reshape(-1, block).astype(float)
    is_loud = np.concatenate([[False], np.abs(blocks).max(axis=1) > 1000, [False]])
    edges = np.flatnonzero(np.diff(is_loud.astype(int)))
    return [round((end - start) / 6) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def installed(folder: Path) -> Path:
    """Where the package that lies in the folder is installed."""
    site = folder / "site"
    options = ["--no-deps", "--no-build-isolation", "--target", str(site)]
    install = [sys.executable, "-m", "pip", "install", "--quiet", *options, "."]
    subprocess.run(install, cwd=folder, check=True, timeout=50, capture_output=True)
    return site


def test_as_a_package_of_ones_own(folder: Path) -> None:
    site = installed(folder)
    check, say = COMMANDS[0].splitlines()
    assert "morse           as configured" in run(check, folder, site, ROOT).stdout
    run(say, folder, site, ROOT)
    assert signs(folder / "sos.wav") == SOS


def test_ears_of_ones_own(folder: Path) -> None:
    (entry,) = re.findall(r"entry point is `(.*?)`", PRINTED)
    project = (folder / "pyproject.toml").read_text()
    for before, after in (
        ('"tts.morse" = "morse_voice:open_tts"', entry),
        ('"morse_voice"', '"clock_ears"'),
    ):
        assert project.count(before) == 1
        project = project.replace(before, after)
    (folder / "pyproject.toml").write_text(project)
    site = installed(folder)
    (config,) = re.findall(r"write\n`(asr: .*?)`", PRINTED)
    (folder / "config.yaml").write_text(config)
    asked = run(f"airos ask --demo --json --quiet {RECORDING}", folder, site, ROOT)
    assert json.loads(asked.stdout)["transcript"] == "what time is it"


def test_as_a_wyoming_process(folder: Path) -> None:
    uri = f"tcp://127.0.0.1:{free_port()}"
    (serve,) = COMMANDS[1].splitlines()
    (say,) = COMMANDS[2].splitlines()
    config = folder / "config-wyoming.yaml"
    config.write_text(config.read_text().replace("tcp://127.0.0.1:10200", uri))
    words = serve.replace("tcp://127.0.0.1:10200", uri).split()
    server = subprocess.Popen(
        [sys.executable, *words[1:]], cwd=folder, env=environment(folder, folder, ROOT)
    )
    try:
        wait_for(uri)
        run(say, folder, ROOT)
    finally:
        server.terminate()
        server.wait(10)
    assert signs(folder / "sos.wav") == SOS


def wait_for(uri: str) -> None:
    """Until somebody answers there."""
    program = (
        "import socket, sys, time\n"
        "until = time.monotonic() + 20\n"
        "while time.monotonic() < until:\n"
        "    try:\n"
        "        socket.create_connection(('127.0.0.1', int(sys.argv[1]))).close()\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.05)\n"
        "else:\n"
        "    sys.exit('nobody answers')\n"
    )
    subprocess.run([sys.executable, "-c", program, uri.rpartition(":")[2]], check=True, timeout=30)


def test_in_the_tree(folder: Path) -> None:
    tree = folder / "tree"
    shutil.copytree(
        ROOT / "airos_edge", tree / "airos_edge", ignore=shutil.ignore_patterns("__pycache__")
    )
    engines = tree / "airos_edge" / "engines"
    (engines / "tts_morse.py").write_text(FILES["morse_voice.py"])
    registry = (engines / "registry.py").read_text()
    assert registry.count(PLACE) == 1
    (engines / "registry.py").write_text(registry.replace(PLACE, PLACE + ROW))
    check, say = COMMANDS[0].splitlines()
    assert "as configured" in run(check, folder, tree).stdout
    run(say, folder, tree)
    assert signs(folder / "sos.wav") == SOS
