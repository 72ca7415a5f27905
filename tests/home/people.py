"""Who lives in a house: they ask, and hear an answer. The real house, sentences and commands, no sound."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, Self

from airos_edge.errors import EngineError
from airos_edge.home.commands import HouseCommands
from airos_edge.home.house import (
    AreaSettings,
    DeviceSettings,
    House,
    Settings,
    State,
    VirtualDevices,
)
from airos_edge.home.multilingual import Multilingual
from airos_edge.home.sentences import Sentences, compile_sentences
from airos_edge.home.timers import Timer, Timers
from airos_edge.router.commands import Commands
from airos_edge.voice.events import Event
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Done, Place, Prompt, Text

NOW = datetime(2026, 11, 27, 15, 5)
"""A Friday."""
HOUSE = Settings(
    (AreaSettings("kitchen"), AreaSettings("living room", ("lounge",)), AreaSettings("cellar")),
    (
        DeviceSettings("kitchen light", "light", "kitchen", ("cooking light",)),
        DeviceSettings("coffee machine", "switch", "kitchen"),
        DeviceSettings("floor lamp", "light", "living room"),
        DeviceSettings("ceiling light", "light", "living room"),
        DeviceSettings("old fan", "fan", "living room"),
    ),
)


def lights(*names: str) -> Settings:
    return Settings(devices=tuple(DeviceSettings(name) for name in names))


class SomeDead(VirtualDevices):
    """Devices of which some cannot be reached."""

    def __init__(self, *dead: str) -> None:
        self.dead = set(dead)

    async def call(
        self, device: DeviceSettings, before: State, service: str, data: Mapping[str, Any]
    ) -> State:
        if device.name in self.dead:
            raise EngineError("virtual", f"{device.name} does not answer")
        return await super().call(device, before, service, data)


@cache
def sentences(settings: Settings, language: str = "en") -> Sentences:
    return compile_sentences(House(settings, VirtualDevices(), lambda event: None), language)


class People:
    """Use it as a context manager. `happened` are the events of the house, `rung` the timers that did."""

    def __init__(
        self,
        settings: Settings = HOUSE,
        devices: VirtualDevices | None = None,
        is_demo: bool = False,
        language: str | tuple[str, ...] = "en",
        now: datetime = NOW,
    ) -> None:
        self.happened: list[Event] = []
        self.rung: list[Timer] = []
        self.house = House(settings, devices or VirtualDevices(), self.happened.append, is_demo)
        self.timers = Timers(self._ring)
        self.languages = (language,) if isinstance(language, str) else language
        self.commands = Multilingual(
            [
                HouseCommands(sentences(settings, each), self.house, self.timers, lambda: now)
                for each in self.languages
            ]
        )

    async def __aenter__(self) -> Self:
        await self.timers.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.timers.__aexit__(kind, error, trace)

    async def _ring(self, timer: Timer) -> None:
        self.rung.append(timer)

    async def ask(self, text: str, place: str | None = None) -> str:
        return (await self.reply(text, place))[0]

    async def reply(self, text: str, place: str | None = None) -> tuple[str, Done]:
        return await self.answer(Item("item_1", role="user", text=text), place=place)

    async def answer(self, *items: Item, place: str | None = None) -> tuple[str, Done]:
        """The reply to a conversation."""
        prompt = Prompt(items=items, place=place)
        commands = Commands(self.commands, self.languages[0])
        parts = [part async for part in commands.reply(prompt, Acting(self))]
        done = parts[-1]
        assert isinstance(done, Done)
        return "".join(part.text for part in parts if isinstance(part, Text)), done

    def on(self) -> Iterable[str]:
        return [name for name, state in self.house.states.items() if state.is_on]


class Acting:
    """`Act` of a turn that is committed."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def __call__(self, call: Any) -> str:
        return await self._people.commands.call(call)

    async def committed(self) -> None:
        return

    def goes(self, place: Place) -> None:
        assert place is Place.LOCAL
