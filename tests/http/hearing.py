"""What is given to be heard: a box with scripted engines, and sound with speech in it."""

from collections.abc import Callable
from typing import Any

from airos_edge.errors import EngineUnavailable
from airos_edge.http.tape import Tape
from airos_edge.voice.audio import BYTES_PER_SAMPLE, samples_of
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.ports import Prompt
from airos_edge.voice.session import Session
from tests.fakes import FakeLease, FakeVad, fake_engines
from tests.room import LOUD

RULES = TurnRules(judged=False, answer="never", interrupt="never")


def sound(*loud_or_quiet_ms: int) -> bytes:
    """16 kHz PCM: so long quiet, then so long speech, and so on."""
    pcm = b""
    for place, ms in enumerate(loud_or_quiet_ms):
        value = LOUD if place % 2 else 0
        pcm += value.to_bytes(BYTES_PER_SAMPLE, "little", signed=True) * samples_of(ms)
    return pcm


class Box:
    """`lease` lends the engines; `fault`: why nothing can be heard."""

    def __init__(self, **engines: Any) -> None:
        self.lease = FakeLease(fake_engines(**engines))
        self.fault: EngineUnavailable | None = None
        self.sessions: list[Session] = []

    def open_hearing(self, tell: Callable[[Event], None]) -> Session:
        if self.fault is not None:
            raise self.fault
        ear, floor = Ear(RULES, FakeVad()), Floor(Tape().open)
        session = Session("sess_1", ear, floor, self.lease.borrow, tell, Prompt())
        self.sessions.append(session)
        return session
