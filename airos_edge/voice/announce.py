"""Something said without being asked: an announcement, a ringing timer."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.floor import Floor, FloorMouth, Rank
from airos_edge.voice.flow import Joint, Stage, chain, only, patiently
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Engines, Says, Speaking, Speech
from airos_edge.voice.respond import STALL_LIMIT_S, no_voice

REST = AudioChunk.silence(2000)
"""Two seconds in which who wants it to stop can be heard."""


async def announce(text: str, rank: Rank, engines: Engines, floor: Floor, how: Speaking) -> int:
    """Says the text at its rank; returns when it has been heard, in milliseconds of speech.

    Raises EngineError when there is no voice or it fails. Cancelling silences it at once.
    """
    async with floor.take(rank, Says(new_id("said"), new_id("item"))) as mouth:
        await _say(text, engines, how, mouth)
        return await mouth.drain()


async def ring(
    text: str, engines: Engines, floor: Floor, how: Speaking, bell: AudioChunk, times: int
) -> int:
    """A bell and the text, so many times with a rest between them, or until it is hushed.

    It keeps the floor all the while. Else as `announce`.
    """
    async with floor.take(Rank.RING, Says(new_id("said"), new_id("item"))) as mouth:
        for nth in range(times):
            if nth:
                await mouth.play(Speech(REST))
            await mouth.play(Speech(bell))
            await _say(text, engines, how, mouth)
            if mouth.is_hushed:
                break
        return await mouth.drain()


async def _say(text: str, engines: Engines, how: Speaking, mouth: FloorMouth) -> None:
    async with speech_of(only(text), engines, how) as (speech, name):
        async for piece in patiently(speech, STALL_LIMIT_S, name):
            await mouth.play(piece)


@asynccontextmanager
async def speech_of(
    texts: AsyncIterable[str], engines: Engines, how: Speaking
) -> AsyncIterator[tuple[Joint[Speech], str]]:
    """Speech of the texts as it is made, sentence by sentence, and the name of its voice.

    Raises EngineError. Leaving the block ends the engine.
    """
    tts = engines.tts
    if tts is None:
        raise no_voice()
    stages = (
        Stage(lambda texts: engines.sayable(texts, how.language), ahead=1),
        Stage(lambda sentences: tts.speak(sentences, how)),
    )
    async with chain(texts, *stages, name=tts.name) as speech:
        yield speech, tts.name
