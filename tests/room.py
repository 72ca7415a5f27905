"""A room to talk in: sound, a loudspeaker that remembers, a session with fakes all round.

Time is the loop's, so on a virtual loop an hour of conversation takes no time.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.ports import Engines, Prompt, Says, Speaking, Speech
from airos_edge.voice.session import Session
from tests.fakes import WAKE_WORD, FakeLease, FakeVad, FakeWake, fake_engines

CHUNK_MS = 20
LOUD = 8000
"""The sample value of speech."""

E = TypeVar("E", bound=Event)

# ---- sound --------------------------------------------------------------------------------------


def tone(ms: int, value: int) -> list[AudioChunk]:
    """Chunks of `CHUNK_MS` whose samples are all of one value."""
    pcm = value.to_bytes(BYTES_PER_SAMPLE, "little", signed=True) * samples_of(CHUNK_MS)
    return [AudioChunk(pcm)] * (ms // CHUNK_MS)


def speech(ms: int) -> list[AudioChunk]:
    return tone(ms, LOUD)


def silence(ms: int) -> list[AudioChunk]:
    return tone(ms, 0)


def wake_word() -> list[AudioChunk]:
    return speech(400) + tone(CHUNK_MS, WAKE_WORD)


# ---- the loudspeaker and who watches ------------------------------------------------------------


class FakeMouth:
    """Plays as fast as one hears, never more than `lead_ms` ahead; knows when what was played."""

    def __init__(self, says: Says, lead_ms: int) -> None:
        self.says = says
        self.played: list[tuple[float, Speech]] = []
        """Loop time in seconds, and the speech that was handed over then."""
        self.ducks: list[float] = []
        self.hushed_at: float | None = None
        self._lead_s = lead_ms / 1000
        self._total_s = 0.0
        self._silent_at = 0.0
        self._hushed = asyncio.Event()

    @property
    def text(self) -> str:
        return "".join(piece.text for _, piece in self.played)

    async def play(self, speech: Speech) -> None:
        if self._hushed.is_set():
            return
        now = asyncio.get_running_loop().time()
        self.played.append((now, speech))
        self._total_s += speech.chunk.ms / 1000
        self._silent_at = max(now, self._silent_at) + speech.chunk.ms / 1000
        await self._wait_until(self._silent_at - self._lead_s)

    async def drain(self) -> int:
        await self._wait_until(self._silent_at)
        return self._heard_ms()

    def hush(self) -> int:
        if not self._hushed.is_set():
            now = asyncio.get_running_loop().time()
            self._total_s -= max(0.0, self._silent_at - now)
            self._silent_at, self.hushed_at = now, now
            self._hushed.set()
        return self._heard_ms()

    def duck(self, db: float) -> None:
        if db != (self.ducks or [0.0])[-1]:
            self.ducks.append(db)

    def _heard_ms(self) -> int:
        unheard_s = max(0.0, self._silent_at - asyncio.get_running_loop().time())
        return round((self._total_s - unheard_s) * 1000)

    async def _wait_until(self, at: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(at):
                await self._hushed.wait()


class FakeSpeaker:
    """`OpenMouth`: a loudspeaker that remembers every mouth it gave."""

    def __init__(self, lead_ms: int = 200) -> None:
        self.mouths: list[FakeMouth] = []
        self._lead_ms = lead_ms

    def __call__(self, says: Says) -> FakeMouth:
        mouth = FakeMouth(says, self._lead_ms)
        self.mouths.append(mouth)
        return mouth

    @property
    def text(self) -> str:
        """All that was played."""
        return "|".join(mouth.text for mouth in self.mouths)


@dataclass
class Tape:
    """`tell`: records every event. Iterate over it, or wait for what it will hold."""

    events: list[Event] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def wait_for(self, kind: type[E], count: int = 1) -> E:
        """The `count`th event of its kind, as soon as it was told."""
        while len(self.of(kind)) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.of(kind)[count - 1]


class Room:
    """Use it as a context manager: a session, and what someone says to it."""

    def __init__(
        self,
        engines: Engines | None = None,
        rules: TurnRules | None = None,
        manner: Prompt | None = None,
        lead_ms: int = 200,
    ) -> None:
        self.told = Tape()
        self.speaker = FakeSpeaker(lead_ms)
        self.floor = Floor(self.speaker)
        self.lease = FakeLease(engines or fake_engines())
        self.session = Session(
            "sess_1",
            Ear(rules or TurnRules(), FakeVad(), FakeWake()),
            self.floor,
            self.lease,
            self.told,
            manner or Prompt(speaking=Speaking()),
        )

    async def __aenter__(self) -> Self:
        await self.session.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.session.__aexit__(kind, error, trace)

    async def play(self, chunks: Iterable[AudioChunk]) -> None:
        """Into the microphone, each chunk when its sound is over."""
        for chunk in chunks:
            await asyncio.sleep(chunk.ms / 1000)
            self.session.feed(chunk)

    async def speak(self, ms: int) -> None:
        await self.play(speech(ms))

    async def quiet(self, ms: int) -> None:
        await self.play(silence(ms))
