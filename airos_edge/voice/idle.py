"""Nobody speaks: how long is waited after an answer was heard, and what is then told to who answers."""

import asyncio
from collections.abc import Callable

from airos_edge.voice.events import Event, ReplyEnded, ReplyStarted, SpeechStarted, SpeechStopped
from airos_edge.voice.utterance import Ended

NUDGE = (
    "Nothing was said for a while after the last answer. Go on with the conversation where that makes "
    "sense, or ask whether the user is still there. Be brief."
)
"""An item of the history, by the system, before the answer to silence."""


class Idle:
    """Calls `timed_out` when a reply was heard and nobody has spoken for so long since then.

    Speech ends the waiting, until the next reply; if it turns out to be nothing, it begins anew. A reply that
    ends in a client's call is no answer yet: the client is at work, and asks for the next one. The clock is
    the loop's, not the sound's, as a client that has nothing to say may send none.
    """

    def __init__(self, timed_out: Callable[[], None]) -> None:
        self.since_ms = 0
        """Where in the sound the waiting began."""
        self._timed_out = timed_out
        self._wait_ms: int | None = None
        self._since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_answered = self._is_spoken_to = False

    def obey(self, wait_ms: int | None) -> None:
        """How long to wait; None: for ever. What was waited until now counts."""
        self._wait_ms = wait_ms
        self._set()

    def follow(self, event: Event) -> None:
        """Takes every event of its conversation, stamped."""
        match event:
            case ReplyStarted(apart=False):
                self._is_answered = self._is_spoken_to = False
            case ReplyEnded(apart=False):
                self._is_answered = not any(
                    item.kind == "function_call" for item in event.outcome.items
                )
            case SpeechStarted():
                self._is_spoken_to = True
            case SpeechStopped() if not Ended(event.reason, event.end_ms).is_question:
                self._is_spoken_to = False
            case _:
                return
        if self._is_answered and not self._is_spoken_to:
            self._since_s, self.since_ms = asyncio.get_running_loop().time(), event.at_ms
        else:
            self._since_s = None
        self._set()

    def stop(self) -> None:
        self._since_s = None
        self._set()

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._since_s is not None and self._wait_ms is not None:
            at = self._since_s + self._wait_ms / 1000
            self._timer = asyncio.get_running_loop().call_at(at, self._timed_out)
