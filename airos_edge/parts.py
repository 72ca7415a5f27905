"""What a configuration is made into: the house's sentences, and the engines that could be opened."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from airos_edge.config import Config
from airos_edge.engines import choosing, llm, opening, registry
from airos_edge.engines.choosing import Choice, is_uri
from airos_edge.engines.reported import ReportedAsr, ReportedTts
from airos_edge.engines.sayable import sayable
from airos_edge.engines.wake_words import told
from airos_edge.engines.wanted import WakeWords, WantedAsr, WantedTts, WantedVad, WantedWake
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.health import Health, State
from airos_edge.home.commands import HouseCommands
from airos_edge.home.house import AreaSettings, DeviceSettings, House, VirtualDevices
from airos_edge.home.sentences import compile_sentences, refuse_unknown
from airos_edge.home.timers import Timers
from airos_edge.home.tools import HouseTools
from airos_edge.http import settings as server
from airos_edge.http import tls
from airos_edge.models.stored import StoredModel, stored_models
from airos_edge.paths import daemons_state_directory
from airos_edge.router import assistant, router
from airos_edge.router.approval import Approving
from airos_edge.router.breaker import Breaker
from airos_edge.router.commands import Commands
from airos_edge.router.tiers import Tier
from airos_edge.tools.servers import ToolServers
from airos_edge.tools.settings import refuse_unclear
from airos_edge.tools.tools import Tools
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.ports import Asr, Engines, Place, Tts, Vad
from airos_edge.wyoming import settings as wyoming

log = logging.getLogger(__name__)

T = TypeVar("T")
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Parts:
    """What one configuration is made into. `faults` says of each part that is missing why, and of each wake
    word that is not heard, as "wake hey_mum"."""

    config: Config
    house: House
    commands: HouseCommands
    engines: Engines
    tools: Tools
    open_vad: Callable[[], Vad] | None
    open_wake: WakeWords | None
    choices: tuple[Choice, ...]
    faults: Mapping[str, str]


def rehearse(config: Config, has_keys: bool = False) -> list[Choice]:
    """What a start would find, as far as that is quickly said: the engines, or why there is none.

    `has_keys`: those of `airos keys`. Raises ConfigError for what a start would refuse.
    """
    server.refuse_unknown(config.server)
    server.refuse_strangers(config.server, has_keys)
    tls.refuse_unusable(config.server.tls)
    refuse_unknown(config.language)
    refuse_contradictions(config)
    House(config.home, VirtualDevices(), publish=lambda event: None)
    stored = models_on_box(config)
    quick: dict[registry.Port, Callable[[Choice], object]] = {
        "wake": lambda choice: opening.open_wake(choice, _wanted_wake(config, stored)),
        "tts": lambda choice: opening.open_tts(choice, _wanted_tts(choice, config, stored)),
    }
    choices = choosing.choose_all(config, stored)
    return [_tried(choice, config.reach, quick.get(choice.port)) for choice in choices]


def _tried(
    choice: Choice,
    reach: Place,
    open_engine: Callable[[Choice], object] | None,
) -> Choice:
    try:
        choosing.refuse_beyond(choice, reach)
        opened = open_engine(choice) if choice.engine is not None and open_engine else None
    except EngineError as error:
        return Choice(choice.port, None, str(error))
    if isinstance(opened, WakeWords):
        others = (f"{word} by {by}" for word, by in opened.by.items() if by != choice.engine)
        said = [choice.why, *others, *([told(opened.unheard)] if opened.unheard else [])]
        return replace(choice, why="; ".join(said))
    return choice


class Workshop:
    """Makes parts, in threads. A part is made anew when what it is made of has changed, or when it was
    not wanted the last time, else kept."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, Any]] = {}
        self._wanted: set[str] = set()

    def made(self, name: str) -> object:
        """The part of that name as it is now; None if there is none."""
        return self._made.get(name, (None, None))[1]

    async def make(self, name: str, made_of: object, make: Callable[[], T]) -> T:
        """Raises what `make` raises; it is then called again the next time."""
        self._wanted.add(name)
        before = self._made.get(name)
        if before is not None and before[0] == made_of:
            kept: T = before[1]
            return kept
        self._made.pop(name, None)  # if this one fails, the one before may be closed by then
        made = await asyncio.to_thread(make)
        self._made[name] = (made_of, made)
        return made

    def forget_others(self) -> None:
        """Of the parts that nobody has wanted since the last time: they are closed by who had them."""
        self._made = {name: made for name, made in self._made.items() if name in self._wanted}
        self._wanted.clear()


def refuse_contradictions(config: Config) -> None:
    """Raises ConfigError for what no part could be made of."""
    wyoming.refuse_unknown(config.wyoming)
    llm.refuse_impossible(config.llm)
    router.refuse_unknown(config.router, config.llm)
    refuse_unclear(config.tools)


