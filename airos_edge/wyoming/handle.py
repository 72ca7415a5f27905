"""The service `handle`: a text in, as somebody asked it, the answer out."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled

from airos_edge.errors import AirosError, ProtocolError
from airos_edge.voice import events
from airos_edge.voice.history import Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import OpenMouth
from airos_edge.voice.session import Session
from airos_edge.wyoming.asr import no_mouth
from airos_edge.wyoming.connection import Connection
from airos_edge.wyoming.frames import a_text, parsed, text_of

LONGEST_TEXT = 10_000
KEPT_S = 300.0
"""How long what was said in a conversation is remembered after its last answer."""
MOST_KEPT, MOST_ITEMS = 32, 20
"""Conversations, and items of each."""

OpenAsking = Callable[[Callable[[events.Event], None], OpenMouth], Session]


class Memory:
    """What was said in conversations whose questions come one by one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, tuple[Item, ...]]] = OrderedDict()

    def of(self, conversation: str) -> tuple[Item, ...]:
        self._forget_old()
        return self._kept.get(conversation, (0.0, ()))[1]

    def keep(self, conversation: str, items: tuple[Item, ...]) -> None:
        now = asyncio.get_running_loop().time()
        self._kept[conversation] = (now, items[-MOST_ITEMS:])
        self._kept.move_to_end(conversation)
        self._forget_old()

    def _forget_old(self) -> None:
        oldest = asyncio.get_running_loop().time() - KEPT_S
        while self._kept and (
            len(self._kept) > MOST_KEPT or next(iter(self._kept.values()))[0] < oldest
        ):
            self._kept.popitem(last=False)


class Handle:
    types = ("transcript",)

    def __init__(
        self, connection: Connection, open_asking: OpenAsking, is_safe_only: bool, memory: Memory
    ) -> None:
        self._connection = connection
        self._open_asking = open_asking
        self._is_safe_only = is_safe_only
        self._memory = memory
        self._answering = asyncio.Lock()

    async def take(self, event: Event) -> None:
        asked = parsed(event, Transcript.from_event)
        text = text_of(event)
        if len(text) > LONGEST_TEXT:
            raise ProtocolError(f"transcript: more than {LONGEST_TEXT} characters")
        context = asked.context if isinstance(asked.context, dict) else {}
        conversation = a_text(event, "conversation_id", context.get("conversation_id") or "")
        self._connection.work(self._answer(text, conversation))

    async def _answer(self, text: str, conversation: str) -> None:
        """What is said in one piece is told when it has ended: it may be a no, which is told by another
        event."""
        told: asyncio.Queue[events.Event] = asyncio.Queue()
        context = {"conversation_id": conversation} if conversation else None
        async with self._answering, self._open_asking(told.put_nowait, no_mouth) as session:
            session.manner = replace(session.manner, speaking=None, safe_only=self._is_safe_only)
            for item in self._memory.of(conversation):
                session.add(item)
            session.add(Item(new_id("item"), role="user", text=text))
            session.respond()
            await self._tell(told, context)
            if conversation:
                self._memory.keep(conversation, tuple(session.history))

    async def _tell(
        self, told: asyncio.Queue[events.Event], context: dict[str, Any] | None
    ) -> None:
        send = self._connection.send
        waiting, is_started = "", False
        while True:
            match await told.get():
                case events.TextSaid(text=piece):
                    if waiting:
                        if not is_started:
                            await send(HandledStart(context))
                        is_started = True
                        await send(HandledChunk(waiting))
                    waiting = piece
                case events.ReplyEnded(outcome=outcome):
                    break
        if outcome.status == "failed":
            raise AirosError(outcome.error or "the answer failed")
        if outcome.declined and not is_started:
            await send(NotHandled(outcome.text, context))
            return
        if not is_started:
            await send(HandledStart(context))
        if waiting:
            await send(HandledChunk(waiting))
        await send(Handled(outcome.text, context))
        await send(HandledStop())
