"""Engines that take as long to open as a test wants, and are timed as it says."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from airos_edge.engines.asr_in_order import AsrInOrder
from airos_edge.engines.choosing import Choice
from airos_edge.engines.loading import Loaded, Loading, Trial, untried
from airos_edge.engines.tts_in_order import TtsInOrder
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.health import State
from airos_edge.models.stored import StoredModel
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Hints, Place, Speaking
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from tests.fakes import FakeAsr, FakeTts
from tests.speech import noise, pieces

LIMIT_S = 10.0


class Opener:
    """Opens an engine once it is let, in the thread that asks for it. `engine` may be an error."""

    def __init__(self, engine: Any, is_let: bool = False) -> None:
        self.engine = engine
        self.times = 0
        self._let = threading.Event()
        if is_let:
            self._let.set()

    def let(self) -> None:
        self._let.set()

    def __call__(self) -> Any:
        self.times += 1
        assert self._let.wait(LIMIT_S), "nobody let it open"
        if isinstance(self.engine, Exception):
            raise self.engine
        return self.engine


class Closing:
    """An engine that counts how often it was closed."""

    closed_times = 0

    async def aclose(self) -> None:
        self.closed_times += 1


class ClosingAsr(FakeAsr, Closing):
    def __init__(self, *script: Any, name: str = "owl", runs_on: str = "cpu, int8") -> None:
        super().__init__(*script)
        self.name = name
        self.runs_on = runs_on


class ClosingTts(FakeTts, Closing):
    pass


def model(name: str, quality: int = 1, engine: str = "owl", task: Any = "asr") -> StoredModel:
    return StoredModel(name, task, engine, Path("/models") / name, quality=quality)


def of_model(
    name: str, opener: Opener, trial: Trial = untried, port: Any = "asr", is_tried: bool = False
) -> Loading[Any]:
    choice = Choice(port, "owl", "", model=model(name, task=port), is_tried=is_tried)
    return Loading(choice, opener, trial)


def of_package(engine: Any, name: str = "", place: Place = Place.LOCAL) -> Loading[Any]:
    """One that is there at once, or with a URI, elsewhere."""
    port = "tts" if isinstance(engine, FakeTts) else "asr"
    choice = Choice(port, name or engine.name, "", place)  # type: ignore[arg-type]
    return Loading(choice, Opener(engine, is_let=True))


class Trials:
    """What each model lacks by its name; `tried` are those that were timed."""

    def __init__(self, **lacks: str | EngineError) -> None:
        self.tried: list[str] = []
        self._lacks = lacks

    async def __call__(self, choice: Choice, engine: Any, loaded: Loaded) -> str:
        assert choice.model is not None
        self.tried.append(choice.model.name)
        lacking = self._lacks.get(choice.model.name, "")
        if isinstance(lacking, EngineError):
            raise lacking
        return lacking


class Reports(list[tuple[State, str]]):
    def __call__(self, state: State, why: str) -> None:
        if not self or self[-1] != (state, why):
            self.append((state, why))


def broken(why: str = "is broken") -> EngineUnavailable:
    return EngineUnavailable("owl", why)


async def until(is_so: Callable[[], bool], every_s: float = 0) -> None:
    for _ in range(100_000):
        if is_so():
            return
        await asyncio.sleep(every_s)
    raise AssertionError("it never was so")


def recorded(ms: int = 500) -> Utterance:
    """A recording that has ended."""
    heard = Utterance("item", "push", 0)
    for piece in pieces(noise(ms)):
        heard.write(piece)
    heard.end(Ended(EndReason.COMMIT, ms))
    return heard


AWAY = "tcp://192.0.2.1:10300"
"""Where an engine elsewhere would be."""


@asynccontextmanager
async def begun(order: Any) -> AsyncIterator[Scope]:
    """What is there at once is, and the rest is being loaded."""
    async with Scope() as scope:
        await order.open_quick([part for part in order.parts if part.choice.model is None])
        order.begin(scope)
        yield scope


async def heard_by(order: AsrInOrder) -> str:
    async with aclosing(order.transcribe(recorded(), Hints())) as transcripts:
        return [one async for one in transcripts][-1].text


async def said_by(order: TtsInOrder, *sentences: str, how: Speaking | None = None) -> str:
    async def script() -> AsyncIterator[str]:
        for sentence in sentences:
            yield sentence

    async with aclosing(order.speak(script(), how or Speaking())) as pieces:
        return "".join([piece.text async for piece in pieces])
