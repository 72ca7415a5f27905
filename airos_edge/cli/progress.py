"""How far models have come: on a terminal one line for each, that changes; elsewhere a line now and then."""

import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from airos_edge.models.getting import Progress

REDRAW_S = 0.1
LINE_EVERY_S = 10.0
"""In what is no terminal: a log."""
SPEED_OVER_S = 5.0
"""The speed shown is that of the last seconds."""


class ProgressLines:
    """Draws what it is told of. `end`: the lines stand, and others may print."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._is_terminal = out.isatty()
        self._shown: dict[str, Progress] = {}
        self._past: dict[str, deque[tuple[float, int]]] = {}
        self._drawn_lines = 0
        self._drawn_at = float("-inf")
        self._said = ""

    def changed(self, progress: Progress) -> None:
        """As `Progress.changed`."""
        now = self._clock()
        self._shown[progress.name] = progress
        past = self._past.setdefault(progress.name, deque([(now, progress.fetched_bytes)]))
        past.append((now, progress.fetched_bytes))
        while past[0][0] < now - SPEED_OVER_S:
            past.popleft()
        if now - self._drawn_at >= (REDRAW_S if self._is_terminal else LINE_EVERY_S):
            self._draw(now)

    def say(self, text: str) -> None:
        """A line of its own, above those that change; not twice the same one after the other."""
        if text == self._said:
            return
        self._said = text
        if self._is_terminal and self._drawn_lines:
            self._out.write(f"\x1b[{self._drawn_lines}A\x1b[J")
        self._out.write(f"{text}\n")
        self._out.flush()
        self._drawn_lines, self._drawn_at = 0, float("-inf")

    def end(self) -> None:
        if self._is_terminal and self._shown:
            self._draw(self._clock())
        self._shown, self._drawn_lines = {}, 0

    def _draw(self, now: float) -> None:
        if self._is_terminal and self._drawn_lines:
            self._out.write(f"\x1b[{self._drawn_lines}A")
        for progress in self._shown.values():
            erase = "\x1b[K" if self._is_terminal else ""
            self._out.write(f"{line_of(progress, self._speed(progress.name))}{erase}\n")
        self._out.flush()
        self._drawn_lines, self._drawn_at = len(self._shown), now

    def _speed(self, name: str) -> float:
        """Bytes per second."""
        (began, before), (ended, by_now) = self._past[name][0], self._past[name][-1]
        return (by_now - before) / (ended - began) if ended > began else 0.0


def line_of(progress: Progress, speed: float) -> str:
    """One line of fewer than 80 columns."""
    whole = max(progress.total_bytes, progress.done_bytes, 1)
    percent = 100 * progress.done_bytes // whole
    line = f"{progress.name:<28.28} {percent:>3} %  {mb(progress.done_bytes)} of {mb(whole)} MB"
    if speed <= 0 or progress.done_bytes >= whole:
        return line
    left_s = (whole - progress.done_bytes) / speed
    return f"{line}  {speed / 1e6:.1f} MB/s  {int(left_s // 60)}:{int(left_s % 60):02d}"


def mb(size_bytes: float) -> str:
    """In MB, with a digit after the point where it is less than ten."""
    return f"{size_bytes / 1e6:.1f}" if size_bytes < 10e6 else f"{size_bytes / 1e6:.0f}"
