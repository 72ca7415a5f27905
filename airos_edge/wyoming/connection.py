"""One connection: its events, read whatever else is being worked on, and what is sent back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from wyoming.error import Error
from wyoming.event import Event, Eventable

from airos_edge.errors import AirosError, ProtocolError
from airos_edge.voice.flow import Scope
from airos_edge.wyoming.frames import frame_of, read_event

log = logging.getLogger(__name__)

IDLE_S = 120.0
"""A peer that neither sends a whole event nor is sent one for so long is gone."""
WRITE_S = 30.0
"""A peer that does not make room for the next event for so long is not reading."""
LINGER_S = 1.0
"""What a peer still sends is read and thrown away for so long after an error: a connection that is
closed with bytes unread is reset, and the peer would not read why."""
MOST_AT_ONCE = 8
"""Requests that are worked on, or wait for it."""
MISTAKE = "something went wrong here; the log says what"

Take = Callable[[Event], Awaitable[None]]


class Connection:
    """An error is told in an `error` event, whose code is "protocol" or "failed", and ends the
    connection: many clients wait for an end of the answer that would not come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._scope = Scope()
        self._working = 0
        self._loop = asyncio.get_running_loop()
        self._used_at = self._loop.time()
        self._ended: asyncio.Future[AirosError | None] = self._loop.create_future()

    async def serve(self, take: Take) -> None:
        """Gives each event to `take`, which is not to wait for what it asks for; returns when the peer has
        closed the connection or an error has. All that was still worked on is cancelled by then."""
        async with self._scope as scope:
            reading = scope.start(self._read(take), "wyoming reader")
            reading.add_done_callback(lambda task: self._end(_mishap(task)))
            scope.start(self._watch_idle(), "wyoming idle watch")
            error = await self._ended
        if error is not None:
            log.debug("A Wyoming connection ends: %s", error)
            await self.refuse(error)

    def work(self, job: Coroutine[Any, Any, None]) -> None:
        """Runs the job beside the reading. Raises ProtocolError when too much is asked for at once."""
        if self._working >= MOST_AT_ONCE:
            job.close()
            raise ProtocolError(f"more than {MOST_AT_ONCE} requests at once")
        self._working += 1
        task = self._scope.start(job, "wyoming request")
        task.add_done_callback(self._worked)

    def post(self, message: Eventable) -> None:
        """Sends something small, without waiting."""
        if not self._writer.is_closing():
            self._used_at = self._loop.time()
            self._writer.write(frame_of(message))

    async def send(self, message: Eventable) -> None:
        """Waits until the peer keeps up. Raises ProtocolError when it does not read, or has gone."""
        self.post(message)
        await self._room()

    def fail(self, error: AirosError) -> None:
        """Ends the connection with an error, soon."""
        self._end(error)

    async def refuse(self, error: AirosError) -> None:
        """Tells the error, and waits a moment for the peer to have read it."""
        code = "protocol" if isinstance(error, ProtocolError) else "failed"
        self.post(Error(str(error), code))
        with suppress(OSError, TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(LINGER_S):
                while await self._reader.read(65536):
                    pass

    async def _read(self, take: Take) -> None:
        while (event := await read_event(self._reader)) is not None:
            self._used_at = self._loop.time()
            await take(event)
            await self._room()

    async def _room(self) -> None:
        if not self._writer.transport.get_write_buffer_size():
            return
        try:
            async with asyncio.timeout(WRITE_S):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise ProtocolError("the peer does not read what it is sent") from None
        except OSError as error:
            raise ProtocolError("the connection was lost") from error

    async def _watch_idle(self) -> None:
        while True:
            left_s = self._used_at + IDLE_S - self._loop.time()
            if left_s <= 0:
                self._end(ProtocolError(f"nothing was asked for in {IDLE_S:g} s"))
                return
            await asyncio.sleep(left_s)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._working -= 1
        error = _mishap(task)
        if error is not None:
            self._end(error)

    def _end(self, error: AirosError | None) -> None:
        """Only the first end counts."""
        if not self._ended.done():
            self._ended.set_result(error)


def _mishap(task: asyncio.Task[None]) -> AirosError | None:
    """What a task died of, in a sentence for the peer. A mistake of ours is in the log by now."""
    error = None if task.cancelled() else task.exception()
    return error if error is None or isinstance(error, AirosError) else AirosError(MISTAKE)
