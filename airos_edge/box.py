"""The box without its doors: the house, the engines on lease, and conversations with both."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, replace
from typing import Any

from airos_edge.config import Config, effective
from airos_edge.engines.lease import Lease
from airos_edge.errors import AirosError, EngineUnavailable
from airos_edge.health import Health
from airos_edge.home import demo as demo_house
from airos_edge.home.commands import Understood
from airos_edge.home.house import House, State, VirtualDevices
from airos_edge.home.timers import MOST, Timer, Timers
from airos_edge.http.tape import Tape
from airos_edge.local.sounds import bell
from airos_edge.parts import Parts, Workshop, assemble
from airos_edge.voice.announce import announce, ring
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Announced, Event, TimerFinished
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import Stage, chain
from airos_edge.voice.hub import Hub
from airos_edge.voice.ids import new_id
from airos_edge.voice.phase import Phases
from airos_edge.voice.ports import Hints, Mouth, OpenMouth, Prompt, Says, Speaking, Speech
from airos_edge.voice.respond import no_voice
from airos_edge.voice.segment import sentences
from airos_edge.voice.session import Session
from airos_edge.voice.waking import Waking
from airos_edge.voice.watched import WatchedVad, WatchedWake

log = logging.getLogger(__name__)

RING, RINGS = "The timer is over.", 3


class Box:
    """What the doors open onto. Get it from `open_box`.

    A reload puts new parts in the place of those it changes; conversations go on with what they had.
    """

    def __init__(
        self,
        parts: Parts,
        lease: Lease,
        hub: Hub,
        rebuild: Callable[[Config], Coroutine[Any, Any, Parts]],
    ) -> None:
        self.hub = hub
        self.phases = Phases(hub.publish)
        self.health = Health(hub.publish)
        self.floor = Floor(lambda says: self._open_mouth(says))
        """The loudspeaker of the box, which its own conversation, announcements and timers share."""
        self.has_speaker = False
        self._open_mouth: OpenMouth = nowhere
        self._own: Session | None = None
        self._parts = parts
        self._lease = lease
        self._rebuild = rebuild
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
            stages = (Stage(sentences, ahead=1), Stage(lambda text: tts.speak(text, how)))
            async with chain(texts, *stages, name=tts.name) as speech:
                async for piece in speech:
                    yield piece

    def waking(self) -> Waking:
        """A stream of its own that hears the box's wake words. Raises EngineUnavailable."""
        if self._parts.open_wake is None:
            raise EngineUnavailable("wake", self._parts.faults["wake"])
        return Waking(self._parts.open_wake(), self._parts.config.wake.words)

    def understand(self, text: str) -> Understood | None:
        """What a sentence means in this house, without doing it; None if it is no command."""
        return self._parts.commands.understand(text, None)

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
            for fixed in ("server", "satellite"):
                if fixed in changed:
                    raise AirosError(
                        f"{fixed}: it changes with a restart only; nothing was changed"
                    )
            self._parts = await self._rebuild(config)
            self._lease.swap(self._parts.engines)
            return ", ".join(changed)


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
    config: Config, demo: bool = False, most_timers: int = MOST
) -> AsyncIterator[Box]:
    """Opens the engines and the house. An engine that fails is left out and named in `state`.

    `demo`: with the demonstration house, unless the configuration has one of its own. Raises
    ConfigError where the configuration contradicts itself. Leaving the block closes all.
    """
    hub, workshop, states = Hub(), Workshop(), dict[str, State]()
    timers = Timers(lambda timer: box.ring(timer), most_timers)

    async def build(config: Config) -> Parts:
        home = demo_house.HOUSE if demo and not config.home.devices else config.home
        label = demo_house.LABEL if home is demo_house.HOUSE else ""
        house = House(home, VirtualDevices(), hub.publish, label, states)
        return await assemble(config, house, timers, workshop)

    parts = await build(config)
    lease = Lease(parts.engines)
    box = Box(parts, lease, hub, build)
    async with aclosing(lease), timers:
        yield box
