"""The program in which llama.cpp runs one model: `python -m airos_edge.engines.llama_program`.

Its input is a line of JSON, which `Wanted` describes; it ends when its input does. Of its output the lines that
begin with `MARK` are ours, in JSON, the others are llama.cpp's log. It serves OpenAI's chat completions on a
Unix socket, and nothing else listens.

It is a program of its own since llama.cpp, through xllamacpp, keeps Python's lock as long as it loads a model,
which may be half a minute (`Server.__cinit__` in xllamacpp.pyx calls it without `nogil`), and aborts its process
when it meets what it did not expect (`GGML_ASSERT`). So the box goes on hearing, and its memory is given back.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NICENESS = 5
"""The box hears and speaks first; what is left is for the model, which takes all that it gets."""
EXPENDABLE = "500"
"""Where memory runs out, Linux ends the model before the box (proc(5), oom_score_adj)."""
CACHE_MIB = 256
"""For conversations that another one has taken the place of; llama.cpp's own default are 8 GiB."""
BATCH = {"CPU": 128, "GPU": 512}
"""How many tokens of a question are read in one step, at whose end a cancelling is noticed. A CPU gains nothing
by more."""
MARK = "airos: "


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be served, and where. None: as llama.cpp sees fit."""

    model: str
    socket: str
    """Ends with .sock: so llama.cpp knows it for one. It has a directory of its own, which goes with it."""
    context_tokens: int
    threads: int | None = None
    gpu_layers: int | None = None

    def told(self) -> str:
        return json.dumps(asdict(self)) + "\n"


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the box
    with suppress(OSError):
        os.nice(NICENESS)
        Path("/proc/self/oom_score_adj").write_text(EXPENDABLE)
    wanted = Wanted(**json.loads(sys.stdin.readline()))
    Path(wanted.socket).unlink(missing_ok=True)  # of one that was killed
    _server = serve(wanted)
    say(ready=True)
    sys.stdin.read()
    with suppress(OSError):  # who has begun it may have been killed, and tidies up no more
        Path(wanted.socket).unlink(missing_ok=True)
        Path(wanted.socket).parent.rmdir()
    os._exit(0)  # freeing it all by hand takes longer


def serve(wanted: Wanted) -> Any:
    """Blocks while it loads. Raises RuntimeError; what is wrong stands in llama.cpp's log."""
    import xllamacpp

    kind = xllamacpp.ggml_backend_dev_type
    devices = xllamacpp.get_device_info()
    gpus = [
        device["description"]
        for device in devices
        if device["type"]
        not in (kind.GGML_BACKEND_DEVICE_TYPE_CPU, kind.GGML_BACKEND_DEVICE_TYPE_ACCEL)
    ]
    say(gpus=gpus)
    params = xllamacpp.CommonParams()
    params.model.path = wanted.model
    params.hostnames = [wanted.socket]
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 1  # errors
    params.n_ctx = wanted.context_tokens
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = BATCH["GPU" if gpus and wanted.gpu_layers != 0 else "CPU"]
    params.cache_ram_mib = CACHE_MIB
    params.cpuparams.n_threads = wanted.threads or -1
    params.n_gpu_layers = -1 if wanted.gpu_layers is None else wanted.gpu_layers
    params.fit_params = bool(gpus) and wanted.gpu_layers is None
    return xllamacpp.Server(params)


def say(**told: Any) -> None:
    sys.stdout.write(MARK + json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
