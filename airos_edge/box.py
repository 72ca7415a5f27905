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
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from airos_edge.config import Config, effective
from airos_edge.description import described, serving, state_of
from airos_edge.ears import open_ear, open_wake
from airos_edge.engines.lease import Lease
from airos_edge.engines.loading import Loading
from airos_edge.engines.registry import PORTS, Port
from airos_edge.engines.sayable import sayable
from airos_edge.engines.timing import Measure, Trials, measured
from airos_edge.errors import AirosError, EngineUnavailable
from airos_edge.fluency import Fluency, spoken_languages
from airos_edge.health import Health, PartsRenewed
from airos_edge.home.demo import demo_house
from airos_edge.home.house import House, Source, State, VirtualDevices, furnished
from airos_edge.home.multilingual import Multilingual
from airos_edge.home.timers import MOST, Timers
from airos_edge.home.usual import usual_answers
from airos_edge.http.tape import Tape
from airos_edge.loudspeaker import Loudspeaker
from airos_edge.offers import model_names, offers_of
from airos_edge.opened import Means, timings_of
from airos_edge.parts import Parts, assemble
from airos_edge.tools.servers import ToolServers
from airos_edge.tools.tools import Tools
from airos_edge.voice.announce import speech_of
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event, ReplyEnded, Woke
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope, only
from airos_edge.voice.hub import Hub
from airos_edge.voice.ids import new_id
from airos_edge.voice.phase import Phases
from airos_edge.voice.ports import Hints, OpenMouth, Place, Prompt, Speaking, Speech
from airos_edge.voice.session import Session
from airos_edge.voice.waking import Waking
from airos_edge.workshop import Workshop
from airos_edge.wyoming.info import Offers

