"""A room to talk in: sound, a loudspeaker that remembers, a session with fakes all round.

Time is the loop's, so on a virtual loop an hour of conversation takes no time.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from airos_edge.voice import events
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.hub import Hub
from airos_edge.voice.ports import Engines, Prompt, Says, Speaking, Speech
from airos_edge.voice.session import Session
from tests.diagrams import diagrams, once
from tests.fakes import WAKE_WORD, Counted, FakeLease, FakeVad, fake_engines, fake_waking
from tests.laws import keeps_the_laws

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

    def __init__(
        self, says: Says, lead_ms: int, note: Callable[[str], None] = lambda _: None
    ) -> None:
        self.says = says
        self.played: list[tuple[float, Speech]] = []
        """Loop time in seconds, and the speech that was handed over then."""
        self.played_too_late: list[Speech] = []
        """What came after its hush."""
        self.is_stuck = False
        """Whether who is behind it takes nothing any more."""
        self.ducks: list[float] = []
        self.hushed_at: float | None = None
        self._note = note
        self._lead_s = lead_ms / 1000
        self._total_s = 0.0
        self._silent_at = 0.0
        self._hushed = asyncio.Event()

    @property
    def text(self) -> str:
        return "".join(piece.text for _, piece in self.played)

    async def play(self, speech: Speech) -> None:
        if self._hushed.is_set():
            self.played_too_late.append(speech)
            return
        now = asyncio.get_running_loop().time()
        self.played.append((now, speech))
        self._note("play")
        self._total_s += speech.chunk.ms / 1000
        self._silent_at = max(now, self._silent_at) + speech.chunk.ms / 1000
        if self.is_stuck:
            await self._hushed.wait()
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
            self._note("hush")
        return self._heard_ms()

    def duck(self, db: float) -> None:
        if db != (self.ducks or [0.0])[-1]:
            self.ducks.append(db)
            self._note(f"duck {db:g}")

    def _heard_ms(self) -> int:
        unheard_s = max(0.0, self._silent_at - asyncio.get_running_loop().time())
        return round((self._total_s - unheard_s) * 1000)

    async def _wait_until(self, at: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(at):
                await self._hushed.wait()


class FakeSpeaker:
    """`OpenMouth`: a loudspeaker that remembers every mouth it gave, and notes what each is told."""

    def __init__(self, lead_ms: int = 200, note: Callable[[str], None] = lambda _: None) -> None:
        self.mouths: list[FakeMouth] = []
        self.is_stuck = False
        self._lead_ms = lead_ms
        self._note = note

    def __call__(self, says: Says) -> FakeMouth:
        who = "Mouth" if says.reply_id.startswith("resp_") else "Announcer"
        mouth = FakeMouth(says, self._lead_ms, lambda what: self._note(f"{who}: {what}"))
        mouth.is_stuck = self.is_stuck
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


def label(event: Event) -> str:
    """An event as a diagram writes it: its name, and what there is to tell of its kind."""
    name = type(event).__name__
    match event:
        case events.SpeechStarted():
            return f"{name} {event.opened_by}"
        case events.SpeechStopped():
            return f"{name} {event.reason.value}"
        case events.ItemStarted(apart=False, item=item) if item.kind != "message":
            return f"{name} {item.kind}"
        case events.ReplyStarted(apart=True) | events.ItemStarted(apart=True):
            return f"{name} apart"
        case events.ReplyEnded():
            return f"{name} {event.outcome.status}{' apart' * event.apart}"
    return name


class Room:
    """Use it as a context manager: a session, and what someone says to it.

    Left in peace, it checks that the session told what the laws allow and that nothing is open.
    """

    def __init__(
        self,
        rules: TurnRules | None = None,
        manner: Prompt | None = None,
        lead_ms: int = 200,
        lease: Callable[[Engines], Any] = FakeLease,
        **parts: Any,
    ) -> None:
        self.told = Tape()
        self.hub = Hub()
        self.happened: list[str] = []
        """What arrived at the face and at the loudspeaker, as the diagrams of docs/flow.md write it."""
        self.speaker = FakeSpeaker(lead_ms, self.happened.append)
        self.floor = Floor(self.speaker)
        self.engines = fake_engines(**parts)
        self.lease = lease(self.engines)
        self.session = Session(
            "sess_1",
            Ear(rules or TurnRules(), FakeVad(), fake_waking()),
            self.floor,
            self.lease.borrow,
            self._tell,
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
        if error is None:
            keeps_the_laws(self.told.events)
            self.nothing_is_open()
            assert not [mouth for mouth in self.speaker.mouths if mouth.played_too_late]

    def _tell(self, event: Event) -> None:
        self.told(event)
        self.hub.publish(event)
        self.happened.append(f"Face: {label(event)}")

    async def play(self, chunks: Iterable[AudioChunk]) -> None:
        """Into the microphone, each chunk when its sound is over."""
        for chunk in chunks:
            await asyncio.sleep(chunk.ms / 1000)
            self.session.feed(chunk)

    async def speak(self, ms: int) -> None:
        await self.play(speech(ms))

    async def quiet(self, ms: int) -> None:
        await self.play(silence(ms))

    async def ask(self, ms: int = 600) -> None:
        """Speaks, and is quiet until that is a question."""
        await self.speak(ms)
        await self.quiet(760)

    async def answered(self, count: int = 1) -> str:
        """Waits for the end of the `count`th reply; gives all that was said in it."""
        return (await self.told.wait_for(events.ReplyEnded, count)).outcome.text

    @property
    def texts(self) -> list[str | None]:
        """What the history holds."""
        return [item.text for item in self.session.history]

    def follows(self, heading: str) -> None:
        """What happened is what the diagram under this heading of docs/flow.md shows."""
        assert once(self.happened) == diagrams()[heading]

    def nothing_is_open(self) -> None:
        parts = (self.engines.asr, self.engines.responder, self.engines.tts, self.lease)
        assert not [part for part in parts if isinstance(part, Counted) and part.running]
