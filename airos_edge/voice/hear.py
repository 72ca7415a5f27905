"""A recording to its words. It outlives barge-in: what someone said is never lost."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from airos_edge.errors import EngineError
from airos_edge.voice.events import TranscriptChanged
from airos_edge.voice.flow import Scope, chain
from airos_edge.voice.ports import Asr, Engines, Hints, Transcript
from airos_edge.voice.utterance import Utterance

RECOGNISE_LIMIT_S = 15.0
"""How long a recogniser may take for its final transcript once the recording has ended."""


async def hear(
    utterance: Utterance,
    engines: Engines,
    hints: Hints,
    tell: Callable[[TranscriptChanged], None],
) -> Transcript | None:
    """What was said: a final transcript, or None if the recording was no question.

    Tells each partial, and passes its judgement to the ear. Raises EngineError when the recogniser
    fails, is missing or does not finish. Cancelling ends the recogniser.
    """
    hints = replace(hints, names=engines.names)
    async with Scope() as scope:
        recognising = scope.start(_recognise(utterance, engines.asr, hints, tell), "recognising")
        ended = await utterance.ended()
        if not ended.is_question:
            return None
        try:
            async with asyncio.timeout(RECOGNISE_LIMIT_S):
                return await recognising
        except TimeoutError:
            name = engines.asr.name if engines.asr else "asr"
            raise EngineError(name, f"no transcript after {RECOGNISE_LIMIT_S:g} s") from None


async def _recognise(
    utterance: Utterance, asr: Asr | None, hints: Hints, tell: Callable[[TranscriptChanged], None]
) -> Transcript:
    if asr is None:
        raise EngineError("asr", "there is no recogniser; `airos check` says why")
    async with chain(asr.transcribe(utterance, hints), name=asr.name) as transcripts:
        async for transcript in transcripts:
            if transcript.judgement is not None:
                utterance.judge(transcript.judgement)
            if transcript.final:
                final: Transcript = transcript
                return final
            tell(
                TranscriptChanged(
                    item_id=utterance.id,
                    text=transcript.text,
                    judgement=transcript.judgement,
                    language=transcript.language,
                    went=transcript.went,
                )
            )
    raise EngineError(asr.name, "ended without a final transcript")
