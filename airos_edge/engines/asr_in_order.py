"""A recogniser that is made of several: what fails makes way for the next, which hears the same recording."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from airos_edge.engines.in_order import InOrder, translated
from airos_edge.engines.loading import Loading
from airos_edge.errors import EngineError
from airos_edge.voice.ports import Asr, Hints, Transcript
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
                    async with aclosing(translated(asr.transcribe(heard, hints), part)) as parts:
                        async for transcript in parts:
                            self.note_worked(part)
                            yield replace(transcript, went=max(one.place for one in asked))
                            if transcript.final:
                                return
                raise EngineError(part.name, "ended without a final transcript")
            except EngineError as error:
                failure = error
                self.note_failed(part, error)
                log.warning("asr: %s", error)
        raise failure or self.unavailable()
