"""Two sides of a conversation on a terminal, each word as it comes."""

import sys
from typing import TextIO

WIDTH = 9


class Screen:
    """A side's line is open while its words come; whoever else says something begins a line of its own."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._side = ""

    def words(self, side: str, text: str) -> None:
        """More of what a side says."""
        if not text:
            return
        if side != self._side:
            self.end()
            self._write(side.ljust(WIDTH))
            self._side = side
        self._write(harmless(text, "\n\t"))

    def end(self) -> None:
        """The open line, if there is one, is over."""
        if self._side:
            self._write("\n")
        self._side = ""

    def note(self, text: str) -> None:
        """A line about the conversation."""
        self.end()
        self._write(f"{'':{WIDTH}}({harmless(text)})\n")

    def ask(self, text: str) -> None:
        """A question, to be answered at the end of its line."""
        self.end()
        self._write(f"{'':{WIDTH}}{harmless(text)} ")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


JOINER = "\u200d"
"""Of two signs that make one emoji."""


def harmless(text: str, besides: str = "") -> str:
    """Without what moves the cursor, turns the line or talks to the terminal: the text is a server's, who
    could show another question than the one that is answered with yes."""
    return "".join(sign if sign.isprintable() or sign in JOINER + besides else "�" for sign in text)
