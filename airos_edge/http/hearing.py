"""A recording of any length to its words: the box's ears cut it, each utterance is recognised by itself."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from airos_edge.errors import EngineError
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.events import Event, SpeechStarted, SpeechStopped, Transcribed
from airos_edge.voice.events import TranscriptionFailed as Failed
from airos_edge.voice.ports import Hints
from airos_edge.voice.session import Session
from airos_edge.voice.utterance import Ended

PIECE_MS = 200
"""To hear so much takes a millisecond or two, in which nobody else is served."""

OpenHearing = Callable[[Callable[[Event], None]], Session]
"""Opens a session that hears and answers nobody. Raises EngineUnavailable."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said in one breath, and where in the recording."""

    start_ms: int
    end_ms: int
    text: str
    certainty: float | None = None


async def hear(
    pcm: bytes, open_hearing: OpenHearing, language: str | None = None
) -> AsyncGenerator[Segment, None]:
    """The segments of 16 kHz PCM in which words were understood, in their order, as they are found.

    What is not meant for the recogniser (talk, where it knows commands only) is in none. Raises
    EngineError. Closing it ends the recogniser.
    """
    happened: asyncio.Queue[Event] = asyncio.Queue()
    async with open_hearing(happened.put_nowait) as session:
        if language:
            session.hints = Hints(language)
        heard = Heard()
        for piece in AudioChunk(pcm).pieces(samples_of(PIECE_MS)):
            session.feed(piece)
            await asyncio.sleep(0)
            # One utterance after the other: memory and decoders are everybody's.
            while heard.is_waiting or not happened.empty():
                if segment := heard.take(await happened.get()):
                    yield segment
        session.commit()
        while heard.open or not happened.empty():
            if segment := heard.take(await happened.get()):
                yield segment


class Heard:
    """What is known of each utterance."""

    def __init__(self) -> None:
        self.open: dict[str, tuple[int, int | None]] = {}
        """Those that began and are not decided: where they began, and ended."""

    @property
    def is_waiting(self) -> bool:
        """Whether one has ended whose words are still looked for."""
        return any(end_ms is not None for _, end_ms in self.open.values())

    def take(self, event: Event) -> Segment | None:
        """Raises EngineError where the recogniser has failed."""
        match event:
            case SpeechStarted(item_id=item_id, start_ms=start_ms):
                self.open[item_id] = start_ms, None
            case SpeechStopped(item_id=item_id, reason=reason, end_ms=end_ms):
                start_ms, _ = self.open.pop(item_id, (0, None))
                if Ended(reason, end_ms).is_question:
                    self.open[item_id] = start_ms, end_ms
            case Transcribed(item_id=item_id, text=text, certainty=certainty):
                start_ms, stopped_ms = self.open.pop(item_id, (0, 0))
                if text:
                    return Segment(start_ms, stopped_ms or start_ms, text, certainty)
            case Failed(message=message):
                raise EngineError("asr", message.removeprefix("asr: "))
        return None
