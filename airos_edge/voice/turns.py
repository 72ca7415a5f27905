"""The questions of one conversation: begun and ended as the ear says; which of them is answered."""

import asyncio
from collections.abc import Sequence

from airos_edge.voice import events
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ear import (
    PATIENCE_MS,
    Closed,
    Confirmed,
    Cue,
    Opened,
    Paused,
    Resumed,
    Woke,
)
from airos_edge.voice.floor import Floor
from airos_edge.voice.flow import Scope
from airos_edge.voice.history import Item
from airos_edge.voice.turn import Talk, Turn
from airos_edge.voice.utterance import Ended, EndReason, Utterance

DUCK_DB = 15.0
"""How much quieter a reply becomes while someone may be talking over it."""


class Turns:
    """`asking` is the turn whose question is answered. The tasks run in the conversation's scope."""

    def __init__(self, talk: Talk, floor: Floor, scope: Scope) -> None:
        self.asking: Turn | None = None
        self._talk = talk
        self._floor = floor
        self._scope = scope
        self._running: dict[str, Turn] = {}
        """Those that go on, by the id of the question's item."""
        self._open: Turn | None = None
        self._replied_ms = 0
        """Where in the sound the latest reply ended."""

    @property
    def unheard(self) -> dict[str, Turn]:
        """Those whose words are still to come, by the id of the question's item."""
        return {key: turn for key, turn in self._running.items() if not turn.heard.is_set()}

    @property
    def are_over(self) -> bool:
        """Whether no question is being heard, or waits for its words or its answer."""
        return not self._running

    # ---- what the ear says ----

    def follow(self, cues: Sequence[Cue]) -> None:
        tell = self._talk.tell
        for cue in cues:
            match cue:
                case Woke(word, score, loudness):
                    tell(events.Woke(word=word, score=score, loudness_dbfs=loudness))
                case Opened(utterance):
                    self._begin(utterance)
                case Confirmed(utterance):
                    tell(events.SpeechConfirmed(item_id=utterance.id))
                    if self._open is not None and self._talk.ear.rules.interrupt == "duck":
                        self.claim(self._open)
                case Paused(utterance):
                    tell(events.SpeechPaused(item_id=utterance.id))
                case Resumed(utterance):
                    tell(events.SpeechResumed(item_id=utterance.id))
                case Closed():
                    self._close(cue)

    def _begin(self, utterance: Utterance) -> None:
        turn = Turn(utterance, self._talk, self, self._expected(utterance.start_ms))
        self._open = self._running[utterance.id] = turn
        self._talk.tell(
            events.SpeechStarted(
                item_id=utterance.id,
                opened_by=utterance.opened_by,
                start_ms=utterance.start_ms,
            )
        )
        rule = self._talk.ear.rules.interrupt
        if utterance.opened_by in ("wake", "follow_up") or rule == "stop":
            self.claim(turn)
        elif rule == "duck":
            self._floor.duck(DUCK_DB)
        task = self._scope.start(turn.take(), f"turn {utterance.id}")
        task.add_done_callback(lambda _: self._running.pop(utterance.id))

    def _close(self, closed: Closed) -> None:
        talk, utterance, turn = self._talk, closed.utterance, self._open
        self._open = None
        talk.tell(
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
        talk.history.recordings.add(utterance.id, AudioChunk(utterance.pcm))
        talk.tell_question(Item(utterance.id, role="user", spoken=True), utterance.ms)

    def recognise(self, item_id: str, recording: Sequence[AudioChunk]) -> None:
        """Has the words of a recording found that an item was made of."""
        utterance = Utterance(item_id, "push", self._talk.heard_ms)
        for chunk in recording:
            utterance.write(chunk)
        utterance.end(Ended(EndReason.COMMIT, utterance.start_ms + utterance.ms))
        turn = Turn(utterance, self._talk, self, is_question=False)
        self._running[item_id] = turn
        task = self._scope.start(turn.take(), f"recording {item_id}")
        task.add_done_callback(lambda _: self._running.pop(item_id, None))

    # ---- what the box asks ----

    def is_asked(self, outcome: events.Outcome, at_ms: int) -> bool:
        """A reply ended there in the sound: whether it was a question, heard out, that nobody's words
        have overtaken."""
        self._replied_ms = at_ms
        is_whole = outcome.expects and outcome.status == "completed"
        return bool(is_whole) and all(turn.decided.is_set() for turn in self._running.values())

    def _expected(self, start_ms: int) -> tuple[str, ...]:
        """What may answer the latest reply, for who begins to speak before or soon after its end."""
        latest = self._talk.replies.latest
        if latest is None or latest.done is None:
            return ()
        is_late = latest.outcome is not None and start_ms > self._replied_ms + PATIENCE_MS
        return () if is_late else latest.done.expects

    # ---- for each of them ----

    def claim(self, turn: Turn) -> None:
        """From now on this is the question that is answered, unless a later one is already."""
        began_ms = turn.utterance.start_ms
        later = self.asking is not None and self.asking.utterance.start_ms > began_ms
        if turn.claimed or later:
            return
        turn.claimed, self.asking = True, turn
        rule, opened_by = self._talk.ear.rules.interrupt, turn.utterance.opened_by
        if rule in ("stop", "duck") or (rule == "wake" and opened_by == "wake"):
            self._talk.interrupt("turn_detected")
        self._floor.duck(0.0)

    def drop(self, turn: Turn) -> None:
        """It was nothing that is answered: what was going on goes on."""
        self._talk.tell(events.QuestionDropped(item_id=turn.utterance.id))
        turn.discard_draft()
        if self.asking is turn:
            self.asking = None
        if self._open is None:
            self._floor.duck(0.0)
