"""A model that llama.cpp runs: what it takes, and what of that is ours.

The model is the tests' own, made larger: 85 million random numbers, a tenth of the smallest that is of use. What
is ours is as much for a larger one, which takes more by itself.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from airos_edge.engines import llm_openai
from airos_edge.engines.llm import LlmSettings, open_llm
from airos_edge.engines.llm_llama import Llama
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Act, Prompt, Text
from bench.engines import LATEST_MS, MOST_RATIO, lateness_ms
from bench.figures import Figure
from tests.llama_model import write_model

NEVER = {"<|im_end|>": -50.0, "</s>": -50.0, "<think>": -50.0}
TOLD = Prompt(instructions="You are the voice of a house, and brief. " * 10)
ASKED = ["why", "how", "when", "who", "where", "which", "whose", "what", "is", "can"]
MOST_FIRST = 1.2


async def minds(quick: bool) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        file = write_model(Path(folder) / "m.gguf", NEVER, layers=8, width=1024, context=4096)
        settings = LlmSettings(
            "llama", model=str(file), max_tokens=20, threads=1, context_tokens=4096
        )
        alone = _alone(file, Path(folder))
        async with aclosing(cast(Llama, open_llm("llama", settings))) as model:
            return await _measured(model, settings, alone, rounds=3 if quick else 10)


async def _measured(
    model: Llama, settings: LlmSettings, alone: Callable[[dict[str, Any]], None], rounds: int
) -> list[Figure]:
    began = time.perf_counter()
    await model.program.loaded()
    loading_s = time.perf_counter() - began
    assert model.program.process
    pid = model.program.process.pid
    ours: list[float] = []
    floor: list[float] = []
    for nth in range(rounds + 1):
        prompt = _asked(f"{ASKED[nth % len(ASKED)]} {nth}")
        with _cpu_ms(ours, pid):
            await _answer(model, prompt)
        with _cpu_ms(floor):
            alone(llm_openai.body(prompt, settings, ""))
    late_ms = [await lateness_ms(_answer(model, _asked(word))) for word in ASKED[:rounds]]
    return [
        Figure(
            "llama: CPU of 20 tokens, over its library alone",
            "ms",
            ours[1:],
            floor[1:],
            "alone",
            most_ratio=MOST_RATIO,
        ),
        Figure("llama: loading", "s", [loading_s]),
        Figure("llama: the loop is late, p99, as it writes", "ms", late_ms, target=LATEST_MS),
        await _first_and_tenth(model),
    ]


async def _first_and_tenth(model: Llama) -> Figure:
    """Of a model that has read its instructions, as `begin` lets it."""
    other = replace(TOLD, instructions=(TOLD.instructions or "") + "Tell no jokes.")
    await _answer(model, replace(other, items=_asked("Hello.").items, max_tokens=1))
    firsts_ms = []
    for word in ASKED:
        began = time.perf_counter()
        await _answer(model, replace(other, items=_asked(word).items), until_text=True)
        firsts_ms.append((time.perf_counter() - began) * 1000)
    return Figure(
        "llama: the first text of the first question",
        "ms",
        firsts_ms[:1],
        firsts_ms[9:],
        "of the tenth",
        most_ratio=MOST_FIRST,
    )


def _asked(text: str) -> Prompt:
    return replace(TOLD, items=(Item("item", role="user", text=text),))


async def _answer(model: Llama, prompt: Prompt, until_text: bool = False) -> None:
    async with aclosing(model.reply(prompt, cast(Act, None))) as parts:
        async for part in parts:
            if until_text and isinstance(part, Text):
                return


def _alone(file: Path, folder: Path) -> Callable[[dict[str, Any]], None]:
    """llama.cpp in this process, with what the engine gives it."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.hostnames = [str(folder / "alone.sock")]
    params.verbosity = 1
    params.n_ctx, params.n_batch, params.n_ubatch = 4096, 128, 128
    params.n_parallel, params.cpuparams.n_threads, params.fit_params = 1, 1, False
    server = xllamacpp.Server(params)
    return lambda body: server.handle_chat_completions(body, lambda event: None)


@contextmanager
def _cpu_ms(into: list[float], pid: int | None = None) -> Iterator[None]:
    """What this process takes, and the program of that number."""

    def now_ms() -> float:
        tasks = Path(f"/proc/{pid}/task").glob("*/schedstat") if pid else ()
        theirs_ns = sum(int(task.read_text().split()[0]) for task in tasks)
        return time.process_time() * 1000 + theirs_ns / 1e6

    began_ms = now_ms()
    yield
    into.append(now_ms() - began_ms)
