"""Whether sherpa-onnx can run a model, seen in a process of its own.

Where a file is not what the library expects (cut short, swapped, of another model) it ends the process
that loads it; that may not be the daemon. So a model is first loaded and run once in another process. What
was seen is noted in the model's directory, and holds while its files and the library are the same.
"""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from airos_edge.engines.sherpa import (
    Plan,
    hear_once,
    load_ears,
    load_voice,
    on_cpu,
    say_once,
    version,
)
from airos_edge.engines.sherpa_kinds import KINDS
from airos_edge.errors import EngineUnavailable
from airos_edge.files import write_whole

log = logging.getLogger(__name__)

NOTED = "airos-tried.json"
LIMIT_S = 300.0
"""The largest models take a minute to load from an SD card."""
PLACE = re.compile(r"^\S+\.(?:cc|h):\S*:\d+ ")
"""Where in the library's source a complaint was made, which helps nobody here."""
NO_GPU = re.compile(r"fallback to cpu", re.IGNORECASE)
MOST_NOTED = 8


def tried(plan: Plan, directory: Path) -> Plan:
    """The plan as it works here: on the CPU where the GPU does not do, which is logged.

    Blocks: the first time, as long as loading takes, and half a second. Raises EngineUnavailable.
    """
    if plan.provider == "cpu":
        _try(plan, directory)
        return plan
    try:
        said = _try(plan, directory)
    except EngineUnavailable as error:
        log.warning("%s; going on on the CPU", error)
    else:
        if not NO_GPU.search(said):
            return plan
        log.warning("sherpa: this build of sherpa-onnx finds no GPU; going on on the CPU")
    return tried(on_cpu(plan), directory)


def _try(plan: Plan, directory: Path) -> str:
    """What the library said on its way. Raises EngineUnavailable."""
    key = _key(plan)
    noted = _noted(directory)
    if key in noted:
        return noted[key]
    import_path = os.pathsep.join(path for path in sys.path if path)
    try:
        trial = subprocess.run(
            [sys.executable, "-P", "-m", __name__],
            input=json.dumps(plan.as_json()),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIMIT_S,
            env={**os.environ, "PYTHONPATH": import_path},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise EngineUnavailable(
            "sherpa", f"{directory}: takes over {LIMIT_S:g} s to load"
        ) from error
    except OSError as error:
        raise EngineUnavailable("sherpa", f"no process to try a model in: {error}") from error
    if trial.returncode:
        raise EngineUnavailable("sherpa", f"{directory}: {_why(trial)}")
    said = trial.stderr if NO_GPU.search(trial.stderr) else ""
    with suppress(OSError):  # a directory that may only be read: it is tried the next time too
        newest = dict([*noted.items(), (key, said)][-MOST_NOTED:])
        write_whole(directory / NOTED, json.dumps(newest).encode(), 0o644)
    return said


def _key(plan: Plan) -> str:
    stamps = []
    for path in sorted({*",".join(plan.files.values()).split(",")}):
        stat = os.stat(path)
        stamps.append((path, stat.st_size, stat.st_mtime_ns))
    told = json.dumps([plan.as_json(), stamps, version()])
    return sha256(told.encode()).hexdigest()


def _noted(directory: Path) -> dict[str, str]:
    try:
        noted = json.loads((directory / NOTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _why(trial: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.strip() for line in trial.stderr.splitlines() if line.strip()]
    last = PLACE.sub("", lines[-1]) if lines else ""
    if trial.returncode < 0:
        name = signal.Signals(-trial.returncode).name
        return f"sherpa-onnx crashes on it ({name}){': ' if last else ''}{last}"
    return f"sherpa-onnx cannot run it: {last or f'it ended with {trial.returncode}'}"


def main() -> None:
    """In the process of its own: the plan comes in as JSON."""
    plan = Plan(**json.loads(sys.stdin.read()))
    task = next(kind.task for kind in KINDS if kind.name == plan.kind)
    try:
        if task == "asr":
            hear_once(plan, load_ears(plan))
        else:
            say_once(plan, load_voice(plan))
    except EngineUnavailable as error:
        sys.exit(str(error).removeprefix("sherpa: "))


if __name__ == "__main__":
    main()
