"""Something said without being asked: an announcement, a ringing timer."""

from collections.abc import AsyncGenerator

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.floor import Floor, Rank
from airos_edge.voice.flow import chain, patiently
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Engines, Says, Speaking, Speech
from airos_edge.voice.respond import STALL_LIMIT_S, no_voice


async def announce(
    text: str,
    rank: Rank,
    engines: Engines,
    floor: Floor,
    how: Speaking,
    times: int = 1,
    first: AudioChunk | None = None,
) -> int:
    """Says the text at its rank, so many times or until it is hushed, each after a sound where there is a
    `first`; returns when it has been heard, in milliseconds.

    Raises EngineError when there is no voice or it fails. Cancelling silences it at once.
    """
    if engines.tts is None:
        raise no_voice()
    says, heard_ms = Says(new_id("said"), new_id("item")), 0
    for _ in range(times):
        async with (
            chain(engines.tts.speak(_only(text), how), name=engines.tts.name) as speech,
            floor.take(rank, says) as mouth,
        ):
            if first is not None:
                await mouth.play(Speech(first))
            async for piece in patiently(speech, STALL_LIMIT_S, engines.tts.name):
                await mouth.play(piece)
            heard_ms += await mouth.drain()
            if mouth.is_hushed:
                break
    return heard_ms


async def _only(text: str) -> AsyncGenerator[str, None]:
    yield text