log = logging.getLogger(__name__)

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
        self.loudspeaker = Loudspeaker(
            lambda: lease.borrow(self.reach), lambda: Speaking(language=self.language), hub.publish
        )
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
        """The same over the box's own loudspeaker."""
        session = self._open_session(tell, self.loudspeaker.floor, rules)
        self.loudspeaker.conversation = session
        return session

    def _open_session(
        self, tell: Callable[[Event], None], floor: Floor, rules: TurnRules
    ) -> Session:
        config = self._parts.config
        manner = Prompt(
            speaking=Speaking(language=config.language) if self._parts.engines.tts else None,
            reach=config.reach,
            languages=tuple(one.language for one in self._parts.fluencies[1:] if one.voice),
        )

        languages = spoken_languages(config) if config.languages else ()

        def tell_all(event: Event) -> None:
            log_turn(event)
            self.hub.publish(event)
            self.phases.follow(event)
            tell(event)

        def stamp(event: Event) -> Event:
            return session.stamped(event)

        session = Session(
            new_id("sess"),
            open_ear(self._parts, self.hub, rules, stamp),
            floor,
            self._lease.borrow,
            tell_all,
            manner,
            Hints(config.language, languages=languages),
        )
        return session

    def open_asking(self, tell: Callable[[Event], None], open_mouth: OpenMouth) -> Session:
        """For one question: the face says where it begins and ends."""
        return self.open_session(tell, open_mouth, replace(self.rules(), detection="push"))

    def open_hearing(self, tell: Callable[[Event], None]) -> Session:
        """For a recording of anything, which the ears cut into utterances: their words are told, and nobody
        is answered. Raises EngineUnavailable where nothing tells speech or recognises it."""
        for port in ("vad", "asr"):
            if why := self._parts.faults.get(port):
                raise EngineUnavailable(port, why.removeprefix(f"{port}: "))
        rules = replace(self.rules(), detection="speech", judged=False, answer="never")
        return self.open_session(tell, Tape().open, rules)

    async def speak(self, texts: AsyncIterable[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Speech of the texts, sentence by sentence, in the voice's own rate, as it is made.

        Raises EngineError. Closing or cancelling it ends the engine.
        """
        async with (
            self._lease.borrow(self.reach) as engines,
            speech_of(texts, engines, how) as (speech, _),
        ):
            async for piece in speech:
                yield piece

    async def make_ahead(self, texts: Iterable[str]) -> None:
        """Has a voice of this box that keeps what it said make these, as soon as it is there, and while nobody
        is heard or answered. Raises EngineError; cancelling ends it."""
        order = self._parts.opened.tts
        if order is None:
            return
        await order.settled()
        how = Speaking(language=self.language)
        for text in texts:
            serving = order.serving
            if serving is None or not hasattr(serving.engine, "make_ahead"):
                return
            if serving.place is Place.LOCAL:
                await self._lease.undisturbing(partial(_make_ahead, serving, text, how))

    def waking(self) -> Waking:
        """A stream of its own that hears the box's wake words. Raises EngineUnavailable."""
        return Waking(open_wake(self._parts), self._parts.config.wake.words)

    @property
    def language(self) -> str:
        return self._parts.config.language

    @property
    def fluencies(self) -> Sequence[Fluency]:
        """What works in each language of the house, by now."""
        return self._parts.fluencies

    def voices(self) -> Collection[str] | None:
        """The names that the voice which speaks by now can be asked for; None: it does not tell them."""
        tts = self._parts.opened.tts
        return tts.voices(self.language) if tts else None

    @property
    def reach(self) -> Place:
        """How far audio and words may go, by now."""
        return self._parts.config.reach

    def offers(self) -> Offers:
        """The stages that others may use."""
        return offers_of(self._parts)

    def model_names(self) -> list[str]:
        """By which a client may ask for who answers, hears or speaks."""
        return model_names(self._parts)

    def add_source(self, source: Source) -> None:
        """Devices that are not in the configuration; `refurnish` takes in those that it has found."""
        self._sources.append(source)

    def device_changed(self, name: str) -> None:
        """A device that was found is in another state, whoever has switched it."""
        self._parts.house.look_at(name)

    @property
    def tools(self) -> Tools:
        """What models may call, by now, and the servers that clients bring."""
        return self._parts.tools

    @property
    def commands(self) -> Multilingual:
        """What sentences mean in this house, by now."""
        return self._parts.commands

    def usual_answers(self) -> list[str]:
        """What the house answers most often."""
        return usual_answers(self._parts.commands.own, self._parts.house)

    # ---- the whole ----

    async def loaded(self) -> None:
        """Waits until its engines serve that are still being loaded: for who asks it one thing only."""
        await self._parts.opened.settled()

    def check(self) -> dict[str, Any]:
        """What it runs with."""
        return described(self._parts)

    def state(self) -> dict[str, Any]:
        """What works and what does not."""
        return state_of(self._parts, self.health)

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
                self.health.forget(f"llm {gone}")
            return ", ".join(changed)

    async def refurnish(self) -> None:
        """Other devices were found: the house gets them, and what is understood and listened for."""
        async with self._reloading:
            await self._build(self._parts.config)
        log.info("house: %s", ", ".join(self.check()["devices"]) or "no devices")

    async def models_changed(self) -> Mapping[str, str]:
        """Others have brought or removed models. Gives what the next turn gets of each part that was made
        anew, of other models: the engine of a port, the model of an "llm small"."""
        async with self._reloading:
            before = serving(self._parts)
            await self._build(self._parts.config)
        now = serving(self._parts)
        changed = {part: told for part, (told, made) in now.items() if made is not before[part][1]}
        said = ", ".join(f"{part} is {told}" for part, told in changed.items())
        log.info("Models changed; %s.", said or "nothing here uses them")
        return changed

    async def _build(self, config: Config) -> None:
        self._parts = await self._rebuild(config)
        self._lease.swap(self._parts.engines)
        self._parts.house.look()
        self.hub.publish(PartsRenewed())


async def _make_ahead(serving: Loading[Any], text: str, how: Speaking) -> None:
    if serving.engine is not None:
        with serving.used() as tts:
            async for sentence in sayable(only(text), how.language):
                await tts.make_ahead(sentence, how)


def log_turn(event: Event) -> None:
    """What the box was asked for, without a word of what was said."""
    match event:
        case Woke(word=word):
            log.info("Heard %s", word)
        case ReplyEnded(outcome=outcome, apart=False):
            ms = max(outcome.stages_ms.values(), default=0.0)
            who, how = outcome.tier or "nobody", outcome.status
            log.info("Answered by %s in %.0f ms: %s, left %s", who, ms, how, outcome.left.value)


@asynccontextmanager
async def open_box(
    config: Config,
    demo: bool = False,
    most_timers: int = MOST,
    ports: Collection[Port] = PORTS,
    measure: Measure = measured,
) -> AsyncIterator[Box]:
    """Opens the engines of these ports and the house. An engine that fails is left out and named in `state`;
    one that runs a model is loaded and timed, by `measure`, while the box works.

    `demo`: with the demonstration house, unless there are devices of its own. Raises
    ConfigError where the configuration contradicts itself. Leaving the block closes all.
    """
    hub, states, sources = Hub(), dict[str, State](), list[Source]()
    health = Health(hub.publish)
    timers = Timers(lambda timer: box.loudspeaker.ring(timer), most_timers)
    servers = ToolServers(health)
    is_open = asyncio.Event()

    async def when_idle(work: Callable[[], Coroutine[Any, Any, float]]) -> float:
        await is_open.wait()
        return await lease.undisturbing(work)

    timings = await asyncio.to_thread(timings_of, config)
    async with Scope() as scope:
        means = Means(Workshop(scope), health, Trials(timings, measure, when_idle))

        async def build(config: Config) -> Parts:
            home, found = furnished(config.home, sources)
            is_demo = demo and not home.devices
            if is_demo:
                home = demo_house(config.language)
            house = House(home, VirtualDevices(), hub.publish, is_demo, states, found=found)
            parts = await assemble(config, house, timers, servers, means, ports)
            servers.use(config.tools, config.reach)
            return parts

        parts = await build(config)
        lease = Lease(parts.engines)
        box = Box(parts, lease, hub, health, build, sources)
        is_open.set()
        async with servers, aclosing(lease), timers:
            yield box
