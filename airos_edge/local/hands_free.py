"""The box's own conversation: it waits for its wake word, listens, and answers on the loudspeaker."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from airos_edge.errors import EngineUnavailable
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.session import Session

log = logging.getLogger(__name__)

FORGET_S = 300.0
"""After so long without a word the conversation is over: the next one begins without its history."""
LOOK_S = 1.0

OpenSession = Callable[[Callable[[Event], None], TurnRules], Session]
"""Opens a conversation over the box's own loudspeaker. Raises EngineUnavailable."""


class HandsFree:
    """`keep` runs beside it. `rules` gives the box's; `woken` is called when the wake word was heard.

    `echo_canceller`: the ears do not hear the loudspeaker. Then speech may talk over an answer, by the
    box's own rule; else only the wake word, which is heard over it.
    """

    def __init__(
        self,
        open_session: OpenSession,
        rules: Callable[[], TurnRules],
        echo_canceller: bool,
        woken: Callable[[], None],
    ) -> None:
        self._open_session = open_session
        self._rules = rules
        self._echo_canceller = echo_canceller
        self._woken = woken
        self._session: Session | None = None
        self._loop = asyncio.get_running_loop()
        self._told_at = 0.0
        self._is_deaf = False
        self._is_to_end = False
        self._renewed = asyncio.Event()

    async def keep(self) -> None:
        """One conversation after the other, for ever."""
        while True:
            self._is_to_end = False
            try:
                session = self._open_session(self._tell, self._waiting())
            except EngineUnavailable as error:
                log.warning("Nothing is heard hands-free: %s", error)
                await self._renewed.wait()
                self._renewed.clear()
                continue
            async with session:
                self._session = session
                await self._until_over(session)
                self._session = None

    def feed(self, chunk: AudioChunk) -> None:
        self._is_deaf = False
        if self._session is not None:
            self._session.feed(chunk)

    def deafen(self) -> None:
        """The microphone is muted or gone: what it had begun to hear is thrown away."""
        self._is_deaf = True
        if self._session is not None:
            self._session.clear()

    def renew(self) -> None:
        """The box has other parts now: the next conversation begins as soon as this one rests."""
        self._is_to_end = True
        self._renewed.set()

    async def _until_over(self, session: Session) -> None:
        self._told_at = self._loop.time()
        while not (session.is_resting and (self._is_to_end or self._is_forgotten(session))):
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._renewed.wait()
                    self._renewed.clear()

    def _is_forgotten(self, session: Session) -> bool:
        return bool(len(session.history)) and self._loop.time() - self._told_at > FORGET_S

    # ---- the conversation ----

    def _waiting(self) -> TurnRules:
        """Nothing is listened to before the wake word."""
        rules = replace(self._rules(), detection="wake")
        return rules if self._echo_canceller else replace(rules, interrupt="wake")

    def _tell(self, event: Event) -> None:
        self._told_at = self._loop.time()
        match event:
            case events.Woke():
                self._woken()
            case events.SpeechStarted() if (
                self._is_deaf
            ):  # it would wait for sound that does not come
                self._loop.call_soon(self.deafen)
            case events.ItemStarted(apart=False):
                self._obey("speech" if self._echo_canceller else "wake")
            case events.ReplyEnded(apart=False):
                self._obey("wake")

    def _obey(self, detection: Literal["speech", "wake"]) -> None:
        """While an answer is heard that the ears do not hear, speech is for the box, too."""
        if self._session is not None:
            self._session.obey(replace(self._session.ear.rules, detection=detection))
