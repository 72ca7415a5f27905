"""One question, from its first sound to its answer: heard out, and answered if it still counts."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any, Protocol

from airos_edge.errors import AirosError, EngineError
from airos_edge.voice import events
from airos_edge.voice.ear import Ear
from airos_edge.voice.hear import hear
from airos_edge.voice.history import History, Item, words_of
from airos_edge.voice.partials import Partials
from airos_edge.voice.ports import Hints, Place, Prompt, Transcript
from airos_edge.voice.replies import Borrow, Replies
from airos_edge.voice.reply import Reply
from airos_edge.voice.tags import nearest
from airos_edge.voice.utterance import Judgement, Utterance

log = logging.getLogger(__name__)


class Talk(Protocol):
    """The conversation that a turn is part of."""

    ear: Ear
    history: History
    replies: Replies
    borrow: Borrow
    manner: Prompt
    hints: Hints

    @property
    def heard_ms(self) -> int: ...
    def tell(self, event: events.Event) -> None: ...
    def tell_question(self, question: Item, audio_ms: int) -> None: ...
    def interrupt(self, reason: str) -> bool: ...


class Turns(Protocol):
    """The questions of that conversation. `asking` is the one that is answered."""

    asking: "Turn | None"

    def claim(self, turn: "Turn") -> None: ...
    def drop(self, turn: "Turn") -> None: ...


class Turn:
    """`heard` is set when there are words, or none will come, and `decided` when it is answered or will
    not be. Times are the loop's. `expecting`: phrases that may be an answer to what was asked of it.
    `is_question` False: a recording of which only the words are wanted."""

    def __init__(
        self,
        utterance: Utterance,
        talk: Talk,
        turns: Turns,
        expecting: tuple[str, ...] = (),
        is_question: bool = True,
    ) -> None:
        self.utterance = utterance
        self.claimed = False
        self.is_answered = False
        """By a reply that somebody else has asked for."""
        self.closed_at: float | None = None
        self.heard = asyncio.Event()
        self.decided = asyncio.Event()
        self._talk = talk
        self._turns = turns
        self._is_question = is_question
        self._expecting = expecting
        self._partials = Partials()
        self._words: Transcript | None = None
        self._failure: AirosError | None = None
        self._heard_at: float | None = None
        self._draft: Reply | None = None
        self._went = Place.LOCAL
        """How far its discarded drafts went: what was sent cannot be taken back."""

    async def take(self) -> None:
        """Hears the question out, whatever happens meanwhile, and has it answered if it still counts."""
        if self.utterance.opened_by == "push":
            # It may stay open for minutes, and would keep a recogniser all the while.
            await self.utterance.ended()
        await self._hear()
        if (await self.utterance.ended()).is_question and self._is_known:
            self._tell_words()
        self._heard_at = asyncio.get_running_loop().time()
        self.heard.set()
        if self._is_question:
            await self._answer()
        self.decided.set()

    async def words(self) -> Transcript | None:
        """Waits for them. Raises what kept them from being heard."""
        await self.heard.wait()
        if self._failure is not None:
            raise self._failure
        return self._words

    @property
    def _is_known(self) -> bool:
        """Whether anybody was told of the item: not of a recording that only a single reply is to read."""
        return self._is_question or self.utterance.id in self._talk.history

    def discard_draft(self) -> None:
        if self._draft is not None:
            self._talk.replies.cancel(self._draft, "superseded")
            self._went = max(self._went, self._draft.furthest)
            self._draft = None

    # ---- hearing ----

    async def _hear(self) -> None:
        talk = self._talk
        hints = replace(talk.hints, expecting=self._expecting)
        try:
            async with talk.borrow(talk.manner.reach) as engines:
                words = await hear(self.utterance, engines, hints, self._heard_partial)
                self._words = words and self._in_a_language_of_here(words)
        except AirosError as error:
            self._failure = error
        except Exception as error:  # boundary: a mistake costs its question, not the conversation
            log.exception("Hearing failed")
            self._failure = EngineError("asr", str(error) or type(error).__name__)

    def _heard_partial(self, partial: events.TranscriptChanged) -> None:
        """A draft is begun as soon as the words are complete, and thrown away when they change."""
        if self._is_known:
            self._talk.tell(replace(partial, agreed=self._partials.next(partial.text)))
        if not self._is_question:
            return
        words = Transcript(partial.text, language=partial.language, went=partial.went)
        prompt = self._prompt(self._in_a_language_of_here(words))
        if self._draft is not None and self._draft.prompt != prompt:
            self.discard_draft()
        is_complete = partial.judgement is Judgement.COMPLETE
        if self._draft is None and is_complete and self._talk.ear.rules.answer != "never":
            self._draft = self._talk.replies.start(prompt)

    def _in_a_language_of_here(self, words: Transcript) -> Transcript:
        """A recogniser may hear a language that nobody speaks here: then it is not known which it was."""
        language = words.language and nearest(words.language, self._talk.hints.languages)
        return replace(words, language=language)

    def _tell_words(self) -> None:
        item_id, history = self.utterance.id, self._talk.history
        if self._failure is not None:
            failed = events.TranscriptionFailed(item_id=item_id, message=str(self._failure))
            self._talk.tell(failed)
            return
        words = self._words or Transcript("")
        item = history.get(item_id) if item_id in history else None
        if item is not None and item.text is None:  # a client may have put another in its place
            history.change(item_id, **_fields(words, item))
        self._talk.tell(
            events.Transcribed(
                item_id=item_id,
                text=words.text,
                audio_ms=self.utterance.ms,
                rest=self._partials.rest(words.text),
                alternatives=words.alternatives,
                sure=words.sure,
                certainty=words.certainty,
                language=words.language,
            )
        )

    # ---- answering ----

    async def _answer(self) -> None:
        """Now, or where a reply may not be interrupted, when it has ended; or not at all."""
        if self.is_answered:
            self.discard_draft()
            return
        if not self._is_to_be_answered():
            self._turns.drop(self)
            return
        self._turns.claim(self)
        if not await self._comes_its_turn():
            self.discard_draft()
            return
        prompt, draft = self._prompt(self._words), self._draft
        if draft is None or draft.outcome is not None or draft.prompt != prompt:
            self.discard_draft()
            mine = {self.utterance.id: self}
            draft = self._talk.replies.start(prompt, lambda prompt: with_words(prompt, mine))
        self._draft = None
        draft.stamp("recognise", self._heard_at)
        draft.goes(max(self._went, prompt.went or Place.LOCAL))
        self._talk.replies.commit(draft, self.closed_at)

    def _is_to_be_answered(self) -> bool:
        ended, rule = self.utterance.outcome, self._talk.ear.rules.answer
        if rule == "never" or ended is None or not ended.is_question:
            return False
        said_something = self._words is not None and self._words.text
        is_for_us = said_something or self._failure or self.utterance.opened_by != "speech"
        return bool(is_for_us) or rule == "always"

    async def _comes_its_turn(self) -> bool:
        """Waits while another reply is spoken. False when a later question is answered instead."""
        talk, turns = self._talk, self._turns
        while True:
            later, active = turns.asking, talk.replies.active
            if later not in (self, None) and talk.ear.rules.interrupt != "never":
                await later.decided.wait()  # it may have been nothing
                if turns.asking is later:
                    return False
            elif active is not None:
                await active.ended.wait()
            else:
                return True

    def _prompt(self, words: Transcript | None) -> Prompt:
        """What the answer depends on: all that was said, but by the user nothing after the question.

        The question comes last, whatever came while it was being heard; but it is no answer to what the box
        asked after it in a reply that nobody may interrupt.
        """
        too_late = "approval_request" if self._talk.ear.rules.interrupt == "never" else None
        asked = Item(self.utterance.id, role="user", spoken=True, **_fields(words))
        known = iter(self._talk.history)
        before = tuple(takewhile(lambda item: item.id != asked.id, known))
        others = (item for item in known if item.role != "user" or not item.spoken)
        after = (item for item in others if item.kind != too_late)
        return replace(self._talk.manner, items=(*before, *after, asked))


async def with_words(prompt: Prompt, turns: Mapping[str, Turn]) -> Prompt:
    """The prompt with what its questions turned out to say, those of these turns, by their item's id.

    Waits for their words. Raises what kept one of them from being heard.
    """
    items = [
        replace(item, **_fields(await turns[item.id].words(), item)) if item.id in turns else item
        for item in prompt.items
    ]
    return replace(prompt, items=tuple(items))


def _fields(words: Transcript | None, item: Item | None = None) -> dict[str, Any]:
    """What an item holds of a transcript; of several parts, it is that of the one without a text."""
    if words is None:
        return {"text": None}
    fields = {
        "text": words.text,
        "alternatives": words.alternatives,
        "sure": words.sure,
        "language": words.language,
        "went": words.went,
    }
    if item is None or not item.parts:
        return fields
    parts = tuple(
        part if part.text is not None else replace(part, text=words.text) for part in item.parts
    )
    return {**fields, "parts": parts, "text": words_of(parts)}
