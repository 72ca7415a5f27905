"""One conversation: what is heard starts a turn and, by the rules, ends the reply before it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from airos_edge.errors import BusyError
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk, ms_of
from airos_edge.voice.ear import PATIENCE_MS, Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import DuplicateItem, History, Item
from airos_edge.voice.idle import NUDGE, Idle
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Hints, Prompt
from airos_edge.voice.replies import Borrow, Prepare, Replies, as_it_is
from airos_edge.voice.reply import Reply
from airos_edge.voice.turn import with_words
from airos_edge.voice.turns import Turns
from airos_edge.voice.utterance import OpenedBy

NO_HINTS = Hints()


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
        self._turns = Turns(self, floor, self._scope)
        self._fed_samples = 0
        self._idle = Idle(self._speak_unasked)

    async def __aenter__(self) -> Self:
        self._idle.obey(self.ear.rules.idle_timeout_ms)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.replies.cancel_all("session_ended")
        self._floor.duck(0.0)
        self._idle.stop()
        try:
            await self._scope.__aexit__(kind, error, trace)
        finally:
            await self.ear.aclose()
        self.tell(events.SessionEnded())

    # ---- what a face brings ----

    @property
    def heard_ms(self) -> int:
        """How much sound was fed until now."""
        return ms_of(self._fed_samples)

    @property
    def is_resting(self) -> bool:
        """Whether nothing is being said, heard or answered."""
        return self._turns.are_over and not self.replies.running

    def feed(self, chunk: AudioChunk) -> None:
        self._fed_samples += chunk.samples
        self._turns.follow(self.ear.feed(chunk))

    def open(self, why: OpenedBy, patience_ms: int, wake_word: str | None = None) -> None:
        self._turns.follow(self.ear.open(why, patience_ms, wake_word))

    def commit(self) -> None:
        self._turns.follow(self.ear.commit())

    def obey(self, rules: TurnRules) -> None:
        """From now on."""
        self._turns.follow(self.ear.obey(rules))
        self._idle.obey(rules.idle_timeout_ms)

    def clear(self) -> None:
        self._turns.follow(self.ear.clear())

    def add(
        self, item: Item, after: str | None = None, recording: Sequence[AudioChunk] = ()
    ) -> None:
        """The recording is kept, and where the item lacks its words, recognised.

        What is more than the history may hold is deleted from its beginning. Raises DuplicateItem,
        UnknownItem.
        """
        open_question = self.ear.utterance
        if open_question is not None and open_question.id == item.id:
            raise DuplicateItem(item.id)  # it was told already, and the question needs it
        previous_id = self.history.add(item, after)
        for chunk in recording:
            self.history.recordings.add(item.id, chunk)
        self.tell(events.ItemAdded(item=item, previous_id=previous_id))
        if item.spoken and item.text is None:
            self.recognise(item.id, recording)

    def recognise(self, item_id: str, recording: Sequence[AudioChunk]) -> None:
        """A reply that is asked for waits for the words of its items, in the history or not."""
        self._turns.recognise(item_id, recording)

    def delete(self, item_id: str) -> None:
        """If it is being spoken, nothing more is heard of it. Raises UnknownItem."""
        self.replies.silence(item_id)
        self.history.delete(item_id)
        self.tell(events.ItemDeleted(item_id=item_id))

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """A client says how much of a spoken item it played; if it is being spoken, that is all of it that
        will be heard. Raises UnknownItem."""
        self.replies.silence(item_id)
        heard_ms = min(heard_ms, round(self.history.spoken_ms(item_id)))
        text = self.history.heard(item_id, heard_ms, is_known=True)
        self.tell(events.ItemTruncated(item_id=item_id, heard_ms=heard_ms, text=text))

    def _forget(self) -> None:
        """What is more than the history may hold is deleted from its beginning."""
        while (oldest_id := self.history.oldest_too_many()) is not None:
            self.delete(oldest_id)

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Work beside the replies (`work.py`) that is this conversation's, and is cancelled with it."""
        return self._scope.start(work, name)

    # ---- replies ----

    def prompt(self) -> Prompt:
        """What a reply would depend on now."""
        return replace(self.manner, items=tuple(self.history))

    def respond(
        self,
        prompt: Prompt | None = None,
        metadata: Mapping[str, str] | None = None,
        apart: Floor | None = None,
        reply_id: str | None = None,
        prepare: Prepare = as_it_is,
    ) -> Reply:
        """A reply that was asked for, which waits for the words of questions that are still recognised.

        They are answered by it, and by no other. `apart`: out of band, on a floor of its own, not for the
        history. `prepare` waits for what else the prompt lacks. Raises BusyError while another reply of the
        conversation goes on.
        """

        async def whole(prompt: Prompt) -> Prompt:
            return await prepare(await with_words(prompt, unheard))

        active = self.replies.active
        if apart is None and active is not None:
            raise BusyError(f"the reply {active.id} has not ended")
        unheard, prompt = self._turns.unheard, prompt or self.prompt()
        for item in prompt.items if apart is None else ():
            if item.id in unheard:
                unheard[item.id].is_answered = True
        reply = self.replies.start(
            prompt,
            whole,
            apart=apart,
            metadata=metadata,
            reply_id=reply_id,
        )
        self.replies.commit(reply)
        return reply

    def interrupt(self, reason: str, reply_id: str | None = None) -> bool:
        """Silences and cancels the active reply, or the one named. False: there is none."""
        reply = self.replies.running.get(reply_id) if reply_id else self.replies.active
        return reply is not None and self.replies.cancel(reply, reason)

    # ---- for its turns and replies ----

    def _follow_reply(self, event: events.Event) -> None:
        """After a question that was heard out, an ear that waits for its wake word hears the answer too."""
        self.tell(event)
        if not isinstance(event, events.ReplyEnded) or event.apart:
            return
        is_asked = self._turns.is_asked(event.outcome, self.heard_ms)
        if is_asked and self.ear.rules.detection == "wake":
            self.open("follow_up", PATIENCE_MS)

    def _speak_unasked(self) -> None:
        """Nobody has said anything for as long as the rules wait: that is a question too, without a word."""
        question = Item(new_id("item"), role="user", spoken=True)
        start_ms, end_ms = self._idle.since_ms, self.heard_ms
        self.tell(events.IdleTimedOut(item_id=question.id, start_ms=start_ms, end_ms=end_ms))
        self.add(Item(new_id("item"), role="system", text=NUDGE))
        prompt = self.prompt()
        self.tell_question(question, 0)
        self.respond(prompt)
        self.history.change(question.id, text="")
        self.tell(events.Transcribed(item_id=question.id, text="", audio_ms=0))

    def tell_question(self, question: Item, audio_ms: int) -> None:
        """It becomes an item of the history."""
        previous_id = self.history.add(question)
        ended = events.QuestionEnded(item=question, previous_id=previous_id, audio_ms=audio_ms)
        self.tell(ended)
        self.tell(events.ItemAdded(item=question, previous_id=previous_id))

    def tell(self, event: events.Event) -> None:
        event = self.stamped(event)
        self._face_tell(event)
        self._idle.follow(event)
        if isinstance(event, events.ItemAdded | events.ReplyEnded):
            self._forget()

    def stamped(self, event: events.Event) -> events.Event:
        """As an event of this conversation, now."""
        return replace(event, session_id=self.id, at_ms=self.heard_ms)
