"""The box's own loudspeaker: what its conversation, announcements and timers share."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from airos_edge.errors import AirosError
from airos_edge.home.timers import Timer
from airos_edge.http.tape import Tape
from airos_edge.languages.phrases import phrases
from airos_edge.local.sounds import bell
from airos_edge.voice.announce import announce, ring
from airos_edge.voice.events import Announced, Event, TimerFinished
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.ports import Engines, Mouth, OpenMouth, Says, Speaking
from airos_edge.voice.session import Session

log = logging.getLogger(__name__)

RINGS = 3


class Loudspeaker:
    """`borrow` leases the engines; `how` says in which manner the box speaks, by now. Until `use` gives
    it a real one, what is said on it goes nowhere."""

    def __init__(
        self,
        borrow: Callable[[], AbstractAsyncContextManager[Engines]],
        how: Callable[[], Speaking],
        publish: Callable[[Event], None],
    ) -> None:
        self.floor = Floor(lambda says: self._open_mouth(says))
        self.is_there = False
        self.conversation: Session | None = None
        """The one that is held over it."""
        self._open_mouth: OpenMouth = nowhere
        self._borrow = borrow
        self._how = how
        self._publish = publish

    def use(self, open_mouth: OpenMouth | None) -> None:
        """From now on this is the box's own; None: it has none."""
        self.is_there = open_mouth is not None
        self._open_mouth = open_mouth or nowhere

    def hush(self) -> bool:
        """Ends the answer of its conversation, announcements and ringing. False: it was silent. Never
        waits."""
        talk = self.conversation
        interrupted = talk is not None and talk.interrupt("hushed")
        return self.floor.hush() or interrupted

    async def say(self, text: str, aloud: bool = True) -> bytes:
        """Announces it and gives b""; where there is no loudspeaker, or not `aloud`, gives the speech as
        WAV. Raises EngineError."""
        tape = Tape()
        floor = self.floor if aloud and self.is_there else Floor(tape.open)
        async with self._borrow() as engines:
            await announce(text, Rank.ANNOUNCE, engines, floor, self._how())
        self._publish(Announced(text=text))
        return tape.wav()

    async def ring(self, timer: Timer) -> None:
        """A timer's time has come: a bell and a sentence, again and again until somebody stops it."""
        self._publish(TimerFinished(name=None, seconds=timer.seconds))
        log.info("The timer of %d s is over.", timer.seconds)
        how, times = self._how(), RINGS if self.is_there else 1
        text = phrases(how.language).timer_over
        try:
            async with self._borrow() as engines:
                await ring(text, engines, self.floor, how, bell(), times)
        except AirosError as error:
            log.warning("The timer could not ring: %s", error)


def nowhere(says: Says) -> Mouth:
    return Tape()
