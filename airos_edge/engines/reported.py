"""An engine that runs elsewhere: whether it works is known by what comes of asking it."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

from airos_edge.errors import EngineError
from airos_edge.health import State
from airos_edge.voice.ports import Asr, Hints, Speaking, Speech, Transcript, Tts
from airos_edge.voice.utterance import Utterance

T = TypeVar("T")
Report = Callable[[State, str], None]


class ReportedAsr:
    def __init__(self, asr: Asr, report: Report) -> None:
        self.name, self.place = asr.name, asr.place
        self._asr = asr
        self._report = report

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        async with aclosing(_reported(self._asr.transcribe(heard, hints), self._report)) as parts:
            async for part in parts:
                yield part


class ReportedTts:
    def __init__(self, tts: Tts, report: Report) -> None:
        self.name, self.place = tts.name, tts.place
        self._tts = tts
        self._report = report

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        async with aclosing(_reported(self._tts.speak(text, how), self._report)) as parts:
            async for part in parts:
                yield part


async def _reported(parts: AsyncGenerator[T, None], report: Report) -> AsyncGenerator[T, None]:
    """It works when something comes; cancelled before that, nothing is known."""
    async with aclosing(parts):
        try:
            async for part in parts:
                report("ok", "")
                yield part
        except EngineError as error:
            report("failed", str(error))
            raise
