"""A box of scripted engines, its services on a port, and both sides of a connection to them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Any

from wyoming.event import Event, Eventable

from airos_edge.health import Health
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event as Happening
from airos_edge.voice.floor import Floor
from airos_edge.voice.hub import Hub
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import OpenMouth, Prompt, Speaking, Speech
from airos_edge.voice.session import Session
from airos_edge.voice.waking import Waking
from airos_edge.wyoming.frames import HEADER_BYTES, frame_of, read_event
from airos_edge.wyoming.info import Model, Offers
from airos_edge.wyoming.services import SERVICES, Name, serve
from airos_edge.wyoming.settings import Address, Settings
from tests.fakes import FakeLease, FakeTts, FakeVad, fake_engines, fake_waking

OFFERS = Offers(
    asr=Model("fake", ("en",)),
    hears_ends=True,
    tts=Model("fake", ("en",)),
    voices={"usual": "en", "other": "de"},
    wake=Model("fake", ("en",)),
    words={"hey_jarvis": "hey jarvis"},
    handle=Model("commands", ("en",)),
)


class FakeBox:
    """`said` are the ways in which it was asked to speak, `sessions` those that it opened."""

    language = "en"

    def __init__(self, offers: Offers = OFFERS, **engines: Any) -> None:
        self.engines = fake_engines(**engines)
        self.lease = FakeLease(self.engines)
        self.health = Health(Hub().publish)
        self.said: list[Speaking] = []
        self.sessions: list[Session] = []
        self._offers = offers

    def offers(self) -> Offers:
        return self._offers

    def rules(self) -> TurnRules:
        return TurnRules()

    def open_session(
        self, tell: Callable[[Happening], None], open_mouth: OpenMouth, rules: TurnRules
    ) -> Session:
        ear, manner = Ear(rules, FakeVad()), Prompt(speaking=Speaking())
        session = Session(new_id("sess"), ear, Floor(open_mouth), self.lease.borrow, tell, manner)
        self.sessions.append(session)
        return session

    def open_asking(self, tell: Callable[[Happening], None], open_mouth: OpenMouth) -> Session:
        return self.open_session(tell, open_mouth, replace(self.rules(), detection="push"))

    def speak(self, texts: AsyncIterable[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        assert isinstance(self.engines.tts, FakeTts)
        self.said.append(how)
        return self.engines.tts.speak(texts, how)  # type: ignore[arg-type]

    def waking(self) -> Waking:
        return fake_waking()


class Peer:
    """A client that reads and writes bytes and events; what it is told is checked by our own reader."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *messages: Eventable | bytes) -> None:
        for message in messages:
            frame = message if isinstance(message, bytes) else frame_of(message)
            self.writer.write(frame)
        await self.writer.drain()

    async def next(self) -> Event | None:
        """None: it was closed."""
        async with asyncio.timeout(10):
            return await read_event(self.reader)

    async def until(self, *kinds: str) -> list[Event]:
        """All up to the first of these kinds, which has to come."""
        events = []
        while True:
            event = await self.next()
            assert event is not None, f"closed after {[one.type for one in events]}"
            events.append(event)
            if event.type in kinds:
                return events


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Peer]:
    if address.path:
        opening = asyncio.open_unix_connection(address.path, limit=HEADER_BYTES)
    else:
        opening = asyncio.open_connection(address.host, address.port, limit=HEADER_BYTES)
    reader, writer = await opening
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def served(
    box: FakeBox,
    names: Sequence[Name] = SERVICES,
    uri: str = "tcp://127.0.0.1:0",
    allow: Sequence[str] = ("loopback",),
    **settings: Any,
) -> AsyncIterator[Address]:
    async with serve(uri, Settings(allow=tuple(allow), **settings), box, names) as address:
        yield address


@asynccontextmanager
async def talking(box: FakeBox, **settings: Any) -> AsyncIterator[Peer]:
    """A connection to all services of a box, by a Unix socket: what is written to one can be read at
    once, so that time may be virtual."""
    with TemporaryDirectory() as folder:
        async with (
            served(box, uri=f"unix://{folder}/wyoming", **settings) as address,
            connected(address) as peer,
        ):
            yield peer
