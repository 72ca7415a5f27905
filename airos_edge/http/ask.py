"""One question, typed or recorded, to one answer: a conversation of a single turn."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airos_edge.errors import RecordingError
from airos_edge.http.tape import Tape
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, ms_of, samples_of
from airos_edge.voice.events import Event, Outcome, ReplyEnded, Transcribed
from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import OpenMouth
from airos_edge.voice.session import Session

PIECE_MS = 20

OpenAsking = Callable[[Callable[[Event], None], OpenMouth], Session]
"""Opens a session with push-to-talk detection that tells its events and speaks into such mouths."""


@dataclass(frozen=True, slots=True)
class Answer:
    transcript: str
    outcome: Outcome
    wav: bytes
    """The spoken answer; empty where nothing was spoken."""

    def as_json(self) -> dict[str, Any]:
        outcome = self.outcome
        return {
            "transcript": self.transcript,
            "intent": outcome.intent,
            "slots": dict(outcome.slots),
            "answer": outcome.text,
            "tier": outcome.tier,
            "left": outcome.left.value,
            "stages_ms": dict(outcome.stages_ms),
            "status": outcome.status,
            "error": outcome.error,
        }


async def ask(question: str | bytes, open_session: OpenAsking) -> Answer:
    """Asks a text, or a recording (16 kHz PCM), and waits for the whole answer.

    A reply that fails is an answer with its error. Raises RecordingError when the recording is
    empty or longer than a question may be. Cancelling ends the conversation.
    """
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    transcript = question if isinstance(question, str) else ""

    def tell(event: Event) -> None:
        nonlocal transcript
        if isinstance(event, Transcribed):
            transcript = event.text
        elif isinstance(event, ReplyEnded) and not ended.done():
            ended.set_result(event.outcome)

    tape = Tape()
    async with open_session(tell, tape.open) as session:
        if isinstance(question, str):
            session.add(Item(new_id("item"), role="user", text=question))
            session.respond()
        else:
            _play_into(session, question)
        outcome = await ended
    return Answer(transcript, outcome, tape.wav())


def _play_into(session: Session, pcm: bytes) -> None:
    seconds, longest_s = ms_of(len(pcm) // BYTES_PER_SAMPLE) / 1000, session.ear.rules.longest_s
    if not pcm:
        raise RecordingError("the recording holds no sound")
    if seconds > longest_s:  # the ear would end the question there, and take the rest for another
        raise RecordingError(
            f"the recording is {seconds:.1f} s long, a question {longest_s} s (turn.longest_s)"
        )
    for piece in AudioChunk(pcm).pieces(samples_of(PIECE_MS)):
        session.feed(piece)
    session.commit()
