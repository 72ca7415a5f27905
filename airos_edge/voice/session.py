"""One conversation: what is heard starts a turn and, by the rules, ends the reply before it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from airos_edge.errors import BusyError
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk, ms_of
from airos_edge.voice.ear import (
    PATIENCE_MS,
    Closed,
    Confirmed,
    Cue,
    Ear,
    Opened,
    Paused,
    Resumed,
    Woke,
)
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import History, Item
from airos_edge.voice.ports import Hints, Prompt
from airos_edge.voice.replies import Borrow, Replies
from airos_edge.voice.reply import Reply
from airos_edge.voice.turn import Turn, with_words
from airos_edge.voice.utterance import OpenedBy, Utterance

NO_HINTS = Hints()
DUCK_DB = 15.0
"""How much quieter a reply becomes while someone may be talking over it."""


class Session:
    """Use it as a context manager: leaving it ends every turn. Its methods never wait.

    `manner` is the prompt without its items: how replies of this conversation are made; `hints` are
    for the recogniser. Both may be changed, for the next question. `tell` gets every event of this
    session in order; it must not fail and must not wait.
    """

    def __init__(
        self,
        session_id: str,
        ear: Ear,
        floor: Floor,
        borrow: Borrow,
        tell: Callable[[events.Event], None],
        manner: Prompt,
        hints: Hints = NO_HINTS,
    ) -> None:
        self.id = session_id
        self.ear = ear
        self.history = History()
        self.manner = manner
        self.hints = hints
        self._floor = floor
        self.borrow = borrow
        self._face_tell = tell
        self._scope = Scope()
        self.replies = Replies(self._scope, self.history, floor, borrow, self._follow_reply)
        self._turns: dict[str, Turn] = {}
        """Those that go on, by the id of the question's item."""
        self.asking: Turn | None = None
        self._open: Turn | None = None
        self._replied_ms = 0
        """Where in the sound the latest reply ended."""
        self._fed_samples = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.replies.cancel_all("session_ended")
        self._floor.duck(0.0)
        await self._scope.__aexit__(kind, error, trace)
        self.tell(events.SessionEnded())

    # ---- what a face brings ----

    @property
    def heard_ms(self) -> int:
        """How much sound was fed until now."""
        return ms_of(self._fed_samples)

    @property
    def is_resting(self) -> bool:
        """Whether nothing is being said, heard or answered."""
        return not (self._turns or self.replies.running)

    def feed(self, chunk: AudioChunk) -> None:
        self._fed_samples += chunk.samples
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
        self.tell(events.ItemAdded(item=item, previous_id=previous_id))

    def delete(self, item_id: str) -> None:
        """Raises UnknownItem."""
        self.history.delete(item_id)
        self.tell(events.ItemDeleted(item_id=item_id))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """A client says how much of a spoken item it played. Raises UnknownItem."""
        text = self.history.heard(item_id, heard_ms)
        self.tell(events.ItemTruncated(item_id=item_id, heard_ms=heard_ms, text=text))

    # ---- replies ----

    def prompt(self) -> Prompt:
        """What a reply would depend on now."""
        return replace(self.manner, items=tuple(self.history))

    def respond(
        self,
        prompt: Prompt | None = None,
        metadata: Mapping[str, str] | None = None,
        apart: Floor | None = None,
    ) -> Reply:
        """A reply that was asked for, which waits for the words of questions that are still recognised.

        `apart`: out of band, on a floor of its own, not for the history. Raises BusyError while another
        reply of the conversation goes on.
        """
        active = self.replies.active
        if apart is None and active is not None:
            raise BusyError(f"the reply {active.id} has not ended")
        unheard = {key: turn for key, turn in self._turns.items() if not turn.heard.is_set()}
        reply = self.replies.start(
            prompt or self.prompt(),
            lambda prompt: with_words(prompt, unheard),
            apart=apart,
            metadata=metadata,
        )
        self.replies.commit(reply)
        return reply

    def interrupt(self, reason: str, reply_id: str | None = None) -> bool:
        """Silences and cancels the active reply, or the one named. False: there is none."""
        reply = self.replies.running.get(reply_id) if reply_id else self.replies.active
        return reply is not None and self.replies.cancel(reply, reason)

    def _follow_reply(self, event: events.Event) -> None:
        """After a question that was heard out, an ear that waits for its wake word hears the answer too."""
        self.tell(event)
        if not isinstance(event, events.ReplyEnded) or event.apart:
            return
        self._replied_ms = self.heard_ms
        is_asked = event.outcome.expects and event.outcome.status == "completed"
        is_quiet = all(turn.decided.is_set() for turn in self._turns.values())
        if is_asked and is_quiet and self.ear.rules.detection == "wake":
            self.open("follow_up", PATIENCE_MS)

    def _expected(self, start_ms: int) -> tuple[str, ...]:
        """What may answer the latest reply, for who begins to speak before or soon after its end."""
        latest = self.replies.latest
        if latest is None or latest.done is None:
            return ()
        is_late = latest.outcome is not None and start_ms > self._replied_ms + PATIENCE_MS
        return () if is_late else latest.done.expects

    # ---- what the ear says ----

    def _follow(self, cues: list[Cue]) -> None:
        for cue in cues:
            match cue:
                case Woke(word, score, loudness):
                    self.tell(events.Woke(word=word, score=score, loudness_dbfs=loudness))
                case Opened(utterance):
                    self._begin_turn(utterance)
                case Confirmed(utterance):
                    self.tell(events.SpeechConfirmed(item_id=utterance.id))
                    if self._open is not None and self.ear.rules.interrupt == "duck":
                        self.claim(self._open)
                case Paused(utterance):
                    self.tell(events.SpeechPaused(item_id=utterance.id))
                case Resumed(utterance):
                    self.tell(events.SpeechResumed(item_id=utterance.id))
                case Closed():
                    self._close_turn(cue)

    def _begin_turn(self, utterance: Utterance) -> None:
        turn = Turn(utterance, self, self._expected(utterance.start_ms))
        self._open = self._turns[utterance.id] = turn
        self.tell(
            events.SpeechStarted(
                item_id=utterance.id,
                opened_by=utterance.opened_by,
                start_ms=utterance.start_ms,
            )
        )
        rule = self.ear.rules.interrupt
        if utterance.opened_by in ("wake", "follow_up") or rule == "stop":
            self.claim(turn)
        elif rule == "duck":
            self._floor.duck(DUCK_DB)
        task = self._scope.start(turn.take(), f"turn {utterance.id}")
        task.add_done_callback(lambda _: self._turns.pop(utterance.id))

    def _close_turn(self, closed: Closed) -> None:
        utterance, turn = closed.utterance, self._open
        self._open = None
        self.tell(
            events.SpeechStopped(
                item_id=utterance.id,
                opened_by=utterance.opened_by,
                reason=closed.ended.reason,
                end_ms=closed.ended.speech_end_ms,
                judgement=utterance.judgement,
            )
        )
        if not closed.ended.is_question or turn is None:
            return
        turn.closed_at = asyncio.get_running_loop().time()
        item = Item(utterance.id, role="user", spoken=True)
        previous_id = self.history.add(item)
        self.tell(events.QuestionEnded(item=item, previous_id=previous_id, audio_ms=utterance.ms))
        self.tell(events.ItemAdded(item=item, previous_id=previous_id))

    # ---- for its turns ----

    def claim(self, turn: Turn) -> None:
        """From now on this is the question that is answered, unless a later one is already."""
        began_ms = turn.utterance.start_ms
        later = self.asking is not None and self.asking.utterance.start_ms > began_ms
        if turn.claimed or later:
            return
        turn.claimed, self.asking = True, turn
        rule, opened_by = self.ear.rules.interrupt, turn.utterance.opened_by
        if rule in ("stop", "duck") or (rule == "wake" and opened_by == "wake"):
            self.interrupt("turn_detected")
        self._floor.duck(0.0)

    def drop(self, turn: Turn) -> None:
        """It was nothing that is answered: what was going on goes on."""
        self.tell(events.QuestionDropped(item_id=turn.utterance.id))
        turn.discard_draft()
        if self.asking is turn:
            self.asking = None
        if self._open is None:
            self._floor.duck(0.0)

    def tell(self, event: events.Event) -> None:
        self._face_tell(self.stamped(event))

    def stamped(self, event: events.Event) -> events.Event:
        """As an event of this conversation, now."""
        return replace(event, session_id=self.id, at_ms=self.heard_ms)
