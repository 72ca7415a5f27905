"""A program as an MCP server: messages are lines of its input and output, what it complains of is logged.

The SDK has such a transport, which leaves alive what a program started and left behind, does not say
that a program has ended, nor of what, and may hang when it is cancelled twice.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

import anyio
from mcp import types
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage

from airos_edge.tools.settings import ToolServerSettings
from airos_edge.voice.flow import Scope

log = logging.getLogger(__name__)

GRACE_S = 2.0
"""It has so long to go when its input is closed, and so long again when it was told to by a signal."""
LOOK_S = 0.02
LONGEST_MESSAGE = 16 * 1024 * 1024
LONGEST_COMPLAINT = 2000


class ProgramEnded(Exception):
    """It has ended by itself; says how, and what it complained of last."""


@asynccontextmanager
async def program(
    name: str, settings: ToolServerSettings, on_end: Callable[[], None]
) -> AsyncIterator[tuple["Output", "Input"]]:
    """What it says and what it hears; `on_end` is called when it says no more.

    Its environment is the little that a program needs, and what the settings give it. Leaving the block
    ends it and all of its process group. Raises OSError if it cannot be started, and in the place of
    any other error `ProgramEnded` if it has ended.
    """
    process = await asyncio.create_subprocess_exec(
        settings.command or "",
        *settings.args,
        env=get_default_environment() | {key: one.value for key, one in settings.env.items()},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        limit=LONGEST_MESSAGE,
    )
    assert process.stdin and process.stdout and process.stderr  # noqa: PT018
    output, complaints = Output(name, process.stdout, on_end), Complaints(name, process.stderr)
    try:
        async with Scope() as scope:
            listening = scope.start(complaints.log(), f"complaints of {name}")
            try:
                yield output, Input(process.stdin)
            except Exception as error:
                if not output.has_ended:
                    raise
                await _gone(process)
                await asyncio.wait(
                    [listening], timeout=LOOK_S
                )  # what it said last may be on its way
                raise ProgramEnded(_how(process.returncode, complaints.last)) from error
            finally:
                await _end(process)
    finally:
        _signal(process, signal.SIGKILL)


class Output:
    """A stream as the SDK reads it."""

    def __init__(self, name: str, lines: asyncio.StreamReader, on_end: Callable[[], None]) -> None:
        self.has_ended = False
        self._name = name
        self._lines = lines
        self._on_end = on_end

    async def receive(self) -> SessionMessage | Exception:
        try:
            return await anext(self)
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    async def __anext__(self) -> SessionMessage | Exception:
        while line := await self._line():
            try:
                message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                log.debug("%s says what is no message: %.100r", self._name, line)
            else:
                return SessionMessage(message)
        self.has_ended = True
        self._on_end()
        raise StopAsyncIteration

    async def _line(self) -> bytes:
        try:
            return await self._lines.readline()
        except ValueError:
            log.warning("%s says more than %d bytes at once", self._name, LONGEST_MESSAGE)
            return b""

    def __aiter__(self) -> Self:
        return self

    async def aclose(self) -> None:
        """Its program is ended by who started it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class Input:
    """A stream as the SDK writes it."""

    def __init__(self, lines: asyncio.StreamWriter) -> None:
        self._lines = lines

    async def send(self, message: SessionMessage, /) -> None:
        """Raises BrokenResourceError when the program reads no more."""
        text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
        try:
            self._lines.write(text.encode() + b"\n")
            await self._lines.drain()
        except (OSError, RuntimeError) as error:
            raise anyio.BrokenResourceError from error

    async def aclose(self) -> None:
        self._lines.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class Complaints:
    """What a program writes to its standard error."""

    def __init__(self, name: str, source: asyncio.StreamReader) -> None:
        self.last = ""
        self._name = name
        self._source = source

    async def log(self) -> None:
        rest = b""
        while data := await self._source.read(4096):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-LONGEST_COMPLAINT:]
            self._log(lines)
        self._log([rest])

    def _log(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            if text := line.decode(errors="replace").strip()[:LONGEST_COMPLAINT]:
                log.debug("%s: %s", self._name, text)
                self.last = text


async def _end(process: asyncio.subprocess.Process) -> None:
    """Whoever cancels this, what is left is killed after it."""
    if process.stdin is not None:
        process.stdin.close()
    if not await _gone(process):
        _signal(process, signal.SIGTERM)
        await _gone(process)
    _signal(process, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await process.wait()  # for its pipes, too


async def _gone(process: asyncio.subprocess.Process) -> bool:
    """Whether it ends within the grace. `wait` would wait for all who inherited its pipes."""
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            while process.returncode is None:  # noqa: ASYNC110  there is nothing else to wait for
                await asyncio.sleep(LOOK_S)
    return process.returncode is not None


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    """To all of its group, which may outlive it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _how(code: int | None, complaint: str) -> str:
    how = "ended" if not code else f"ended with exit code {code}"
    if code is not None and code < 0:
        how = f"was ended by signal {-code}"
    return f"{how}: {complaint}" if complaint else how
