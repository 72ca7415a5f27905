"""Scripted engines: every port of the voice in the simplest way possible.

A script is a list of steps: a number waits so many milliseconds, a `Fault` happens, anything else
is yielded. Every fake counts what it opened and closed, so that tests can see that nothing is left.
"""

import asyncio
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from airos_edge.errors import AirosError, EngineError
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, level_dbfs, samples_of
from airos_edge.voice.ports import (
    Act,
    Call,
    Done,
    Engines,
    Hints,
    Place,
    Prompt,
    Speaking,
    Speech,
    Text,
    Transcript,
    WakeScore,
)
from airos_edge.voice.utterance import Judgement, Utterance
from airos_edge.voice.waking import Waking, WordSettings

WAKE_WORD = 24000
"""The sample value of the chunk in which `FakeWake` detects its word."""
SWALLOWS_S = 5.0
"""How long an engine that swallows its cancelling works on."""


# ---- faults -------------------------------------------------------------------------------------


class Fault(Enum):
    RAISE = "raises its own kind of error"
    CRASH = "raises what no engine may"
    STALL = "never says anything again"
    SWALLOW = "swallows its cancelling and works on for a while"
    FOREIGN_CANCEL = "dies of a CancelledError that nobody sent"


async def happen(fault: Fault, name: str) -> None:
    match fault:
        case Fault.RAISE:
            raise EngineError(name, "broke")
        case Fault.CRASH:
            raise ValueError("a mistake in the engine")
        case Fault.STALL:
            await asyncio.Event().wait()
        case Fault.FOREIGN_CANCEL:
            raise asyncio.CancelledError
        case Fault.SWALLOW:
            loop = asyncio.get_running_loop()
            end = loop.time() + SWALLOWS_S
            while loop.time() < end:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(end - loop.time())


