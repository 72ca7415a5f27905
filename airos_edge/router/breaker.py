"""A circuit breaker: an engine that fails again and again is left alone for a while, then tried once."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from airos_edge.errors import EngineError
from airos_edge.health import State

MOST_FAILURES = 3
"""In a row: so often somebody has waited for nothing."""
REST_S = 30.0
LONGEST_REST_S = 600.0
"""However long it asks to be left alone: its owner may have mended it, or it may be wrong."""

Report = Callable[[str, State, str], None]
"""Of an engine by its name, how it is and why."""


@dataclass(slots=True)
class Attempt:
    has_answered: bool = False


class Breaker:
    """Of one engine. Times are the event loop's."""

    def __init__(self, name: str, report: Report = lambda name, state, why: None) -> None:
        self._name = name
        self._report = report
        self._failures = 0
        self._rests_until = 0.0
        self._why = ""

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """The block asks the engine, and sets `has_answered` when it begins to answer.

        Raises EngineError at once while the engine is left alone. What the block raises as EngineError
        counts as a failure; leaving it otherwise before there is an answer counts as nothing.
        """
        began = asyncio.get_running_loop().time()
        if began < self._rests_until:
            rest_s = self._rests_until - began
            raise EngineError(self._name, f"is not asked for another {rest_s:.0f} s. {self._why}")
        is_trial = self._failures >= MOST_FAILURES
        if is_trial:
            self._rests_until = began + REST_S  # others wait for what comes of this one
        attempt = Attempt()
        try:
            yield attempt
        except EngineError as error:
            self._failed(error)
            raise
        except BaseException:  # cancelled, or nobody listens any more
            if attempt.has_answered:
                self._worked()
            elif is_trial:
                self._rests_until = began
            raise
        else:
            self._worked()

    def _worked(self) -> None:
        self._failures, self._rests_until = 0, 0.0
        self._report(self._name, "ok", "")

    def _failed(self, error: EngineError) -> None:
        self._failures += 1
        self._why = str(error)
        rest_s = error.retry_after_s or (REST_S if self._failures >= MOST_FAILURES else 0.0)
        rest_s = min(rest_s, LONGEST_REST_S)
        if rest_s:
            self._rests_until = asyncio.get_running_loop().time() + rest_s
        self._report(self._name, "failed" if rest_s else "degraded", self._why)
