"""Something said without being asked: an announcement, a ringing timer."""

from collections.abc import AsyncGenerator

from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import chain, patiently
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Engines, Says, Speaking
from airos_edge.voice.respond import STALL_LIMIT_S, no_voice


async def announce(text: str, rank: Rank, engines: Engines, floor: Floor, how: Speaking) -> int:
    """Says the text at its rank; returns when it has been heard, in milliseconds of speech.

    Raises EngineError when there is no voice or it fails. Cancelling silences it at once.
    """
    if engines.tts is None:
        raise no_voice()
    async with (
        chain(engines.tts.speak(_only(text), how), name=engines.tts.name) as speech,
        floor.take(rank, Says(new_id("said"), new_id("item"))) as mouth,
    ):
        async for piece in patiently(speech, STALL_LIMIT_S, engines.tts.name):
            await mouth.play(piece)
        return await mouth.drain()


async def _only(text: str) -> AsyncGenerator[str, None]:
    yield text
