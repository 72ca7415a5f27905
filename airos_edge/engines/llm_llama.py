"""Models that llama.cpp runs on this box, each in a program that ends with the box (`llama_program.py`)."""

import asyncio
import json
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from airos_edge.engines import locate
from airos_edge.engines.llama_file import file_of
from airos_edge.engines.llama_program import MARK, Wanted
from airos_edge.engines.llm import LlmSettings
from airos_edge.engines.llm_completion import Completion, Model
from airos_edge.engines.llm_endpoint import Endpoint, open_endpoint
from airos_edge.engines.llm_forced import FORCED, must_call
from airos_edge.engines.llm_openai import OPENAI
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.health import State
from airos_edge.models.stored import StoredModel
from airos_edge.paths import socket_path
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Place, Prompt

log = logging.getLogger(__name__)

PROGRAM = (sys.executable, "-P", "-m", "airos_edge.engines.llama_program")
ADDRESS = "http://llama.cpp/v1"
"""What stands for the socket in a request."""
HELLO = Item("hello", role="user", text="Hello.")
REASON = re.compile(r"error loading model: (.+)|(GGML_ASSERT.+)")
COMPLAINT = re.compile(r"^[\d.]+ E (.+)")
"""In llama.cpp's log; there are some before and after the reason."""
LOOK_S = 0.1
"""So long it takes to hear that a program has ended whose connection broke off."""
MOST_TOOLS = 1000
"""So many are remembered with whether they can be used; clients bring tools too, and any number of them."""
LONGEST_RUNTIME = 70
"""Of a directory, for a socket two levels down: Linux takes 107 bytes (unix(7)), macOS 103."""
LONGEST_LINE = 16 * 1024 * 1024

Report = Callable[[State, str], None]


def open_llm(name: str, settings: LlmSettings, stored: Sequence[StoredModel]) -> "Llama":
    """Loads nothing: that begins with `begin`, or when it is asked. Raises EngineUnavailable."""
    if locate("xllamacpp") is None:
        raise EngineUnavailable(name, "lacks xllamacpp: pip install 'airos-edge[llama]'")
    file = file_of(name, settings.model, stored)
    folder = _own_folder()
    socket = str(folder / "llama.sock")
    endpoint = open_endpoint(name, ADDRESS, settings.model, Place.LOCAL, None, {}, socket=socket)
    wanted = Wanted(str(file), socket, settings.context, settings.threads, settings.gpu_layers)
    return Llama(LlamaProgram(endpoint, wanted, folder), settings)


def _own_folder() -> Path:
    """Nobody else may enter it. Where the daemon has its socket, if it may write there, else for what is
    temporary."""
    runtime = socket_path().parent
    is_fit = os.access(runtime, os.W_OK) and len(str(runtime)) <= LONGEST_RUNTIME
    return Path(tempfile.mkdtemp(prefix="airos-llama-", dir=runtime if is_fit else None))