class Counted:
    """How often something was opened and closed."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0

    @property
    def running(self) -> int:
        return self.opened - self.closed

    @contextmanager
    def _count(self) -> Iterator[None]:
        self.opened += 1
        try:
            yield
        finally:
            self.closed += 1


# ---- engines ------------------------------------------------------------------------------------


class FakeVad:
    """Whatever is not quiet is speech."""

    frame_ms = 32

    def __init__(self) -> None:
        self._pcm = b""

    def feed(self, chunk: AudioChunk) -> list[float]:
        self._pcm += chunk.pcm
        size = samples_of(self.frame_ms) * BYTES_PER_SAMPLE
        probabilities = []
        while len(self._pcm) >= size:
            frame, self._pcm = self._pcm[:size], self._pcm[size:]
            probabilities.append(1.0 if level_dbfs(frame) > -40 else 0.0)
        return probabilities


class FakeWake:
    """Scores each chunk: 0.9 for one as loud as the end of `wake_word`, 0 for any other."""

    def __init__(self, word: str = "hey_jarvis") -> None:
        self._word = word
        self._samples = 0

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        self._samples += chunk.samples
        loudest = int(chunk.as_floats().max() * 32768) if chunk.pcm else 0
        return [WakeScore(self._word, self._samples, 0.9 if loudest >= WAKE_WORD else 0.0)]


def fake_waking() -> Waking:
    return Waking(FakeWake(), {"hey_jarvis": WordSettings()})


@dataclass(frozen=True)
class At:
    """When so much of a recording was heard: a partial, or a fault."""

    ms: int
    text: str | Fault
    judgement: Judgement | None = None


@dataclass(frozen=True)
class Said:
    """One recording: its partials, and what is made of it `takes_ms` after its end."""

    final: str | Fault
    partials: Sequence[At] = ()
    takes_ms: int = 0
    alternatives: tuple[str, ...] = ()
    sure: bool = True
    language: str | None = None


class FakeAsr(Counted):
    """Understands the first recording as the first of its script, and so on; the last repeats.

    `hints` are those it was given, one for each recording.
    """

    name = "fake_asr"
    place = Place.LOCAL

    def __init__(self, *script: Said | str) -> None:
        super().__init__()
        self.hints: list[Hints] = []
        self._script = [said if isinstance(said, Said) else Said(said) for said in script]

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        said = self._script[min(self.opened, len(self._script) - 1)]
        self.hints.append(hints)
        with self._count():
            waiting, heard_ms = list(said.partials), 0.0
            async for chunk in heard:
                heard_ms += chunk.ms
                while waiting and heard_ms >= waiting[0].ms:
                    at = waiting.pop(0)
                    if isinstance(at.text, Fault):
                        await happen(at.text, self.name)
                    else:
                        yield Transcript(at.text, judgement=at.judgement, language=said.language)
            await asyncio.sleep(said.takes_ms / 1000)
            if isinstance(said.final, Fault):
                await happen(said.final, self.name)
            else:
                yield Transcript(
                    said.final,
                    final=True,
                    alternatives=said.alternatives,
                    sure=said.sure,
                    language=said.language,
                )


@dataclass(frozen=True)
class Do:
    """A step of a responder: a tool it calls itself."""

    call: Call


Step = int | Fault | Do | Text | Call | Done


def echo(prompt: Prompt) -> Iterable[Step]:
    return [Text(f"You said {prompt.question}."), Done("fake")]


class FakeResponder(Counted):
    """Plays the script that belongs to the prompt; `prompts` are those it was asked."""

    place = Place.LOCAL

    def __init__(
        self, script: Callable[[Prompt], Iterable[Step]] = echo, name: str = "fake_responder"
    ) -> None:
        super().__init__()
        self.name = name
        self.prompts: list[Prompt] = []
        self.results: list[str] = []
        self._script = script

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, None]:
        self.prompts.append(prompt)
        with self._count():
            for step in self._script(prompt):
                match step:
                    case int():
                        await asyncio.sleep(step / 1000)
                    case Fault():
                        await happen(step, self.name)
                    case Do():
                        self.results.append(await act(step.call))
                    case _:
                        yield step


class FakeTts(Counted):
    """Speech of so many milliseconds per character, a piece for each word; `fault` after some words."""

    place = Place.LOCAL

    def __init__(
        self,
        ms_per_character: int = 50,
        takes_ms: int = 0,
        fault: Fault | None = None,
        after_words: int = 0,
        name: str = "fake_tts",
    ) -> None:
        super().__init__()
        self.name = name
        self.sentences: list[str] = []
        self.asked: list[Speaking] = []
        self._ms_per_character = ms_per_character
        self._takes_ms = takes_ms
        self._fault = fault
        self._after_words = after_words

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        words = 0
        self.asked.append(how)
        with self._count():
            async for sentence in text:
                self.sentences.append(sentence)
                await asyncio.sleep(self._takes_ms / 1000)
                for word in re.findall(r"\s*\S+\s*", sentence):
                    if self._fault is not None and words == self._after_words:
                        await happen(self._fault, self.name)
                    words += 1
                    samples = samples_of(len(word) * self._ms_per_character)
                    yield Speech(AudioChunk(bytes(samples * BYTES_PER_SAMPLE)), word)


class FakeTools:
    """The house: `calls` are those that were made."""

    def __init__(self, result: str = "done", takes_ms: int = 0, fault: Fault | None = None) -> None:
        self.calls: list[Call] = []
        self._result = result
        self._takes_ms = takes_ms
        self._fault = fault

    async def __call__(self, call: Call) -> str:
        self.calls.append(call)
        await asyncio.sleep(self._takes_ms / 1000)
        if self._fault is not None:
            await happen(self._fault, call.name)
        return self._result


async def fake_sayable(text: AsyncIterable[str], language: str = "en") -> AsyncGenerator[str, None]:
    """Sentences of a dozen characters and more, each as soon as the space after it is there."""
    waiting = ""
    async for piece in text:
        waiting += piece
        while end := re.search(r"(?<=.{11})[.!?]+(?=\s)|\n+", waiting):
            yield waiting[: end.end()]
            waiting = waiting[end.end() :]
    if waiting.strip():
        yield waiting


def fake_engines(**parts: Any) -> Engines:
    """A set that echoes the question; `parts` are `asr`, `responder`, `tts`, `tools`, `sayable`."""
    usual = {
        "asr": FakeAsr("hello"),
        "responder": FakeResponder(),
        "tts": FakeTts(),
        "tools": FakeTools(),
        "sayable": fake_sayable,
    }
    return Engines(**{**usual, **parts})


class FakeLease(Counted):
    """Lends the engines it has at that moment, or fails with `error`."""

    def __init__(self, engines: Engines) -> None:
        super().__init__()
        self.engines = engines
        self.error: AirosError | None = None

    @asynccontextmanager
    async def borrow(self, reach: Place) -> AsyncIterator[Engines]:
        if self.error is not None:
            raise self.error
        with self._count():
            yield self.engines
