"""`airos talk`: a conversation with this box, or any Realtime server, in a terminal."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from airos_edge.cli import recordings, speech
from airos_edge.cli.server import server_of
from airos_edge.cli.talking.dialogue import YOU, Dialogue, Event
from airos_edge.cli.talking.lines import Lines
from airos_edge.cli.talking.player import Player
from airos_edge.cli.talking.screen import Screen
from airos_edge.cli.talking.sending import Sending
from airos_edge.cli.talking.sound_card import SoundCard, sound_card
from airos_edge.errors import AirosError, RecordingError
from airos_edge.http.limits import text_within
from airos_edge.http.recording import decode
from airos_edge.realtime.client import Connection, connect
from airos_edge.voice.flow import Scope

ANSWER_S = 60.0
CONFIGURE_S = 10.0
NO_APPROVAL = "nobody is there to say yes, so: no"


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation, and all that it works with."""

    connection: Connection
    dialogue: Dialogue
    sending: Sending
    player: Player
    screen: Screen
    lines: Lines
    is_push: bool


def main(arguments: Namespace) -> int:
    speech.refuse_unwritable(arguments.save)
    turns = _turns(arguments)
    player = Player()
    try:
        is_answered = asyncio.run(_talk(turns, player, arguments))
    except KeyboardInterrupt:
        is_answered = True
        print()
    if arguments.save:
        speech.hand_over(player.wav(), Namespace(save=arguments.save, quiet=True))
    return 0 if is_answered else 1


def _turns(arguments: Namespace) -> list[str | bytes]:
    """What is asked by itself, in its order: texts, and recordings as 16 kHz PCM. Raises AirosError."""
    return [
        _sound_of(turn) if isinstance(turn, Path) else text_within(turn, "say")
        for turn in arguments.turns
    ]


def _sound_of(path: Path) -> bytes:
    data = recordings.read(path)
    try:
        return decode(data)
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from error


async def _talk(turns: list[str | bytes], player: Player, arguments: Namespace) -> bool:
    """False: something that was asked by itself was not answered."""
    url, key, ca = server_of(arguments)
    is_typed = not sys.stdin.isatty() and not turns
    wants_microphone = not (turns or is_typed)
    async with AsyncExitStack() as stack:
        card = await stack.enter_async_context(
            sound_card(wants_microphone, not arguments.quiet, arguments.config)
        )
        player.use(card.open_mouth)
        connection = await stack.enter_async_context(
            connect(url, key, ca, {"model": arguments.model or "airos"})
        )
        talk = await stack.enter_async_context(_begun(connection, player, arguments))
        if card.says:
            talk.screen.note(card.says)
        await _configure(talk, arguments)
        if not turns:
            await _converse(talk, card, arguments.headphones)
        return all([await _ask(talk, turn) for turn in turns])


@asynccontextmanager
async def _begun(
    connection: Connection, player: Player, arguments: Namespace
) -> AsyncIterator[Talk]:
    """With the server's events taken as they come; when it closes, or fails, the block is cancelled, and
    leaving it raises why."""
    screen = Screen()
    dialogue = Dialogue(screen, player)
    sending = Sending(connection, dialogue)
    talk = Talk(connection, dialogue, sending, player, screen, Lines(), arguments.push)

    async def read() -> None:
        async for event in connection:
            await sending.send(dialogue.take(event))
        raise AirosError("the server has ended the conversation")

    async with Scope() as scope:
        reading = scope.start(read(), "talk reader")
        main = asyncio.current_task()
        assert main is not None
        reading.add_done_callback(lambda task: main.cancel() if not task.cancelled() else None)
        try:
            yield talk
        except asyncio.CancelledError:
            if reading.done() and not reading.cancelled() and main.uncancel() == 0:
                await reading
            raise
        finally:
            screen.end()


async def _configure(talk: Talk, arguments: Namespace) -> None:
    heard: dict[str, Any] = {
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": {"model": "whisper-1"},
        "turn_detection": None if talk.is_push else {"type": "semantic_vad"},
    }
    session: dict[str, Any] = {"type": "realtime", "audio": {"input": heard}}
    if arguments.voice:
        session["audio"]["output"] = {"voice": arguments.voice}
    if arguments.instructions:
        session["instructions"] = arguments.instructions
    await talk.connection.send("session.update", session=session)
    if not await talk.dialogue.until(lambda: talk.dialogue.is_configured, CONFIGURE_S):
        talk.screen.note("the server did not take the configuration")


async def _ask(talk: Talk, turn: str | bytes) -> bool:
    """One question to the end of all that it is answered with. False: it was not answered."""
    before = talk.dialogue.ended
    if isinstance(turn, str):
        talk.screen.words(YOU, turn)
        talk.screen.end()
        await talk.sending.text(turn)
    elif not await talk.sending.recording(turn, talk.is_push):
        talk.screen.note("nothing was heard in the recording")
        return False
    return await _answered(talk, before)


async def _answered(talk: Talk, before: int) -> bool:
    dialogue = talk.dialogue
    while await dialogue.until(partial(dialogue.is_answered, before), ANSWER_S):
        await talk.player.silent()
        if not dialogue.approvals:
            return True
        before, line = dialogue.ended, await talk.lines.next()
        if line is None:
            talk.screen.note(NO_APPROVAL)
        await talk.sending.send(dialogue.approve(_is_yes(line)))
    talk.screen.note(f"no answer within {ANSWER_S:.0f} s")
    return False


def _is_yes(line: str | None) -> bool:
    return (line or "").strip().lower() in ("y", "yes")


# ---- typed and spoken, until it ends ------------------------------------------------------------


async def _converse(talk: Talk, card: SoundCard, headphones: bool) -> None:
    if not sys.stdin.isatty():
        while (line := await talk.lines.next()) is not None:
            if line.strip():
                await _ask(talk, text_within(line, "say"))
        return
    hears = card.microphone is not None
    is_open = hears and not talk.is_push
    how = "press Enter, speak, press Enter" if talk.is_push and hears else "speak" if hears else ""
    talk.screen.note(f"{how + ', or ' if how else ''}type; Enter interrupts, Ctrl-C ends")
    async with Scope() as scope:
        if card.microphone is not None:
            listening = talk.sending.listen(
                card.microphone, talk.player, headphones or card.is_echo_free
            )
            scope.start(listening, "microphone")
            talk.sending.is_open = is_open
        while (line := await talk.lines.next()) is not None:
            await _take_line(talk, line, hears)


async def _take_line(talk: Talk, line: str, hears: bool) -> None:
    dialogue, sending = talk.dialogue, talk.sending
    stop: list[Event] = dialogue.interrupt()
    if dialogue.approvals and line.strip():
        await sending.send(dialogue.approve(_is_yes(line)))
    elif line.strip():
        await sending.send(stop)
        await dialogue.until(lambda: not dialogue.running, ANSWER_S)
        await sending.text(text_within(line, "say"))
    elif stop:
        await sending.send(stop)
    elif talk.is_push and hears:
        await sending.push()
