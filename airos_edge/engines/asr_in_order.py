"""A recogniser that is made of several: what fails makes way for the next, which hears the same recording."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import replace
from functools import partial

from airos_edge.engines.beside import PATIENCE_S, beside, is_its_language
from airos_edge.engines.in_order import InOrder, Report
from airos_edge.engines.loading import Loading
from airos_edge.engines.registry import GRAMMAR
from airos_edge.errors import EngineError
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Utterance

log = logging.getLogger(__name__)


class AsrInOrder(InOrder[Asr]):
    def __init__(
        self, parts: Sequence[Loading[Asr]], report: Report, grammar: bool = False
    ) -> None:
        """`grammar`: that of the commands, which is one of the parts, hears beside the others too."""
        super().__init__(parts, report)
        self._grammar = next((part for part in parts if grammar and part.name == GRAMMAR), None)
        if self._grammar is not None and len(parts) == 2:  # who stands in hears commands only
            self.answers_s = PATIENCE_S

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """As the first that works makes it. One that fails before its final makes way for the next, which
        hears the recording from its start. Raises what the last of them raised."""
        asked: list[Loading[Asr]] = []
        failure: EngineError | None = None
        while (part := await self.next(asked)) is not None:
            asked.append(part)
            try:
                with ExitStack() as using:
                    made = self._heard_by(part, asked, using, heard, hints)
                    async with self.asked(part, made, _since_end_of(heard)) as parts:
                        async for transcript in parts:
                            yield replace(transcript, went=_went(asked, transcript))
                            if transcript.final:
                                return
                raise EngineError(part.name, "ended without a final transcript")
            except EngineError as error:
                failure = error
                self.note_failed(part, error)
                log.warning("asr: %s", error)
        raise failure or self.unavailable()

    def _heard_by(
        self,
        part: Loading[Asr],
        asked: Collection[Loading[Asr]],
        using: ExitStack,
        heard: Utterance,
        hints: Hints,
    ) -> AsyncGenerator[Transcript, None]:
        """With the grammar beside it, unless that was asked by itself before."""
        asr, worked = using.enter_context(part.used()), partial(self.note_worked, part)
        grammar = self._grammar
        is_there = grammar is not None and grammar.engine is not None and grammar not in asked
        if grammar is None or not is_there or not is_its_language(hints.language):
            return _noting(asr.transcribe(heard, hints), worked)
        return beside(using.enter_context(grammar.used()), asr, heard, hints, worked)


async def _noting(
    transcripts: AsyncGenerator[Transcript, None], worked: Callable[[], None]
) -> AsyncGenerator[Transcript, None]:
    async with aclosing(transcripts):
        async for transcript in transcripts:
            worked()
            yield transcript


def _went(asked: Sequence[Loading[Asr]], transcript: Transcript) -> Place:
    """How far the recording has gone: to those who failed, and to the last as far as that says."""
    *failed, last = asked
    there = last.place if transcript.went is None else transcript.went
    return max(there, *(one.place for one in failed)) if failed else there


def _since_end_of(heard: Utterance) -> Callable[[], float | None]:
    """The loop time at which it was first seen to have ended; None: it has not."""
    seen: list[float] = []

    def since() -> float | None:
        if heard.outcome is not None and not seen:
            seen.append(asyncio.get_running_loop().time())
        return seen[0] if seen else None

    since()
    return since
