"""A recogniser elsewhere: a Wyoming `asr` service on this box, in this LAN or beyond it."""

from collections.abc import AsyncGenerator

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk as Chunk
from wyoming.audio import AudioStart, AudioStop

from airos_edge.engines.wanted import WantedAsr
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Utterance
from airos_edge.voice.waking import without
from airos_edge.wyoming.asr import WAKE_WORD
from airos_edge.wyoming.client import Wire, connect
from airos_edge.wyoming.frames import text_of

FORMAT = (RATE_HZ, BYTES_PER_SAMPLE, 1)
PIECE_SAMPLES = 8192
"""The most in one event."""


class WyomingAsr:
    def __init__(self, uri: str, place: Place) -> None:
        self.name = uri
        self.place = place

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """The sound goes out as it is recorded. A service that transcribes before it has ended has found
        its end, and the ear is told so. Raises EngineError; cancelling closes the connection.

        A wake word that the recording begins with is told in the context, as another Airos knows it;
        what others have heard of it is cut off.
        """
        text = ""
        async with connect(self.name) as wire, Scope() as scope:
            context = {WAKE_WORD: heard.wake_word} if heard.wake_word else None
            await wire.send(Transcribe(language=hints.language, context=context))
            scope.start(_send(heard, wire), "sending sound")
            async for event in wire:
                match event.type:
                    case "transcript-chunk":
                        text += wire.read(event, text_of)
                        yield Transcript(without(heard.wake_word, text))
                    case "transcript":
                        heard.enough()
                        text = wire.read(event, text_of)
                        yield Transcript(without(heard.wake_word, text), final=True)
                        return


async def _send(heard: Utterance, wire: Wire) -> None:
    await wire.send(AudioStart(*FORMAT))
    async for chunk in heard:
        for piece in chunk.pieces(PIECE_SAMPLES):
            await wire.send(Chunk(*FORMAT, piece.pcm))
    await wire.send(AudioStop())


def open_asr(wanted: WantedAsr) -> Asr:
    """What may be said and how certain it has to be is the service's own to know. Nothing is connected
    before it is needed."""
    return WyomingAsr(wanted.uri, wanted.place)
