"""`make test-llama`: a real llama.cpp with random weights, asked by us. What it says means nothing.

Not among the tests of `make test`, as llama.cpp is compiled for it. $LLAMA_PYTHON is the interpreter that has it.
"""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from airos_edge.engines.llm import LlmSettings, open_llm
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Done, Prompt, Text
from tests.e2e.conftest import StartDaemon, free_port
from tests.e2e.test_models import ask, config
from tests.router.test_router import Acts

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(120)]

PYTHON = os.environ["LLAMA_PYTHON"]
PROMPT = Prompt((Item("item_1", role="user", text="hello"),), instructions="Be brief.")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("llama")
    model, port = folder / "tiny.gguf", free_port()
    subprocess.run([PYTHON, Path(__file__).with_name("tiny_gguf.py"), model], check=True)
    command = [PYTHON, "-m", "llama_cpp.server", "--model", str(model), "--chat_format", "chatml"]
    command += ["--n_ctx", "512", "--n_threads", "1", "--port", str(port)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_for(f"http://127.0.0.1:{port}/v1/models", process, folder / "log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address).close()
            return
        except urllib.error.URLError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)


async def test_it_is_asked_again_and_again_also_after_hanging_up(url: str) -> None:
    model = open_llm("tiny", LlmSettings(url=url, model="tiny", max_tokens=20))
    async with aclosing(model):  # type: ignore[type-var]
        for _ in range(3):
            async with aclosing(model.reply(PROMPT, Acts())) as parts:
                assert isinstance(await anext(parts), Text)
            async with aclosing(model.reply(PROMPT, Acts())) as parts:
                *texts, done = [part async for part in parts]
            assert any(isinstance(part, Text) and part.text for part in texts)
            assert isinstance(done, Done)
            assert done.why in ("stop", "max_tokens")


def test_the_daemon_says_what_it_writes(url: str, start_daemon: StartDaemon) -> None:
    tiny = f"fast: {{url: '{url}', model: tiny, max_tokens: 20}}"
    daemon = start_daemon("--demo", config=config(tiny))
    answer = ask(daemon, "why is the sky blue")
    assert answer["tier"] == "fast"
    assert answer["answer"]
    assert answer["status"] in ("completed", "incomplete")
