"""How long an answer took, from the end of its question."""

from collections.abc import Callable


class Stopwatch:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked_at: float | None = None
        self._first_at: float | None = None

    def asked(self, ago_s: float = 0.0) -> None:
        """A question has ended now, or so long ago."""
        self._asked_at, self._first_at = self._clock() - ago_s, None

    def answers(self) -> None:
        """A sound or a word of the answer has come; the first one counts."""
        if self._first_at is None:
            self._first_at = self._clock()

    def done(self) -> str | None:
        """The answer is whole: what it took, for people; None where nothing was asked. It is told once."""
        if self._asked_at is None:
            return None
        done_ms = (self._clock() - self._asked_at) * 1000
        first = ""
        if self._first_at is not None:
            first = f"first sound or word {(self._first_at - self._asked_at) * 1000:.0f} · "
        self._asked_at = None
        return f"ms since the question ended: {first}done {done_ms:.0f}"
