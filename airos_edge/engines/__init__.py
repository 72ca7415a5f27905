"""What sits behind the ports, one file an engine, named <port>_<engine>.

A model library is imported by one file, and only when that engine is opened.
"""

import os
from importlib.util import find_spec
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
"""onnxruntime reports its use to its maker over the internet, unless this is set when it loads."""


def locate(part: str) -> Path | None:
    """Where a package ("onnxruntime") or a file within one ("vosk/model/README") is installed.

    None if it is not. The package is found without being imported, which for some takes a second.
    """
    package, _, file = part.partition("/")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / file
    return path if path.exists() else None
