"""The box without its doors: the house, the engines on lease, and conversations with both."""

import asyncio
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Collection,
    Coroutine,
    Hashable,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, replace
from typing import Any

from airos_edge.config import Config, effective
from airos_edge.engines.lease import Lease
from airos_edge.engines.registry import PORTS, Port
from airos_edge.errors import AirosError, EngineUnavailable
from airos_edge.health import Health
from airos_edge.home import demo as demo_house
from airos_edge.home.commands import Understood
from airos_edge.home.house import House, Source, State, VirtualDevices, furnished
from airos_edge.home.timers import MOST, Timer, Timers
from airos_edge.http.tape import Tape
from airos_edge.local.sounds import bell
from airos_edge.offers import offers_of
from airos_edge.parts import Parts, Workshop, assemble, models_of
from airos_edge.router.meaning import outcome
from airos_edge.router.tool_servers import ToolServers
from airos_edge.voice.announce import announce, ring
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Announced, Event, TimerFinished
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import Stage, chain
from airos_edge.voice.history import Item
from airos_edge.voice.hub import Hub
from airos_edge.voice.ids import new_id
from airos_edge.voice.phase import Phases
from airos_edge.voice.ports import Hints, Mouth, OpenMouth, Place, Prompt, Says, Speaking, Speech
from airos_edge.voice.respond import no_voice
from airos_edge.voice.session import Session
from airos_edge.voice.waking import Waking
from airos_edge.voice.watched import WatchedVad, WatchedWake
from airos_edge.wyoming.info import Offers

log = logging.getLogger(__name__)

RING, RINGS = "The timer is over.", 3
AT_START_ONLY = ("server", "satellite", "wyoming", "mqtt", "mdns", "state")
"""Sections of the doors, which a reload does not touch."""


