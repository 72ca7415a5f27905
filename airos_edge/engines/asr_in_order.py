"""A recogniser that is made of several: what fails makes way for the next, which hears the same recording."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from airos_edge.engines.in_order import InOrder
from airos_edge.engines.loading import Loading
from airos_edge.errors import EngineError
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Utterance

log = logging.getLogger(__name__)


class AsrInOrder(InOrder[Asr]):
    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """As the first that works makes it. One that fails before its final makes way for the next, which
        hears the recording from its start. Raises what the last of them raised."""
        asked: list[Loading[Asr]] = []
        failure: EngineError | None = None
        while (part := await self.next(asked)) is not None:
            asked.append(part)
            try:
                with part.used() as asr:
                    made = asr.transcribe(heard, hints)
                    async with self.asked(part, made, _since_end_of(heard)) as parts:
                        async for transcript in parts:
                            self.note_worked(part)
                            yield replace(transcript, went=_went(asked, transcript))
                            if transcript.final:
                                return
                raise EngineError(part.name, "ended without a final transcript")
            except EngineError as error:
                failure = error
                self.note_failed(part, error)
                log.warning("asr: %s", error)
        raise failure or self.unavailable()


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