class LlamaProgram:
    """The program of one model, as an endpoint: who asks waits until the model is loaded. One that has ended,
    or could not be started, is started anew for who asks next."""

    def __init__(self, endpoint: Endpoint, wanted: Wanted, folder: Path) -> None:
        self.name, self.url = endpoint.name, endpoint.url
        self._endpoint = endpoint
        self._wanted = wanted
        self.folder = folder
        self.scope = Scope()
        """Of what it does besides; closing ends it."""
        self.process: asyncio.subprocess.Process | None = None
        self._loading: asyncio.Task[None] | None = None
        self._complaint = ""
        self._gpus: Sequence[str] = ()

    async def loaded(self) -> None:
        """Cancelling leaves it loading. Raises EngineError."""
        if self._loading is None or (self._loading.done() and not self._runs):
            self._loading = self.scope.start(self._load(), f"loading {self.name}")
        await asyncio.shield(self._loading)

    async def events(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """As of an `Endpoint`. Closing or cancelling it stops the model after the token that it is at."""
        await self.loaded()
        try:
            async with aclosing(self._endpoint.events(path, body)) as events:
                async for event in events:
                    yield event
        except EngineError as error:
            if self.process is not None and (status := await _ended(self.process)) is not None:
                raise self._fault(status, "has ended its program") from error
            raise

    async def reads_tokens(self) -> int:
        """How much its model reads and writes: never more than it was trained for. Raises EngineError."""
        await self.loaded()
        told = await self._endpoint.told("/models")
        return int(told["data"][0]["meta"]["n_ctx"])

    async def refusal(self, path: str, body: Mapping[str, Any]) -> str:
        """As of an `Endpoint`."""
        await self.loaded()
        return await self._endpoint.refusal(path, body)

    def failed(self, what: str) -> EngineError:
        return self._endpoint.failed(what)

    async def aclose(self) -> None:
        """Its memory is free then."""
        await self.scope.__aexit__(None, None, None)
        await self._endpoint.aclose()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _runs(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def _load(self) -> None:
        try:
            await self._start(self._wanted)
        except EngineError as error:
            if not self._gpus or self._wanted.gpu_layers == 0:
                raise
            log.warning("%s; going on without %s", error, " and ".join(self._gpus))
            await self._start(replace(self._wanted, gpu_layers=0))

    async def _start(self, wanted: Wanted) -> None:
        began = asyncio.get_running_loop().time()
        self._complaint = ""
        self.folder.mkdir(mode=0o700, exist_ok=True)  # one whose input has ended has taken it along
        try:
            process = await asyncio.create_subprocess_exec(
                *PROGRAM,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=os.environ
                | {"GGML_NO_BACKTRACE": "1"},  # else it calls a debugger if it aborts
                limit=LONGEST_LINE,
            )
        except OSError as error:
            raise self.failed(f"its program cannot be started: {error}") from error
        assert process.stdin and process.stdout  # noqa: PT018
        self.process = process
        is_ready = False
        try:
            process.stdin.write(wanted.told().encode())
            async for line in process.stdout:
                is_ready = self._hear(line)
                if is_ready:
                    break
            if not is_ready:
                raise self._fault(await process.wait(), "cannot be loaded")
        finally:
            if not is_ready:
                await _end(process)
        self._complaint = ""
        took_s = asyncio.get_running_loop().time() - began
        where = " and ".join(self._gpus) if wanted.gpu_layers != 0 else ""
        log.info("llm %s: loaded in %.1f s, on %s", self.name, took_s, where or "the CPU")
        self.scope.start(self._listen(process), f"log of {self.name}")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Until it ends, or nobody wants it any more."""
        assert process.stdout
        try:
            async for line in process.stdout:
                self._hear(line)
            await process.wait()
        finally:
            await _end(process)

    def _hear(self, line: bytes) -> bool:
        """A line of its output; whether it says that the model is loaded."""
        text = line.decode(errors="replace").strip()
        if text.startswith(MARK):
            told = json.loads(text.removeprefix(MARK))
            self._gpus = told.get("gpus", self._gpus)
            return bool(told.get("ready"))
        log.debug("llm %s: %s", self.name, text)
        if found := REASON.search(text):
            self._complaint = found[1] or found[2]
        elif not self._complaint and (found := COMPLAINT.search(text)):
            self._complaint = found[1]
        return False

    def _fault(self, status: int, what: str) -> EngineError:
        how = f"signal {-status}" if status < 0 else f"exit code {status}"
        if -status == signal.SIGKILL:
            how += ", as Linux ends what takes more memory than there is"
        why = f"{self._complaint} ({how})" if self._complaint else how
        return self.failed(f"{Path(self._wanted.model).name} {what}: {why}")


class Llama(Model):
    """A model whose endpoint is a program of ours."""

    def __init__(self, program: LlamaProgram, settings: LlmSettings) -> None:
        super().__init__(OPENAI, program, Place.LOCAL, settings)
        self.program = program
        self._forced = Model(FORCED, program, Place.LOCAL, settings)
        self._has_begun = False
        self._takes_tool: dict[str, bool] = {}
        """By the tool, in JSON."""

    def begin(self, report: Report, usual: Callable[[], Awaitable[Prompt]]) -> None:
        """Loads it, and lets it read what `usual` gives, with which every question begins: it need not be read
        again then. Returns at once, and does it once; closing the model ends it. `report` is told how it goes."""
        if self._has_begun:
            return
        self._has_begun = True
        self.program.scope.start(self._warm_up(report, usual), f"warming up {self.name}")

    async def completion(self, prompt: Prompt) -> Completion:
        """As of a `Model`, without the tools that llama.cpp can make no grammar of."""
        usable = [tool for tool in prompt.tools if await self._takes(tool)]
        prompt = replace(prompt, tools=tuple(usable))
        ask = self._forced.completion if must_call(prompt) else super().completion
        async with aclosing(ask(prompt)) as parts:
            async for part in parts:
                yield part

    async def _takes(self, tool: Mapping[str, Any]) -> bool:
        """llama.cpp refuses a whole question for one schema that it does not know what to do with: a
        reference that leads nowhere, or a property that is `true`. It alone knows which those are."""
        told = json.dumps(tool, sort_keys=True)
        if told not in self._takes_tool:
            body = OPENAI.body(Prompt((HELLO,), tools=(tool,)), self._settings, self.program.url)
            why = await self.program.refusal("/chat/completions/input_tokens", body)
            if why:
                message = "llm %s: goes on without the tool %s: %s"
                log.warning(message, self.name, tool["name"], why)
            if len(self._takes_tool) >= MOST_TOOLS:
                self._takes_tool.clear()
            self._takes_tool[told] = not why
        return self._takes_tool[told]

    async def _warm_up(self, report: Report, usual: Callable[[], Awaitable[Prompt]]) -> None:
        report("starting", "it is being loaded")
        try:
            await self._compare()
            prompt = replace(await usual(), items=(HELLO,), max_tokens=1)
            async with aclosing(self.completion(prompt)) as parts:
                async for _ in parts:
                    pass
        except EngineError as error:
            log.warning("%s", error)
            report("failed", str(error))
        else:
            report("ok", "")

    async def _compare(self) -> None:
        reads = await self.program.reads_tokens()
        if reads < self._settings.context:
            option = f"llm.{self.name}.context_tokens"
            message = "llm %s: it reads %d tokens, not %d; longer talks will fail: set %s to that"
            log.warning(message, self.name, reads, self._settings.context, option)


async def _ended(process: asyncio.subprocess.Process) -> int | None:
    """How it has ended, if it has."""
    try:
        async with asyncio.timeout(LOOK_S):
            return await process.wait()
    except TimeoutError:
        return None


async def _end(process: asyncio.subprocess.Process) -> None:
    """It has nothing to put in order."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            # Its own `kill` may take the exit code that asyncio waits for.
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()
