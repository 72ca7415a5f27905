"""The engines of a configuration: opened all at once, and those that run models while the box works already.

From the configuration to an engine that serves:

    registry  which there are ─► choosing  the wanted or the best, and who stands in ─► here
    here      for each port: quick engines are opened now, each of the others is a `Loading`
    loading   opens one in a thread of its own, and times it once; `opening` is how, with a value of `wanted`
    in_order  a port's engines as one: the first that is there and works serves, the next stands in
    lease     lends what serves to a turn, which keeps it

`workshop` keeps what a reload does not change.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from airos_edge.config import Config
from airos_edge.engines import choosing, opening, registry
from airos_edge.engines.asr_in_order import AsrInOrder
from airos_edge.engines.choosing import Choice
from airos_edge.engines.in_order import InOrder
from airos_edge.engines.kept import kept
from airos_edge.engines.loading import Loading
from airos_edge.engines.registry import Port
from airos_edge.engines.timing import Machine, Timing, Timings, Trials
from airos_edge.engines.tts_in_order import TtsInOrder
from airos_edge.engines.wanted import WakeWords, WantedAsr, WantedTts, WantedVad, WantedWake
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.fluency import spoken_languages
from airos_edge.health import Health, State
from airos_edge.models.stored import StoredModel, stored_models
from airos_edge.paths import daemons_state_directory, state_directory
from airos_edge.voice.flow import Scope
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.ports import Vad
from airos_edge.workshop import Workshop

log = logging.getLogger(__name__)

T = TypeVar("T")
O = TypeVar("O", bound=InOrder[Any])  # noqa: E741 - an order


@dataclass(slots=True)
class Opened:
    """`faults` says of each port that has no engine why, and of each wake word that is not heard."""

    choices: tuple[Choice, ...]
    faults: dict[str, str] = field(default_factory=dict)
    asr: AsrInOrder | None = None
    tts: TtsInOrder | None = None
    open_vad: Callable[[], Vad] | None = None
    open_wake: WakeWords | None = None

    def in_order(self, port: Port) -> InOrder[Any] | None:
        """Those of a port that may be several; None: it is not such a port, or has none."""
        return {"asr": self.asr, "tts": self.tts}.get(port)

    async def settled(self) -> None:
        """Waits until nothing is being loaded any more."""
        for order in (self.asr, self.tts):
            if order is not None:
                await order.settled()


@dataclass(frozen=True, slots=True)
class Means:
    """What opening needs besides the configuration. They outlive it."""

    workshop: Workshop
    health: Health
    trials: Trials


def chosen(config: Config, stored: Sequence[StoredModel], timings: Timings) -> list[Choice]:
    def too_slow(choice: Choice) -> str:
        return timings.too_slow(choice, precision(config, choice.port))

    def timed(choice: Choice) -> Choice:
        told = timings.told(choice, precision(config, choice.port))
        return replace(choice, why=f"{choice.why}; {told}") if told else choice

    choices = choosing.choose_all(config, stored, too_slow)
    within = (choosing.within_reach(choice, config.reach) for choice in choices)
    return [timed(choosing.with_grammar(choice, config)) for choice in within]


def precision(config: Config, port: Port) -> str:
    """Where and how exactly models of the port are to compute: what is timed holds for that only."""
    if port == "asr":
        return f"{config.asr.device} {config.asr.compute_type}"
    return config.tts.device if port == "tts" else ""


def timings_of(config: Config) -> Timings:
    """Those of the daemon of this box."""
    directory = daemons_state_directory(config.state.directory)
    return Timings(directory / "timings.json", Machine.this())


def timing_of(config: Config, timings: Timings, model: StoredModel) -> Timing | None:
    """That of a model on this box, computed as is configured; None: it was not timed."""
    if model.task not in ("asr", "tts"):
        return None
    port: Port = "asr" if model.task == "asr" else "tts"
    if registry.find(port, model.engine) is None:
        return None
    choice = Choice(port, model.engine, "", model=model)
    return timings.of(choice, precision(config, port))


def factors(config: Config) -> Callable[[StoredModel], float | None]:
    """Gives the seconds of computing for a second of sound, of each model that was timed."""
    timings = timings_of(config)

    def factor(model: StoredModel) -> float | None:
        timing = timing_of(config, timings, model)
        return timing.factor if timing else None

    return factor


async def open_engines(
    config: Config,
    stored: Sequence[StoredModel],
    grammar: Grammar,
    means: Means,
    ports: Collection[Port] = registry.PORTS,
) -> Opened:
    """Waits for what is there at once only. An engine that cannot be opened is a fault, and the rest goes on.
    Of other `ports` than these none is opened."""
    choices = chosen(config, stored, means.trials.timings)
    wake, vad, asr, tts = choices
    opened = Opened(tuple(choices))

    async def streams(choice: Choice, wanted: T, open_engine: Callable[[Choice, T], Any]) -> Any:
        _refuse(choice, config)
        work = partial(open_engine, choice, wanted)
        return await means.workshop.make(choice.port, (choice, wanted), work)

    async def unless_it_fails(port: Port, work: Coroutine[Any, Any, T]) -> T | None:
        try:
            return await work
        except EngineError as error:
            opened.faults[port] = str(error)
            means.health.forget(port)
            why = str(error).removeprefix(f"{port}: ")
            log.warning("Going on without %s: %s", port, why)
            return None

    heard = partial(wanted_asr, config, grammar)
    ears = partial(AsrInOrder, grammar=config.asr.grammar)
    spoken, voice = (
        partial(wanted_tts, config, stored),
        partial(_open_tts, tts, speech_directory(config)),
    )
    works: dict[Port, Callable[[], Coroutine[Any, Any, Any]]] = {
        "wake": lambda: streams(wake, wanted_wake(config, stored), opening.open_wake),
        "vad": lambda: streams(vad, WantedVad(), opening.open_vad),
        "asr": lambda: _in_order(ears, asr, heard, opening.open_asr, config, means),
        "tts": lambda: _in_order(TtsInOrder, tts, spoken, voice, config, means),
    }
    made: dict[Port, asyncio.Task[Any]] = {}
    async with Scope() as scope:
        for port, work in works.items():
            if port in ports:
                made[port] = scope.start(unless_it_fails(port, work()), f"opening {port}")
            else:
                opened.faults[port] = "is not wanted here"
        for task in made.values():
            await task
    opened.open_wake, opened.open_vad, opened.asr, opened.tts = (
        made[port].result() if port in made else None for port in registry.PORTS
    )
    if opened.open_wake is not None:
        _tell_words(opened.open_wake, wake.engine, opened.faults)
    return opened


def _tell_words(words: WakeWords, engine: str | None, faults: dict[str, str]) -> None:
    """Those that another engine hears than the chosen one, and those that none does."""
    for word, by in words.by.items():
        if by != engine:
            log.info("wake word %s: %s", word, by)
    for word, why in words.unheard.items():
        faults[f"wake {word}"] = why
        log.warning("Going on without the wake word %s: %s", word, why)


def _refuse(choice: Choice, config: Config) -> None:
    """Raises EngineUnavailable where there is none, ReachError where it is too far away."""
    if choice.engine is None:
        raise EngineUnavailable(choice.port, choice.why)
    choosing.refuse_beyond(choice, config.reach)


async def _in_order(
    order_of: Callable[[Sequence[Loading[Any]], Callable[[State, str], None]], O],
    choice: Choice,
    wanted: Callable[[Choice], Any],
    open_engine: Callable[[Choice, Any], Any],
    config: Config,
    means: Means,
) -> O:
    """What is there at once is opened, the rest is begun. Raises EngineError where none can be had."""
    port, workshop = choice.port, means.workshop
    _refuse(choice, config)
    trial = partial(means.trials.trial, config.language, precision(config, port))

    def part_of(one: Choice) -> Loading[Any]:
        told = wanted(one)
        name = f"{port} {choosing.named(one)}"
        before = workshop.made(name)
        if isinstance(before, Loading) and before.has_failed:
            workshop.forget(name)
        made_of = (one.engine, one.model, one.place, told)
        make = partial(Loading, one, partial(open_engine, one, told), trial)
        return workshop.make_now(name, made_of, make)

    def report(state: State, why: str) -> None:
        if workshop.made(port) is order:  # one that was replaced may still be answering
            means.health.report(port, state, why)

    parts = [part_of(one) for one in (choice, *choice.others)]
    order = workshop.make_now(port, tuple(parts), lambda: order_of(parts, report))
    await order.open_quick([part for part in parts if opening.is_quick(part.choice)])
    order.begin(workshop.scope)
    if order.is_lost:
        raise order.unavailable()
    return order


def _open_tts(first: Choice, directory: Path, choice: Choice, wanted: WantedTts) -> Any:
    """The voice that is wanted by name may be one of the first engine's, for which this one stands in."""
    try:
        return kept(opening.open_tts(choice, wanted), choice, wanted, directory)
    except EngineUnavailable:
        if wanted.settings.voice is None or choice.engine == first.engine:
            raise
    any_voice = replace(wanted, settings=replace(wanted.settings, voice=None))
    return kept(opening.open_tts(choice, any_voice), choice, any_voice, directory)


