"""One conversation: what is heard starts a turn and, by the rules, ends the reply before it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import takewhile
from types import TracebackType
from typing import Self

from airos_edge.errors import AirosError, BusyError, EngineError
from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ear import Closed, Confirmed, Cue, Ear, Opened, Paused, Resumed, Woke
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.hear import hear
from airos_edge.voice.history import History, Item
from airos_edge.voice.ports import Hints, Prompt
from airos_edge.voice.replies import Borrow, Replies
from airos_edge.voice.reply import Reply
from airos_edge.voice.turn import Turn, with_words
from airos_edge.voice.utterance import Judgement, OpenedBy, Utterance

log = logging.getLogger(__name__)

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
        self._borrow = borrow
        self._face_tell = tell
        self._scope = Scope()
        self.replies = Replies(self._scope, self.history, floor, borrow, self._tell)
        self._unheard: dict[str, Turn] = {}
        """The questions whose words are not known yet, by their item's id."""
        self._asking: Turn | None = None
        self._open: Turn | None = None

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
        unheard = dict(self._unheard)
        reply = self.replies.start(
            prompt or self.prompt(),
            apart=apart,
            metadata=metadata,
            prepare=lambda prompt: with_words(prompt, unheard),
        )
        self.replies.commit(reply)
        return reply

    def interrupt(self, reason: str, reply_id: str | None = None) -> bool:
        """Silences and cancels the active reply, or the one named. False: there is none."""
        reply = self.replies.running.get(reply_id) if reply_id else self.replies.active
        return reply is not None and self.replies.cancel(reply, reason)

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
        elif rule == "duck":
            self._floor.duck(DUCK_DB)
        self._scope.start(self._take(turn), f"turn {utterance.id}")

    def _claim(self, turn: Turn) -> None:
        """From now on this is the question that is answered, unless a later one is already."""
        began_ms = turn.utterance.start_ms
        later = self._asking is not None and self._asking.utterance.start_ms > began_ms
        if turn.claimed or later:
            return
        turn.claimed, self._asking = True, turn
        rule, opened_by = self.ear.rules.interrupt, turn.utterance.opened_by
        if rule in ("stop", "duck") or (rule == "wake" and opened_by == "wake"):
            self.interrupt("turn_detected")
        self._floor.duck(0.0)

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
        self._unheard[utterance.id] = turn
        item = Item(utterance.id, role="user", spoken=True)
        previous_id = self.history.add(item)
        self._tell(events.QuestionEnded(item=item, previous_id=previous_id, audio_ms=utterance.ms))
        self._tell(events.ItemAdded(item=item, previous_id=previous_id))

    # ---- a turn ----

    async def _take(self, turn: Turn) -> None:
        """Hears the question out, whatever happens meanwhile, and has it answered if it still counts."""
        utterance = turn.utterance
        if utterance.opened_by == "push":
            await utterance.ended()  # it may stay open for minutes, and would keep a recogniser
        text, failure = await self._hear(turn)
        if (await utterance.ended()).is_question:
            self._tell_words(utterance, text, failure)
        turn.hear(text, failure)
        self._unheard.pop(utterance.id, None)
        await self._answer(turn)
        turn.decided.set()

    async def _hear(self, turn: Turn) -> tuple[str | None, AirosError | None]:
        """What was said, or why that is not known."""
        try:
            async with self._borrow(self.manner.reach) as engines:
                text = await hear(
                    turn.utterance,
                    engines,
                    self.hints,
                    lambda said: self._heard_partial(turn, said),
                )
        except AirosError as error:
            return None, error
        except Exception as error:  # boundary: a mistake costs its question, not the conversation
            log.exception("Hearing failed")
            return None, EngineError("asr", str(error) or type(error).__name__)
        return text, None

    def _tell_words(
        self, utterance: Utterance, text: str | None, failure: AirosError | None
    ) -> None:
        if failure is not None:
            self._tell(events.TranscriptionFailed(item_id=utterance.id, message=str(failure)))
            return
        if utterance.id in self.history:
            self.history.change(utterance.id, text=text or "")
        self._tell(events.Transcribed(item_id=utterance.id, text=text or "", audio_ms=utterance.ms))

    def _heard_partial(self, turn: Turn, partial: events.TranscriptChanged) -> None:
        """A draft is begun as soon as the words are complete, and thrown away when they change."""
        self._tell(partial)
        prompt = self._question(turn, partial.text)
        if turn.draft is not None and turn.draft.prompt != prompt:
            self._discard(turn)
        complete = partial.judgement is Judgement.COMPLETE
        if turn.draft is None and complete and self.ear.rules.answer != "never":
            turn.draft = self.replies.start(prompt)

    def _question(self, turn: Turn, text: str | None) -> Prompt:
        """What the answer depends on: all that was said, but by the user nothing after the question."""
        asked = Item(turn.utterance.id, role="user", text=text, spoken=True)
        known = iter(self.history)
        before = tuple(takewhile(lambda item: item.id != asked.id, known))
        after = (item for item in known if item.role != "user" or not item.spoken)
        return replace(self.manner, items=(*before, asked, *after))

    async def _answer(self, turn: Turn) -> None:
        """Now, or where a reply may not be interrupted, when it has ended; or not at all."""
        if not self._is_to_be_answered(turn):
            self._drop(turn)
            return
        self._claim(turn)
        while True:
            later = self._asking
            if later not in (turn, None) and self.ear.rules.interrupt != "never":
                await later.decided.wait()  # it may have been nothing
                if self._asking is later:
                    self._discard(turn)
                    return
            elif self.replies.active is not None:
                await self.replies.active.ended.wait()
            else:
                break
        prompt, draft = self._question(turn, turn.text), turn.draft
        if draft is None or draft.outcome is not None or draft.prompt != prompt:
            self._discard(turn)
            asked = {turn.utterance.id: turn}
            draft = self.replies.start(prompt, prepare=lambda prompt: with_words(prompt, asked))
        turn.draft = None
        draft.stamp("recognise", turn.heard_at)
        self.replies.commit(draft, turn.closed_at)

    def _is_to_be_answered(self, turn: Turn) -> bool:
        utterance, rule = turn.utterance, self.ear.rules.answer
        if rule == "never" or utterance.outcome is None or not utterance.outcome.is_question:
            return False
        is_for_us = turn.text or turn.failure or utterance.opened_by != "speech"
        return bool(is_for_us) or rule == "always"

    def _drop(self, turn: Turn) -> None:
        """It was nothing that is answered: what was going on goes on."""
        self._discard(turn)
        if self._asking is turn:
            self._asking = None
        if self._open is None:
            self._floor.duck(0.0)

    def _discard(self, turn: Turn) -> None:
        if turn.draft is not None:
            self.replies.cancel(turn.draft, "superseded")
            turn.draft = None

    def _tell(self, event: events.Event) -> None:
        self._face_tell(replace(event, session_id=self.id))
