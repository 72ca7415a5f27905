"""The box without its doors: the house, the engines on lease, and conversations with both."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from airos_edge.config import Config, effective
from airos_edge.engines import registry
from airos_edge.engines.lease import Lease
from airos_edge.errors import AirosError, EngineError, EngineUnavailable
from airos_edge.home import demo as demo_house
from airos_edge.home.commands import HouseCommands
from airos_edge.home.house import House, VirtualDevices
from airos_edge.home.sentences import compile_sentences
from airos_edge.home.timers import Timer, Timers
from airos_edge.http.ask import Tape
from airos_edge.http.recording import encode_wav
from airos_edge.router.commands import Commands
from airos_edge.voice.announce import announce
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Announced, Event, TimerFinished
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.hub import Hub
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Engines, OpenMouth, Prompt, Speaking, Vad, Wake
from airos_edge.voice.session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")
RING = "The timer is over."


@dataclass(frozen=True, slots=True)
class Parts:
    """What one configuration is made into. `faults` says of each part that is missing why."""

    config: Config
    house: House
    engines: Engines
    open_vad: Callable[[], Vad] | None
    open_wake: Callable[[], Wake] | None
    choices: tuple[registry.Choice, ...]
    faults: Mapping[str, str]


class Box:
    """What the doors open onto. Get it from `open_box`.

    A reload puts new parts in the place of those it changes; conversations go on with what they had.
    """

    def __init__(
        self, parts: Parts, lease: Lease, hub: Hub, rebuild: Callable[[Config], Any]
    ) -> None:
        self.hub = hub
        self.floor = Floor(Tape().open)
        self.sessions: set[Session] = set()
        self._parts = parts
        self._lease = lease
        self._rebuild = rebuild

    # ---- conversations ----

    def rules(self) -> TurnRules:
        """How an ear of this box listens unless its face wants otherwise."""
        config = self._parts.config
        return TurnRules(**asdict(config.turn), threshold=config.vad.threshold)

    def open_session(
        self, tell: Callable[[Event], None], open_mouth: OpenMouth, rules: TurnRules
    ) -> Session:
        """A conversation over a loudspeaker of its own, to be entered and left by the face.

        Raises EngineUnavailable where the rules need to hear speech and no engine can.
        """
        config = self._parts.config
        if self._parts.open_vad is None and rules.detection != "push":
            raise EngineUnavailable("vad", self._parts.faults["vad"])
        vad = self._parts.open_vad() if self._parts.open_vad else Deaf()
        manner = Prompt(
            instructions=config.assistant.instructions,
            speaking=Speaking(language=config.language) if self._parts.engines.tts else None,
            reach=config.reach,
        )

        def tell_all(event: Event) -> None:
            self.hub.publish(event)
            tell(event)

        return Session(
            new_id("sess"),
            Ear(rules, vad),
            Floor(open_mouth),
            self._lease.borrow,
            tell_all,
            manner,
        )

    def open_asking(self, tell: Callable[[Event], None], open_mouth: OpenMouth) -> Session:
        """For one question: the face says where it begins and ends."""
        return self.open_session(tell, open_mouth, replace(self.rules(), detection="push"))

    async def say(self, text: str) -> bytes:
        """Speaks on the box's own loudspeaker; gives the speech as WAV. Raises EngineError."""
        tape = Tape()
        await self._announce(text, Rank.ANNOUNCE, Floor(tape.open))
        self.hub.publish(Announced(text=text))
        return encode_wav(bytes(tape.pcm), tape.rate_hz) if tape.pcm else b""

    async def ring(self, timer: Timer) -> None:
        """A timer's time has come."""
        self.hub.publish(TimerFinished(name=None, seconds=timer.seconds))
        log.info("The timer of %d s is over.", timer.seconds)
        try:
            await self._announce(RING, Rank.RING, self.floor)
        except AirosError as error:
            log.warning("The timer could not ring: %s", error)

    async def _announce(self, text: str, rank: Rank, floor: Floor) -> None:
        speaking = Speaking(language=self._parts.config.language)
        async with self._lease.borrow(self._parts.config.reach) as engines:
            await announce(text, rank, engines, floor, speaking)

    # ---- the whole ----

    def check(self) -> dict[str, Any]:
        engines = {
            choice.port: {"engine": choice.engine, "why": choice.why}
            for choice in self._parts.choices
        }
        return {"config": effective(self._parts.config), "engines": engines}

    def health(self) -> dict[str, Any]:
        parts: dict[str, Any] = {}
        for choice in self._parts.choices:
            fault = self._parts.faults.get(choice.port)
            parts[choice.port] = {"engine": choice.engine, "state": "failed" if fault else "ok"}
            if fault:
                parts[choice.port]["why"] = fault
        status = "degraded" if self._parts.faults else "ok"
        return {"status": status, "parts": parts}

    async def reload(self, config: Config) -> str:
        """Builds anew what the configuration changes; says what. A bad one changes nothing.

        Raises AirosError.
        """
        before = self._parts.config
        changed = [
            name for name in effective(config) if getattr(config, name) != getattr(before, name)
        ]
        if not changed:
            return "nothing"
        if "server" in changed:
            raise AirosError("server: its address changes with a restart only; nothing was changed")
        self._parts = await self._rebuild(config)
        self._lease.swap(self._parts.engines)
        return ", ".join(changed)


class Deaf:
    """The ear of a session that is told where speech begins and ends."""

    frame_ms = 32

    def feed(self, chunk: object) -> list[float]:
        return []


@asynccontextmanager
async def open_box(config: Config, demo: bool = False) -> AsyncIterator[Box]:
    """Opens the engines and the house. An engine that fails is left out and named in `health`.

    Raises ConfigError where the configuration contradicts itself. Leaving the block closes all.
    """
    hub = Hub()
    async with AsyncExitStack() as stack:
        timers = Timers(lambda timer: box.ring(timer))
        parts = await build(config, demo, hub, timers)
        lease = Lease(parts.engines)
        stack.push_async_callback(lease.aclose)
        box = Box(parts, lease, hub, lambda config: build(config, demo, hub, timers))
        await stack.enter_async_context(timers)
        yield box


async def build(config: Config, demo: bool, hub: Hub, timers: Timers) -> Parts:
    settings = demo_house.HOUSE if demo and not config.home.devices else config.home
    label = demo_house.LABEL if settings is demo_house.HOUSE else ""
    house = House(settings, VirtualDevices(), hub.publish, label)
    sentences = await asyncio.to_thread(compile_sentences, house, config.language)
    commands = HouseCommands(sentences, house, timers, datetime.now)
    await asyncio.to_thread(commands.understand, "what time is it", None)
    choices = tuple(registry.choose_all(config))
    faults: dict[str, str] = {}

    async def opened(port: str, open_engine: Callable[[registry.Choice], T]) -> T | None:
        choice = next(choice for choice in choices if choice.port == port)
        try:
            if choice.engine is None:
                raise EngineUnavailable(port, choice.why)
            return await asyncio.to_thread(open_engine, choice)
        except EngineError as error:
            faults[port] = str(error)
            log.warning("Going on without %s: %s", port, error)
            return None

    tts = await opened("tts", lambda choice: registry.open_tts(choice, config.tts))
    asr = await opened("asr", lambda choice: registry.open_asr(choice, sentences.grammar))
    vad = await opened("vad", registry.open_vad)
    wake = await opened("wake", lambda choice: registry.open_wake(choice, config.wake))
    engines = Engines(asr, Commands(commands), tts, commands.call)
    return Parts(config, house, engines, vad, wake, choices, faults)