async def assemble(
    config: Config,
    house: House,
    timers: Timers,
    servers: ToolServers,
    workshop: Workshop,
    health: Health,
    ports: Collection[registry.Port] = registry.PORTS,
) -> Parts:
    """Raises ConfigError; an engine that cannot be opened is a fault, and the rest goes on. Of other
    `ports` than these none is opened."""
    refuse_contradictions(config)
    language = config.language
    sentences = await workshop.make(
        "sentences", (house.settings, language), lambda: compile_sentences(house, language)
    )
    commands = HouseCommands(sentences, house, timers, datetime.now)
    await asyncio.to_thread(commands.warm_up)
    stored = await asyncio.to_thread(models_on_box, config)
    choices = {choice.port: choice for choice in choosing.choose_all(config, stored)}
    faults: dict[str, str] = {}

    async def opened(
        port: registry.Port, wanted: W, open_engine: Callable[[Choice, W], T]
    ) -> T | None:
        choice = choices[port]
        if port not in ports:
            faults[port] = "is not wanted here"
            return None
        try:
            if choice.engine is None:
                raise EngineUnavailable(port, choice.why)
            choosing.refuse_beyond(choice, config.reach)
            return await workshop.make(port, (choice, wanted), lambda: open_engine(choice, wanted))
        except EngineError as error:
            faults[port] = str(error)
            log.warning("Going on without %s: %s", port, error)
            return None

    tts = await opened("tts", _wanted_tts(choices["tts"], config, stored), partial(_tts, health))
    asr = await opened("asr", _wanted_asr(config, house, sentences.grammar), partial(_asr, health))
    vad = await opened("vad", WantedVad(), opening.open_vad)
    wake = await opened("wake", _wanted_wake(config, stored), opening.open_wake)
    for word, why in (wake.unheard if wake else {}).items():
        faults[f"wake {word}"] = why
        log.warning("Going on without the wake word %s: %s", word, why)
    models = await _models(config, workshop, health)
    workshop.forget_others()
    tools = Tools(HouseTools(house, timers, commands.call, datetime.now), servers)
    responder = router.Router(
        Commands(commands),
        models,
        config.router.tiers,
        assistant.instructions(config.assistant, config.name, language),
        tools,
        config.reach,
    )
    engines = Engines(asr, Approving(responder, tools), tts, tools.call, sayable)
    return Parts(
        config, house, commands, engines, tools, vad, wake, tuple(choices.values()), faults
    )


def _asr(health: Health, choice: Choice, wanted: WantedAsr) -> Asr:
    asr = opening.open_asr(choice, wanted)
    health.forget("asr")
    report = partial(health.report, "asr")
    return ReportedAsr(asr, report) if is_uri(asr.name) else asr


def _tts(health: Health, choice: Choice, wanted: WantedTts) -> Tts:
    tts = opening.open_tts(choice, wanted)
    health.forget("tts")
    report = partial(health.report, "tts")
    return ReportedTts(tts, report) if is_uri(tts.name) else tts


def _wanted_asr(config: Config, house: House, grammar: Grammar) -> WantedAsr:
    named: list[AreaSettings | DeviceSettings] = [*house.settings.areas, *house.settings.devices]
    names = dict.fromkeys(name for one in named for name in (one.name, *one.aliases))
    return WantedAsr(config.asr, config.language, grammar, tuple(config.wake.words), tuple(names))


def _wanted_tts(choice: Choice, config: Config, stored: Sequence[StoredModel]) -> WantedTts:
    mine = [model for model in stored if (model.task, model.engine) == ("tts", choice.engine)]
    best_first = sorted(mine, key=lambda model: model.quality, reverse=True)
    return WantedTts(config.tts, config.language, models=tuple(best_first))


def _wanted_wake(config: Config, stored: Sequence[StoredModel]) -> WantedWake:
    models = tuple(model for model in stored if model.task == "wake")
    return WantedWake(config.wake.words, models)


def models_directory(config: Config) -> Path:
    """Where the daemon finds its models, and the commands put them."""
    return config.models.directory_in(daemons_state_directory(config.state.directory))


def models_on_box(config: Config) -> list[StoredModel]:
    return stored_models(models_directory(config))


async def _models(config: Config, workshop: Workshop, health: Health) -> Mapping[str, Tier]:
    """Each keeps its connections and its breaker while it is configured as it was."""
    tiers: dict[str, Tier] = {}
    for name, settings in config.llm.items():
        before = workshop.made(f"llm {name}")
        try:
            tiers[name] = await workshop.make(
                f"llm {name}", settings, partial(_model, name, settings, workshop, health)
            )
        except EngineError as error:
            log.warning("Going on without the model %s: %s", name, error)
            health.report(f"llm {name}", "failed", str(error))
        else:
            if llm.place(settings) > config.reach:
                health.forget(f"llm {name}")  # it is never asked, and `airos check` says so
            elif tiers[name] is not before:
                health.report(f"llm {name}", "starting", "it has not been asked yet")
    return tiers


def _model(name: str, settings: llm.LlmSettings, workshop: Workshop, health: Health) -> Tier:
    def report(name: str, state: State, why: str) -> None:
        if workshop.made(f"llm {name}") is tier:  # one that was replaced may still be answering
            health.report(f"llm {name}", state, why)

    tier = Tier(
        llm.open_llm(name, settings),
        Breaker(name, report),
        settings.first_token_s,
        llm.ENGINES[settings.engine].is_model,
        settings.reads_tokens,
        settings.sees,
    )
    return tier
