"""What a configuration is made into: the house's sentences, and the engines that could be opened."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from airos_edge.config import Config
from airos_edge.engines import choosing, llm, opening, registry
from airos_edge.engines.choosing import Choice
from airos_edge.engines.sayable import sayable
from airos_edge.engines.settings import refuse_without_consent
from airos_edge.engines.wanted import WakeWords
from airos_edge.engines.word_engines import told
from airos_edge.errors import EngineError
from airos_edge.fluency import Fluency, fluencies, spoken_languages
from airos_edge.health import Health, State
from airos_edge.home.commands import HouseCommands
from airos_edge.home.house import House, VirtualDevices
from airos_edge.home.multilingual import Multilingual
from airos_edge.home.sentences import Sentences, compile_sentences
from airos_edge.home.timers import Timers
from airos_edge.home.tools import HouseTools
from airos_edge.http import settings as server
from airos_edge.http import tls
from airos_edge.languages.phrases import phrases
from airos_edge.models.stored import StoredModel
from airos_edge.opened import (
    Means,
    Opened,
    chosen,
    models_on_box,
    open_engines,
    timings_of,
    wanted_tts,
    wanted_wake,
)
from airos_edge.router import assistant, router
from airos_edge.router.approval import Approving
from airos_edge.router.breaker import Breaker
from airos_edge.router.commands import Commands
from airos_edge.router.tiers import Tier
from airos_edge.tools.servers import ToolServers
from airos_edge.tools.settings import refuse_unclear
from airos_edge.tools.tools import Tools
from airos_edge.voice.ports import Engines, Place, Vad
from airos_edge.workshop import Workshop
from airos_edge.wyoming import settings as wyoming

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What one configuration is made into."""

    config: Config
    house: House
    commands: Multilingual
    engines: Engines
    tools: Tools
    opened: Opened
    fluencies: tuple[Fluency, ...]
    """Of the box's language, then of the others that are spoken."""
    models: Mapping[str, Tier]
    """Those of `llm` that could be opened."""

    @property
    def open_vad(self) -> Callable[[], Vad] | None:
        return self.opened.open_vad

    @property
    def open_wake(self) -> WakeWords | None:
        return self.opened.open_wake

    @property
    def choices(self) -> tuple[Choice, ...]:
        return self.opened.choices

    @property
    def faults(self) -> Mapping[str, str]:
        """Of each port without an engine, why; and of each wake word that is not heard, as "wake hey_mum"."""
        return self.opened.faults


def rehearse(config: Config, has_keys: bool = False) -> list[Choice]:
    """What a start would find, as far as that is quickly said: the engines, or why there is none.

    `has_keys`: those of `airos keys`. Raises ConfigError for what a start would refuse.
    """
    server.refuse_unknown(config.server)
    server.refuse_strangers(config.server, has_keys)
    tls.refuse_unusable(config.server.tls)
    refuse_contradictions(config)
    House(config.home, VirtualDevices(), publish=lambda event: None)
    stored = models_on_box(config)
    quick: dict[registry.Port, Callable[[Choice], object]] = {
        "wake": lambda choice: opening.open_wake(choice, wanted_wake(config, stored)),
        "tts": lambda choice: opening.open_tts(choice, wanted_tts(config, stored, choice)),
    }
    choices = chosen(config, stored, timings_of(config))
    return [_tried(choice, config.reach, quick.get(choice.port)) for choice in choices]


def _tried(
    choice: Choice,
    reach: Place,
    open_engine: Callable[[Choice], object] | None,
) -> Choice:
    try:
        choosing.refuse_beyond(choice, reach)
        is_quick = choice.engine is not None and opening.is_quick(choice)
        opened = open_engine(choice) if open_engine is not None and is_quick else None
    except EngineError as error:
        return Choice(choice.port, None, str(error))
    if isinstance(opened, WakeWords):
        others = (f"{word} by {by}" for word, by in opened.by.items() if by != choice.engine)
        said = [choice.why, *others, *([told(opened.unheard)] if opened.unheard else [])]
        return replace(choice, why="; ".join(said))
    return choice


