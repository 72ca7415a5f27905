"""One conversation: what is heard starts a turn and, by the rules, ends the reply before it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from itertools import takewhile
from types import TracebackType
from typing import Any, Self

from airos_edge.errors import AirosError, BusyError
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ear import Closed, Confirmed, Cue, Ear, Opened, Paused, Resumed, Woke
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.hear import hear
from airos_edge.voice.history import History, Item
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Act, Call, Done, Engines, Hints, Place, Prompt, Text
from airos_edge.voice.reply import Reply
from airos_edge.voice.respond import respond
from airos_edge.voice.utterance import Judgement, OpenedBy, Utterance

log = logging.getLogger(__name__)

DUCK_DB = 15.0
"""How much quieter a reply becomes while someone may be talking over it."""

Borrow = Callable[[Place], AbstractAsyncContextManager[Engines]]
"""Leases the engines of one hear or one respond. Raises ReachError."""


@dataclass(eq=False, slots=True)
class Turn:
    """A question in the making, and the reply that is drafted for it."""

    utterance: Utterance
    claimed: bool = False
    closed_at: float | None = None
    draft: Reply | None = None

    @property
    def began_ms(self) -> int:
        return self.utterance.start_ms


class Session:
    """Use it as a context manager: leaving it ends every turn. Its methods never wait.

    `manner` is the prompt without its items: how replies of this conversation are made. `tell` gets
    every event of this session in order; it must not fail and must not wait.
    """

    def __init__(
        self,
        session_id: str,
        ear: Ear,
        floor: Floor,
        borrow: Borrow,
        tell: Callable[[events.Event], None],
        manner: Prompt,
    ) -> None:
        self.id = session_id
        self.ear = ear
        self.history = History()
        self.manner = manner
        self._floor = floor
        self._borrow = borrow
        self._face_tell = tell
        self._scope = Scope()
        self._asking: Turn | None = None
        self._open: Turn | None = None
        self._active: Reply | None = None
        self._running: dict[str, tuple[Reply, asyncio.Task[None]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for reply, _ in list(self._running.values()):
            reply.end(events.Outcome("cancelled", reason="session_ended"))
        await self._scope.__aexit__(kind, error, trace)

    # ---- what a face brings ----

    def feed(self, chunk: AudioChunk) -> None:
        self._follow(self.ear.feed(chunk))

    def open(self, why: OpenedBy, patience_ms: int) -> None:
        self._follow(self.ear.open(why, patience_ms))

    def commit(self) -> None:
        self._follow(self.ear.commit())

    def clear(self) -> None:
        self._follow(self.ear.clear())

    def add(self, item: Item, after: str | None = None) -> None:
        """Raises DuplicateItem, UnknownItem."""
        previous_id = self.history.add(item, after)
        self._tell(events.ItemAdded(item=item, previous_id=previous_id))

    def delete(self, item_id: str) -> None:
        """Raises UnknownItem."""
        self.history.delete(item_id)
        self._tell(events.ItemDeleted(item_id=item_id))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """A client says how much of a spoken item it played. Raises UnknownItem."""
        text = self.history.heard(item_id, heard_ms)
        self._tell(events.ItemTruncated(item_id=item_id, heard_ms=heard_ms, text=text))

    # ---- replies ----

    @property
    def active(self) -> Reply | None:
        """The reply of this conversation that has not ended."""
        if self._active is not None and self._active.outcome is not None:
            self._active = None
        return self._active

    def prompt(self, *more: Item) -> Prompt:
        """What a reply would depend on now."""
        return replace(self.manner, items=(*self.history, *more))

    def respond(
        self,
        prompt: Prompt | None = None,
        metadata: Mapping[str, str] | None = None,
        apart: Floor | None = None,
    ) -> Reply:
        """A reply that was asked for. `apart`: out of band, on a floor of its own, not for the history.

        Raises BusyError while another reply of the conversation goes on.
        """
        if apart is None and self.active is not None:
            raise BusyError(f"the reply {self.active.id} has not ended")
        history = History() if apart else self.history
        reply = Reply(
            new_id("resp"),
            prompt or self.prompt(),
            history,
            self._tell,
            apart is not None,
            metadata,
        )
        self._run(reply, apart or self._floor)
        self._commit(reply)
        return reply

    def interrupt(self, reason: str, reply_id: str | None = None) -> bool:
        """Hushes, notes what was heard and cancels: the active reply, or the one named. False: there is none."""
        reply = self.active if reply_id is None else self._running.get(reply_id, (None,))[0]
        if reply is None or reply.outcome is not None:
            return False
        reply.end(events.Outcome("cancelled", reason=reason))
        self._cancel(reply)
        return True

    # ---- what the ear says ----

    def _follow(self, cues: list[Cue]) -> None:
        for cue in cues:
            match cue:
                case Woke(word, score, loudness):
                    self._tell(events.Woke(word=word, score=score, loudness_dbfs=loudness))
                case Opened(utterance):
                    self._begin_turn(utterance)
                case Confirmed():
                    if self._open is not None and self.ear.rules.interrupt == "duck":
                        self._claim(self._open)
                case Paused(utterance):
                    self._tell(events.SpeechPaused(item_id=utterance.id))
                case Resumed(utterance):
                    self._tell(events.SpeechResumed(item_id=utterance.id))
                case Closed():
                    self._close_turn(cue)

    def _begin_turn(self, utterance: Utterance) -> None:
        self._open = turn = Turn(utterance)
        self._tell(
            events.SpeechStarted(
                item_id=utterance.id,
                opened_by=utterance.opened_by,
                start_ms=utterance.start_ms,
            )
        )
        rule = self.ear.rules.interrupt
        if utterance.opened_by in ("wake", "follow_up") or rule == "stop":
            self._claim(turn)
        elif rule == "duck" and self.active and self.active.mouth:
            self.active.mouth.duck(DUCK_DB)
        self._scope.start(self._take(turn), f"turn {utterance.id}")

    def _claim(self, turn: Turn) -> None:
        """From now on this is the question that is answered, unless a later one is already."""
        later = self._asking is not None and self._asking.began_ms > turn.began_ms
        if turn.claimed or later:
            return
        turn.claimed, self._asking = True, turn
        rule, opened_by = self.ear.rules.interrupt, turn.utterance.opened_by
        if rule in ("stop", "duck") or (rule == "wake" and opened_by == "wake"):
            self.interrupt("turn_detected")

    def _close_turn(self, closed: Closed) -> None:
        utterance, turn = closed.utterance, self._open
        self._open = None
        self._tell(
            events.SpeechStopped(
                item_id=utterance.id,
                opened_by=utterance.opened_by,
                reason=closed.ended.reason,
                end_ms=closed.ended.speech_end_ms,
            )
        )
        if not closed.ended.is_question or turn is None:
            return
        turn.closed_at = asyncio.get_running_loop().time()
        item = Item(utterance.id, role="user", spoken=True)
        previous_id = self.history.add(item)
        self._tell(events.QuestionEnded(item=item, previous_id=previous_id, audio_ms=utterance.ms))
        self._tell(events.ItemAdded(item=item, previous_id=previous_id))

    # ---- a turn ----

    async def _take(self, turn: Turn) -> None:
        """Hears the question out, whatever happens meanwhile, and has it answered if it still counts."""
        utterance = turn.utterance
        text: str | None = None
        failure: AirosError | None = None
        hints = Hints(self.manner.speaking.language if self.manner.speaking else "en")
        try:
            async with self._borrow(self.manner.reach) as engines:
                text = await hear(
                    utterance, engines, hints, lambda partial: self._heard_partial(turn, partial)
                )
        except AirosError as error:
            failure = error
        if not (await utterance.ended()).is_question:
            self._drop(turn)
        elif failure is not None:
            self._tell(events.TranscriptionFailed(item_id=utterance.id, message=str(failure)))
            await self._answer(turn, None, failure)
        else:
            await self._understood(turn, text or "")

    async def _understood(self, turn: Turn, text: str) -> None:
        utterance = turn.utterance
        if utterance.id in self.history:
            self.history.change(utterance.id, text=text)
        self._tell(events.Transcribed(item_id=utterance.id, text=text, audio_ms=utterance.ms))
        if not text and utterance.opened_by == "speech":
            self._drop(turn)
        else:
            await self._answer(turn, text)

    def _heard_partial(self, turn: Turn, partial: events.TranscriptChanged) -> None:
        """A draft is begun as soon as the words are complete, and thrown away when they change."""
        self._tell(partial)
        prompt = self._question(turn, partial.text)
        if turn.draft is not None and turn.draft.prompt != prompt:
            self._discard(turn)
        complete = partial.judgement is Judgement.COMPLETE
        if turn.draft is None and complete and self.ear.rules.answer:
            turn.draft = self._draft(prompt)

    def _question(self, turn: Turn, text: str | None) -> Prompt:
        """What the answer depends on: all that was said, but by the user nothing after the question."""
        asked = Item(turn.utterance.id, role="user", text=text, spoken=True)
        known = iter(self.history)
        before = tuple(takewhile(lambda item: item.id != asked.id, known))
        after = (item for item in known if item.role != "user" or not item.spoken)
        return replace(self.manner, items=(*before, asked, *after))

    async def _answer(
        self, turn: Turn, text: str | None, failure: AirosError | None = None
    ) -> None:
        """Now, or where a reply may not be interrupted, when it has ended."""
        if not self.ear.rules.answer:
            self._drop(turn)
            return
        self._claim(turn)
        while self.active is not None:
            await self.active.ended.wait()
        if self._asking not in (turn, None) and self.ear.rules.interrupt != "never":
            self._discard(turn)
            return
        prompt = self._question(turn, text)
        draft = turn.draft
        if failure or draft is None or draft.outcome is not None or draft.prompt != prompt:
            self._discard(turn)
            draft = self._draft(prompt, failure)
        turn.draft = None
        draft.stamp("recognise")
        self._commit(draft, turn.closed_at)

    def _drop(self, turn: Turn) -> None:
        """It was nothing that is answered: what was going on goes on."""
        self._discard(turn)
        if self._asking is turn:
            self._asking = None
        if self._open is None and self.active and self.active.mouth:
            self.active.mouth.duck(0.0)

    # ---- a reply's task ----

    def _draft(self, prompt: Prompt, failure: AirosError | None = None) -> Reply:
        reply = Reply(new_id("resp"), prompt, self.history, self._tell)
        self._run(reply, self._floor, failure)
        return reply

    def _commit(self, reply: Reply, since: float | None = None) -> None:
        if not reply.apart:
            self._active = reply
        reply.commit(since)

    def _run(self, reply: Reply, floor: Floor, failure: AirosError | None = None) -> None:
        task = self._scope.start(self._reply(reply, floor, failure), f"reply {reply.id}")
        self._running[reply.id] = (reply, task)
        task.add_done_callback(lambda _: self._ended(reply))

    def _ended(self, reply: Reply) -> None:
        """Whatever its task died of, a reply ends; usually it has."""
        self._running.pop(reply.id, None)
        if reply.outcome is None:
            log.error("The reply %s was broken off", reply.id)
            reply.end(events.Outcome("failed", error="it was broken off by a mistake; see the log"))

    async def _reply(self, reply: Reply, floor: Floor, failure: AirosError | None) -> None:
        try:
            async with self._borrow(reply.prompt.reach) as engines:
                if failure is not None:
                    engines = replace(engines, responder=Failed(failure))
                await respond(reply, engines, floor)
        except AirosError as error:
            await reply.committed.wait()
            reply.end(events.Outcome("failed", error=str(error)))

    def _discard(self, turn: Turn) -> None:
        if turn.draft is not None:
            turn.draft.end(events.Outcome("cancelled", reason="superseded"))
            self._cancel(turn.draft)
            turn.draft = None

    def _cancel(self, reply: Reply) -> None:
        running = self._running.get(reply.id)
        if running is not None:
            running[1].cancel()

    def _tell(self, event: events.Event) -> None:
        self._face_tell(replace(event, session_id=self.id))


class Failed:
    """A responder for a question that could not be heard: it fails as the recogniser did."""

    place = Place.LOCAL

    def __init__(self, failure: AirosError) -> None:
        self.name = "asr"
        self._failure = failure

    async def reply(self, prompt: Prompt, act: Act) -> AsyncGenerator[Text | Call | Done, Any]:
        raise self._failure
        yield
