"""What a connection may ask for: which service is given which of its events."""

import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Literal, Protocol

from wyoming.event import Event
from wyoming.ping import Ping, Pong

from airos_edge.errors import AirosError
from airos_edge.health import Health
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event as Happening
from airos_edge.voice.ports import OpenMouth, Speaking, Speech
from airos_edge.voice.session import Session
from airos_edge.voice.waking import Waking
from airos_edge.wyoming.asr import Asr
from airos_edge.wyoming.connection import Connection
from airos_edge.wyoming.frames import a_text, parsed
from airos_edge.wyoming.handle import Handle, Memory
from airos_edge.wyoming.info import Offers, info
from airos_edge.wyoming.server import listen
from airos_edge.wyoming.settings import Address, Settings
from airos_edge.wyoming.tts import Tts
from airos_edge.wyoming.wake import Wake

Name = Literal["asr", "tts", "wake", "handle"]
SERVICES: tuple[Name, ...] = ("asr", "tts", "wake", "handle")
log = logging.getLogger(__name__)

AUDIO = ("audio-start", "audio-chunk", "audio-stop")


class Box(Protocol):
    """What is offered."""

    @property
    def language(self) -> str: ...
    def offers(self) -> Offers: ...
    def rules(self) -> TurnRules: ...
    def open_session(
        self, tell: Callable[[Happening], None], open_mouth: OpenMouth, rules: TurnRules
    ) -> Session: ...
    def open_asking(self, tell: Callable[[Happening], None], open_mouth: OpenMouth) -> Session: ...
    def speak(self, texts: AsyncIterable[str], how: Speaking) -> AsyncGenerator[Speech, None]: ...
    def waking(self) -> Waking: ...


class HealthyBox(Box, Protocol):
    @property
    def health(self) -> Health: ...


@asynccontextmanager
async def serve(
    uri: str, settings: Settings, box: Box, names: Sequence[Name] = SERVICES
) -> AsyncIterator[Address]:
    """Offers these of the box's stages to whoever connects there and is allowed; gives the address,
    with its real port.

    Leaving the block ends every connection. Raises AirosError when it cannot listen there.
    """
    memory = Memory()

    async def talk(connection: Connection) -> None:
        async with AsyncExitStack() as heard:
            services = Services(connection, settings, box, names, memory, heard)
            await connection.serve(services.take)

    async with listen(uri, settings.allow, talk) as address:
        yield address


@asynccontextmanager
async def open_services(settings: Settings, box: HealthyBox) -> AsyncIterator[Address | None]:
    """The daemon's; gives None where there are none. One that cannot be opened is told and reported, and
    the rest of the box goes on."""
    async with AsyncExitStack() as stack:
        address = None
        try:
            if settings.services is not None:
                serving = serve(settings.services, settings, box)
                address = await stack.enter_async_context(serving)
                box.health.report("wyoming", "ok")
        except AirosError as error:
            log.warning("Going on without Wyoming: %s; see wyoming.services", error)
            box.health.report("wyoming", "failed", str(error))
        yield address


def offered(box: Box) -> list[Name]:
    """Those that work now."""
    offers = box.offers()
    return [name for name in SERVICES if getattr(offers, name) is not None]


Service = Asr | Tts | Wake | Handle


class Services:
    """Those of one connection. Sound goes to the one that was asked for last, `transcribe` or `detect`."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        box: Box,
        names: Sequence[Name],
        memory: Memory,
        stack: AsyncExitStack,
    ) -> None:
        self._connection = connection
        self._box = box
        self._names = names
        offers = box.offers()
        rules = replace(box.rules(), detection="speech" if offers.hears_ends else "push")
        is_safe_only = settings.handle == "safe"
        services: dict[Name, Service] = {
            "asr": Asr(connection, box.open_session, rules, stack),
            "wake": Wake(connection, box.waking, stack),
            "tts": Tts(connection, box.speak, box.language, next(iter(offers.voices), "")),
            "handle": Handle(connection, box.open_asking, is_safe_only, memory),
        }
        offered = [services[name] for name in services if name in names]
        self._by_type: dict[str, Service] = {
            kind: service for service in offered for kind in service.types
        }
        hearing = [one for one in offered if isinstance(one, Asr | Wake)]
        self._hearing: Asr | Wake | None = hearing[0] if hearing else None

    async def take(self, event: Event) -> None:
        """Raises AirosError. What nobody here knows is dropped, as the protocol wants it."""
        match event.type:
            case "ping":
                text = parsed(event, Ping.from_event).text
                self._connection.post(Pong(None if text is None else a_text(event, "text", text)))
            case "describe":
                self._connection.post(info(self._box.offers(), self._names))
            case kind if kind in AUDIO:
                if self._hearing is not None:
                    await self._hearing.take(event)
            case kind:
                service = self._by_type.get(kind)
                if isinstance(service, Asr | Wake):
                    self._hearing = service
                if service is not None:
                    await service.take(event)