# ---- what each is told ----------------------------------------------------------------------------


def wanted_asr(config: Config, grammar: Grammar, choice: Choice) -> WantedAsr:
    languages = spoken_languages(config) if config.languages else ()
    wanted = WantedAsr(config.asr, config.language, languages)
    if choice.model is not None:
        return wanted
    return replace(wanted, grammar=grammar, wake_words=tuple(config.wake.words))


def wanted_tts(config: Config, stored: Sequence[StoredModel], choice: Choice) -> WantedTts:
    mine = [model for model in stored if (model.task, model.engine) == ("tts", choice.engine)]
    best_first = sorted(mine, key=lambda model: model.quality, reverse=True)
    return WantedTts(config.tts, config.language, models=tuple(best_first))


def wanted_wake(config: Config, stored: Sequence[StoredModel]) -> WantedWake:
    models = tuple(model for model in stored if model.task == "wake")
    return WantedWake(config.wake.words, models)


def models_directory(config: Config) -> Path:
    """Where the daemon finds its models, and the commands put them."""
    return config.models.directory_in(daemons_state_directory(config.state.directory))


def speech_directory(config: Config) -> Path:
    """Where what was said is kept."""
    return state_directory(config.state.directory) / "speech"


def models_on_box(config: Config) -> list[StoredModel]:
    return stored_models(models_directory(config))
