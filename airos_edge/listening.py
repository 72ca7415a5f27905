"""A recording through a box's own ears, faster than real time: what they think, and what they decide."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from airos_edge.box import Box
from airos_edge.http.tape import Tape
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.utterance import Ended

E = TypeVar("E", bound=Event)

PIECE_MS = 20
SILENCE_MS = 500
"""What always follows the sound: its last word is found out with some delay."""
SILENCE = AudioChunk.silence(PIECE_MS)


async def play(box: Box, sound: AudioChunk, rules: TurnRules) -> AsyncGenerator[Event, None]:
    """Plays 16 kHz sound to a conversation of its own; gives all that is published of it, in order.

    Silence follows the sound until all that had begun is decided. Nothing is answered or done, whatever
    the rules say. Meant for a `VirtualTimeLoop`: there it takes only what thinking takes, and a thought
    comes with the piece of sound that it is about. Raises EngineUnavailable where the rules need a wake
    word and no engine hears one. Leaving it early ends the conversation.
    """
    open_questions: set[str] = set()
    rules = replace(rules, answer="never")
    with box.hub.watch() as watch:
        async with box.open_session(lambda event: None, Tape().open, rules) as session:
            for piece in _pieces(sound):
                session.feed(piece)
                await asyncio.sleep(PIECE_MS / 1000)
                for event in watch.take():
                    if event.session_id == session.id:
                        _follow(event, open_questions)
                        yield event
                if session.heard_ms >= sound.ms + SILENCE_MS and not open_questions:
                    return


def _pieces(sound: AudioChunk) -> Iterator[AudioChunk]:
    """The sound, then silence without end."""
    yield from sound.pieces(samples_of(PIECE_MS))
    while True:
        yield SILENCE


def _follow(event: Event, open_questions: set[str]) -> None:
    """Keeps those that were begun and are not decided."""
    match event:
        case events.SpeechStarted(item_id=item_id):
            open_questions.add(item_id)
        case events.SpeechStopped(item_id=item_id, reason=reason):
            if not Ended(reason, event.end_ms).is_question:
                open_questions.discard(item_id)
        case events.Transcribed(item_id=item_id) | events.TranscriptionFailed(item_id=item_id):
            open_questions.discard(item_id)


def of_kind(kind: type[E], happened: Iterable[Event]) -> list[E]:
    """Those of what happened that are of one kind."""
    return [event for event in happened if isinstance(event, kind)]