class Box:
    """What the doors open onto. Get it from `open_box`.

    A reload puts new parts in the place of those it changes; conversations go on with what they had.
    """

    def __init__(
        self,
        parts: Parts,
        lease: Lease,
        hub: Hub,
        health: Health,
        rebuild: Callable[[Config], Coroutine[Any, Any, Parts]],
        sources: list[Source],
    ) -> None:
        self.hub = hub
        self.phases = Phases(hub.publish)
        self.health = health
        self.floor = Floor(lambda says: self._open_mouth(says))
        """The loudspeaker of the box, which its own conversation, announcements and timers share."""
        self.has_speaker = False
        self._open_mouth: OpenMouth = nowhere
        self._own: Session | None = None
        self._parts = parts
        self._lease = lease
        self._rebuild = rebuild
        self._sources = sources
        self._reloading = asyncio.Lock()

    # ---- conversations ----

    def rules(self) -> TurnRules:
        """How an ear of this box listens unless its face wants otherwise."""
        config = self._parts.config
        return TurnRules(**asdict(config.turn), threshold=config.vad.threshold)

    def open_session(
        self, tell: Callable[[Event], None], open_mouth: OpenMouth, rules: TurnRules
    ) -> Session:
        """A conversation over a loudspeaker of its own, to be entered and left by the face.

        Without a VAD it is deaf, and can still be typed to. Raises EngineUnavailable where the rules
        need a wake word and no engine hears one.
        """
        return self._open_session(tell, Floor(open_mouth), rules)

    def open_own_session(self, tell: Callable[[Event], None], rules: TurnRules) -> Session:
        """The same over the box's own loudspeaker: the conversation that `hush` interrupts."""
        self._own = self._open_session(tell, self.floor, rules)
        return self._own

    def _open_session(
        self, tell: Callable[[Event], None], floor: Floor, rules: TurnRules
    ) -> Session:
        config = self._parts.config
        manner = Prompt(
            speaking=self._speaking() if self._parts.engines.tts else None,
            reach=config.reach,
        )

        def tell_all(event: Event) -> None:
            self.hub.publish(event)
            self.phases.follow(event)
            tell(event)

        def stamp(event: Event) -> Event:
            return session.stamped(event)

        session = Session(
            new_id("sess"),
            self._ear(rules, stamp),
            floor,
            self._lease.borrow,
            tell_all,
            manner,
            Hints(config.language),
        )
        return session

    def _ear(self, rules: TurnRules, stamp: Callable[[Event], Event]) -> Ear:
        parts, hub = self._parts, self.hub
        if parts.open_vad is None and rules.detection != "push":
            log.warning("A conversation that hears no speech begins: %s", parts.faults["vad"])
        vad = WatchedVad(parts.open_vad() if parts.open_vad else Deaf(), hub, stamp)
        if rules.detection != "wake":
            return Ear(rules, vad)
        if parts.open_wake is None:
            raise EngineUnavailable("wake", parts.faults["wake"])
        words = parts.config.wake.words
        return Ear(rules, vad, Waking(WatchedWake(parts.open_wake(), hub, stamp, words), words))

    def open_asking(self, tell: Callable[[Event], None], open_mouth: OpenMouth) -> Session:
        """For one question: the face says where it begins and ends."""
        return self.open_session(tell, open_mouth, replace(self.rules(), detection="push"))

    async def speak(self, texts: AsyncIterable[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Speech of the texts, sentence by sentence, in the voice's own rate, as it is made.

        Raises EngineError. Closing or cancelling it ends the engine.
        """
        async with self._lease.borrow(self._parts.config.reach) as engines:
            tts = engines.tts
            if tts is None:
                raise no_voice()
            stages = (Stage(engines.sayable, ahead=1), Stage(lambda text: tts.speak(text, how)))
            async with chain(texts, *stages, name=tts.name) as speech:
                async for piece in speech:
                    yield piece

    def waking(self) -> Waking:
        """A stream of its own that hears the box's wake words. Raises EngineUnavailable."""
        if self._parts.open_wake is None:
            raise EngineUnavailable("wake", self._parts.faults["wake"])
        return Waking(self._parts.open_wake(), self._parts.config.wake.words)

    @property
    def language(self) -> str:
        return self._parts.config.language

    @property
    def reach(self) -> Place:
        """How far audio and words may go, by now."""
        return self._parts.config.reach

    def offers(self) -> Offers:
        """The stages that others may use."""
        return offers_of(self._parts)

    def add_source(self, source: Source) -> None:
        """Devices that are not in the configuration; `refurnish` takes in those that it has found."""
        self._sources.append(source)

    def device_changed(self, name: str) -> None:
        """A device that was found is in another state, whoever has switched it."""
        self._parts.house.look_at(name)

    def understand(self, text: str) -> Understood | None:
        """What a sentence means in this house, without doing it; None if it is no command."""
        return self._parts.commands.understand(text, None)

    def outcome(self, item: Item) -> Hashable | None:
        """What would come of it: a meaning, `meaning.ASKED`, or None where it is no command."""
        return outcome(item, self._parts.commands)

    # ---- the loudspeaker ----

    def use_speaker(self, open_mouth: OpenMouth | None) -> None:
        """From now on this is the box's own; None: it has none, and what is said on it goes nowhere."""
        self.has_speaker = open_mouth is not None
        self._open_mouth = open_mouth or nowhere

    def hush(self) -> bool:
        """Silences the box's own loudspeaker: ends the answer of its own conversation, announcements
        and ringing. False: it was silent. Never waits."""
        interrupted = self._own is not None and self._own.interrupt("hushed")
        return self.floor.hush() or interrupted

    async def say(self, text: str, aloud: bool = True) -> bytes:
        """Announces it on the box's own loudspeaker and gives b""; where it has none, or not `aloud`,
        gives the speech as WAV. Raises EngineError."""
        tape = Tape()
        is_spoken = aloud and self.has_speaker
        floor = self.floor if is_spoken else Floor(tape.open)
        async with self._lease.borrow(self._parts.config.reach) as engines:
            await announce(text, Rank.ANNOUNCE, engines, floor, self._speaking())
        self.hub.publish(Announced(text=text))
        return tape.wav()

    async def ring(self, timer: Timer) -> None:
        """A timer's time has come: a bell and a sentence, again and again until somebody stops it."""
        self.hub.publish(TimerFinished(name=None, seconds=timer.seconds))
        log.info("The timer of %d s is over.", timer.seconds)
        times = RINGS if self.has_speaker else 1
        try:
            async with self._lease.borrow(self._parts.config.reach) as engines:
                await ring(RING, engines, self.floor, self._speaking(), bell(), times)
        except AirosError as error:
            log.warning("The timer could not ring: %s", error)

    def _speaking(self) -> Speaking:
        return Speaking(language=self._parts.config.language)

    # ---- the whole ----

    def check(self) -> dict[str, Any]:
        """What it runs with: the options, the engines or why there is none, the devices of the house."""
        faults = self._parts.faults
        engines = {
            choice.port: {"engine": choice.engine, "why": choice.why}
            if choice.port not in faults
            else {"engine": None, "why": faults[choice.port]}
            for choice in self._parts.choices
        }
        house = self._parts.house
        return {
            "config": effective(self._parts.config),
            "engines": engines,
            "models": models_of(self._parts.config),
            "devices": [device.name for device in house.settings.devices],
            "demo": bool(house.label),
        }

    def state(self) -> dict[str, Any]:
        """What works and what does not; `status` is "ok" while everything does."""
        parts: dict[str, Any] = {}
        for choice in self._parts.choices:
            fault = self._parts.faults.get(choice.port)
            parts[choice.port] = {"engine": choice.engine, "state": "failed" if fault else "ok"}
            if fault:
                parts[choice.port]["why"] = fault
        parts |= self.health.parts()
        is_well = all(part["state"] in ("ok", "starting") for part in parts.values())
        return {"status": "ok" if is_well else "degraded", "parts": parts}

    async def reload(self, config: Config) -> str:
        """Builds anew what the configuration changes; says what. A bad one changes nothing.

        Raises AirosError.
        """
        async with self._reloading:
            before = self._parts.config
            changed = [
                name for name in effective(config) if getattr(config, name) != getattr(before, name)
            ]
            if not changed:
                return "nothing"
            for name in AT_START_ONLY:
                if name in changed:
                    raise AirosError(f"{name}: it changes with a restart only; nothing was changed")
            await self._build(config)
            for gone in before.llm.keys() - config.llm.keys():
                self.health.forget(gone)
            return ", ".join(changed)

    async def refurnish(self) -> None:
        """Other devices were found: the house gets them, and what is understood and listened for."""
        async with self._reloading:
            await self._build(self._parts.config)
        log.info("house: %s", ", ".join(self.check()["devices"]) or "no devices")

    async def _build(self, config: Config) -> None:
        self._parts = await self._rebuild(config)
        self._lease.swap(self._parts.engines)
        self._parts.house.look()


def nowhere(says: Says) -> Mouth:
    """A loudspeaker that nobody hears."""
    return Tape()


class Deaf:
    """Where nothing can tell speech: questions are then begun and ended by who asks them."""

    frame_ms = 32

    def feed(self, chunk: object) -> list[float]:
        return []


@asynccontextmanager
async def open_box(
    config: Config,
    demo: bool = False,
    most_timers: int = MOST,
    ports: Collection[Port] = PORTS,
) -> AsyncIterator[Box]:
    """Opens the engines of these ports and the house. An engine that fails is left out and named in `state`.

    `demo`: with the demonstration house, unless there are devices of its own. Raises
    ConfigError where the configuration contradicts itself. Leaving the block closes all.
    """
    hub, workshop, states, sources = Hub(), Workshop(), dict[str, State](), list[Source]()
    health = Health(hub.publish)
    timers = Timers(lambda timer: box.ring(timer), most_timers)
    servers = ToolServers(health)

    async def build(config: Config) -> Parts:
        home, found = furnished(config.home, sources)
        label = ""
        if demo and not home.devices:
            home, label = demo_house.HOUSE, demo_house.LABEL
        house = House(home, VirtualDevices(), hub.publish, label, states, found=found)
        parts = await assemble(config, house, timers, servers, workshop, health, ports)
        servers.use(config.tools, config.reach)
        return parts

    parts = await build(config)
    lease = Lease(parts.engines)
    box = Box(parts, lease, hub, health, build, sources)
    async with servers, aclosing(lease), timers:
        yield box
