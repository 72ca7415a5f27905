"""A box's ears for a command, without a daemon: the box opened for it, sound from files, and its thoughts."""

from argparse import Namespace
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from airos_edge.box import Box, open_box
from airos_edge.cli import recordings
from airos_edge.config import load
from airos_edge.engines.choosing import is_uri
from airos_edge.errors import AirosError, RecordingError
from airos_edge.http.recording import decode
from airos_edge.http.watching import Line, line_of
from airos_edge.listening import play
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.endpoint import TurnRules

HURRIED = "recordings are played faster than real time, with the engines of this box only"


def sound_of(path: Path) -> AudioChunk:
    """Raises RecordingError, which names the file."""
    recording = recordings.read(path)
    try:
        return AudioChunk(decode(recording))
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from error


@asynccontextmanager
async def open_ears(arguments: Namespace) -> AsyncIterator[Box]:
    """The box of `--config` and `--demo`, which keeps no timers.

    Raises ConfigError, and AirosError where it has no ears.
    """
    async with open_box(load(arguments.config), arguments.demo, most_timers=0) as box:
        engines = box.check()["engines"]
        for port in ("vad", "asr"):
            if engines[port]["engine"] is None:
                raise AirosError(engines[port]["why"])
        for port in ("asr", "wake"):
            if is_uri(engines[port]["engine"] or ""):
                raise AirosError(f"{port}.engine: a service elsewhere cannot be hurried; {HURRIED}")
        await box.loaded()
        yield box


async def thoughts_of(box: Box, sound: AudioChunk, rules: TurnRules) -> AsyncGenerator[Line, None]:
    """What `play` gives, as lines; with what the house would do, and the place where the sound ends."""
    ended = False
    async with aclosing(play(box, sound, rules)) as events:
        async for event in events:
            line = line_of(event)
            if line is None:
                continue
            if not ended and event.at_ms > sound.ms:
                ended = True
                at_ms, session = round(sound.ms), event.session_id
                yield {"at_ms": at_ms, "session": session, "event": "recording_ended"}
            if line["event"] == "final":
                understood = box.commands.understand(line["text"], None)
                line["intent"] = understood.intent if understood else None
                line["slots"] = dict(understood.slots) if understood else {}
            yield line
