"""Lines that somebody types, or a pipe brings, on the event loop."""

import asyncio
import sys
import threading
from contextlib import suppress


class Lines:
    """Standard input, read by a thread of its own that nothing waits for: a read cannot be called off."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        threading.Thread(target=self._read, name="lines", daemon=True).start()

    async def next(self) -> str | None:
        """The next line without its end; None: there are no more. Safe to cancel."""
        if self._is_over:
            return None
        line = await self._lines.get()
        self._is_over = line is None
        return line

    def _read(self) -> None:
        with suppress(
            RuntimeError, ValueError, OSError
        ):  # the loop has ended, or there is no input
            for line in sys.stdin:
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\r\n"))
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._lines.put_nowait, None)
