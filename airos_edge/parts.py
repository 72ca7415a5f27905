"""What a configuration is made into: the house's sentences, and the engines that could be opened."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from airos_edge.config import Config
from airos_edge.engines import registry
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.home.commands import HouseCommands
from airos_edge.home.house import House, VirtualDevices
from airos_edge.home.sentences import compile_sentences, refuse_unknown
from airos_edge.home.timers import Timers
from airos_edge.home.tools import HouseTools
from airos_edge.http.settings import refuse_strangers
from airos_edge.router.approval import Approving
from airos_edge.router.commands import Commands
from airos_edge.router.tool_servers import ToolServers
from airos_edge.router.tool_settings import refuse_unclear
from airos_edge.router.tools import Tools
from airos_edge.voice.ports import Engines, Vad, Wake

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What one configuration is made into. `faults` says of each part that is missing why."""

    config: Config
    house: House
    commands: HouseCommands
    engines: Engines
    open_vad: Callable[[], Vad] | None
    open_wake: Callable[[], Wake] | None
    choices: tuple[registry.Choice, ...]
    faults: Mapping[str, str]


def rehearse(config: Config) -> list[registry.Choice]:
    """What a start would find, as far as that is quickly said: the engines, or why there is none.

    Raises ConfigError for what a start would refuse.
    """
    refuse_strangers(config.server)
    refuse_unknown(config.language)
    refuse_unclear(config.tools)
    House(config.home, VirtualDevices(), publish=lambda event: None)
    quick: dict[registry.Port, Callable[[registry.Choice], object]] = {
        "wake": lambda choice: registry.open_wake(choice, config.wake),
        "tts": lambda choice: registry.open_tts(choice, config.tts),
    }
    return [_tried(choice, quick.get(choice.port)) for choice in registry.choose_all(config)]


def _tried(
    choice: registry.Choice, open_engine: Callable[[registry.Choice], object] | None
) -> registry.Choice:
    try:
        if choice.engine is not None and open_engine is not None:
            open_engine(choice)
    except EngineError as error:
        return registry.Choice(choice.port, None, str(error))
    return choice


class Workshop:
    """Makes parts, in threads. A part is made anew when what it is made of has changed, else kept."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[object, Any]] = {}

    async def make(self, name: str, made_of: object, make: Callable[[], T]) -> T:
        """Raises what `make` raises; it is then called again the next time."""
        before = self._made.get(name)
        if before is not None and before[0] == made_of:
            kept: T = before[1]
            return kept
        self._made.pop(name, None)  # if this one fails, the one before may be closed by then
        made = await asyncio.to_thread(make)
        self._made[name] = (made_of, made)
        return made


async def assemble(
    config: Config, house: House, timers: Timers, servers: ToolServers, workshop: Workshop
) -> Parts:
    """Raises ConfigError; an engine that cannot be opened is a fault, and the rest goes on."""
    language = config.language
    refuse_unclear(config.tools)
    sentences = await workshop.make(
        "sentences", (house.settings, language), lambda: compile_sentences(house, language)
    )
    commands = HouseCommands(sentences, house, timers, datetime.now)
    await asyncio.to_thread(commands.warm_up)
    choices = {choice.port: choice for choice in registry.choose_all(config)}
    faults: dict[str, str] = {}

    async def opened(
        port: registry.Port, made_of: object, open_engine: Callable[[registry.Choice], T]
    ) -> T | None:
        choice = choices[port]
        try:
            if choice.engine is None:
                raise EngineUnavailable(port, choice.why)
            return await workshop.make(port, (choice, made_of), lambda: open_engine(choice))
        except EngineError as error:
            faults[port] = str(error)
            log.warning("Going on without %s: %s", port, error)
            return None

    tts = await opened("tts", config.tts, lambda choice: registry.open_tts(choice, config.tts))
    grammar, wake_words = sentences.grammar, tuple(config.wake.words)
    asr = await opened(
        "asr",
        (config.asr, grammar, wake_words),
        lambda choice: registry.open_asr(choice, config.asr, grammar, wake_words),
    )
    vad = await opened("vad", None, registry.open_vad)
    wake = await opened("wake", config.wake, lambda choice: registry.open_wake(choice, config.wake))
    tools = Tools(HouseTools(house, timers, commands.call, datetime.now), servers)
    engines = Engines(asr, Approving(Commands(commands), tools), tts, tools.call)
    return Parts(config, house, commands, engines, vad, wake, tuple(choices.values()), faults)