def refuse_contradictions(config: Config) -> None:
    """Raises ConfigError for what no part could be made of."""
    spoken_languages(config)
    wyoming.refuse_unknown(config.wyoming)
    llm.refuse_impossible(config.llm)
    refuse_without_consent(config.tts)
    router.refuse_unknown(config.router, config.llm)
    refuse_unclear(config.tools)


async def assemble(
    config: Config,
    house: House,
    timers: Timers,
    servers: ToolServers,
    means: Means,
    ports: Collection[registry.Port] = registry.PORTS,
) -> Parts:
    """Raises ConfigError; an engine that cannot be opened is a fault, and the rest goes on. Of other
    `ports` than these none is opened. What runs a model is loaded on after this."""
    refuse_contradictions(config)
    language, workshop, health = config.language, means.workshop, means.health
    languages = spoken_languages(config)
    sentences: list[Sentences] = []
    for each in languages:
        compiled = partial(compile_sentences, house, each)
        sentences.append(await workshop.make(f"sentences {each}", house.settings, compiled))
    commands = Multilingual(
        [HouseCommands(each, house, timers, datetime.now) for each in sentences]
    )
    await asyncio.to_thread(commands.warm_up)
    stored = await asyncio.to_thread(models_on_box, config)
    opened = await open_engines(config, stored, sentences[0].grammar, means, ports)
    models = await _models(config, stored, workshop, health)
    workshop.forget_others()
    tools = Tools(HouseTools(house, timers, commands.call, datetime.now), servers)
    responder = router.Router(
        Commands(commands, language),
        models,
        config.router.tiers,
        assistant.instructions(config.assistant, config.name, language),
        tools,
        config.reach,
    )
    _begin(models, responder, workshop, health)
    approving = Approving(responder, tools, languages)
    engines = Engines(opened.asr, approving, opened.tts, tools.call, sayable, apology, house.names)
    fluent = await asyncio.to_thread(fluencies, config, opened.choices, stored)
    return Parts(config, house, commands, engines, tools, opened, fluent, models)


def apology(language: str) -> str:
    return phrases(language).apology


async def _models(
    config: Config, stored: Sequence[StoredModel], workshop: Workshop, health: Health
) -> Mapping[str, Tier]:
    """Each keeps its connections and its breaker while it is configured as it was."""
    tiers: dict[str, Tier] = {}
    for name, settings in config.llm.items():
        before = workshop.made(f"llm {name}")
        try:
            tiers[name] = await workshop.make(
                f"llm {name}",
                (settings, [model for model in stored if model.name == settings.model]),
                partial(_model, name, settings, stored, workshop, health),
            )
        except EngineError as error:
            why = str(error).removeprefix(f"{name}: ")
            log.warning("Going on without the model %s: %s", name, why)
            health.report(f"llm {name}", "failed", str(error))
        else:
            if llm.place(settings) > config.reach:
                health.forget(f"llm {name}")  # it is never asked, and `airos check` says so
            elif tiers[name] is not before:
                health.report(f"llm {name}", "starting", "it has not been asked yet")
    return tiers


def _model(
    name: str,
    settings: llm.LlmSettings,
    stored: Sequence[StoredModel],
    workshop: Workshop,
    health: Health,
) -> Tier:
    def report(name: str, state: State, why: str) -> None:
        _report(workshop, health, tier, state, why)

    tier: Tier = Tier(
        llm.open_llm(name, settings, stored),
        Breaker(name, report),
        settings.first_token_s,
        llm.ENGINES[settings.engine].is_model,
        settings.reads_tokens,
        settings.sees,
    )
    return tier


def _report(workshop: Workshop, health: Health, tier: Tier, state: State, why: str) -> None:
    if workshop.made(f"llm {tier.name}") is tier:  # one that was replaced may still be answering
        health.report(f"llm {tier.name}", state, why)


def _begin(
    models: Mapping[str, Tier], responder: router.Router, workshop: Workshop, health: Health
) -> None:
    """Those that have to be loaded are, beside all else."""
    for name, tier in models.items():
        begin = getattr(tier.responder, "begin", None)
        if begin is not None:
            report = partial(_report, workshop, health, tier)
            begin(report, partial(responder.usual_prompt, name))
