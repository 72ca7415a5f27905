"""The service `asr`: sound in, its words out, as soon as our own ears say that the question has ended."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Event

from airos_edge.errors import AirosError
from airos_edge.voice import events
from airos_edge.voice.audio import samples_of
from airos_edge.voice.ear import PATIENCE_MS
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.ports import Hints, Mouth, OpenMouth, Says
from airos_edge.voice.session import Session
from airos_edge.voice.utterance import Ended
from airos_edge.wyoming.connection import Connection
from airos_edge.wyoming.frames import parsed
from airos_edge.wyoming.sound import EarSound

SILENT_S = 15.0
"""A stream in which nobody speaks for so long holds no question. By the clock: a recording that is sent
as fast as it can be may begin with any silence."""
AT_ONCE = samples_of(1000)
"""To hear a second takes some milliseconds, in which nobody else is served."""
WAKE_WORD = "wake_word"
"""What a box tells another in the context of `transcribe`: the wake word with which the sound begins."""

OpenSession = Callable[[Callable[[events.Event], None], OpenMouth, TurnRules], Session]


class Asr:
    """`stack` is left with the connection."""

    types = ("transcribe",)

    def __init__(
        self,
        connection: Connection,
        open_session: OpenSession,
        rules: TurnRules,
        stack: AsyncExitStack,
    ) -> None:
        self._connection = connection
        self._open_session = open_session
        # Nobody is answered here, and what opens a question is that somebody speaks.
        self._rules = replace(rules, answer="never", interrupt="never")
        self._stack = stack
        self._asked = Transcribe()
        self._question: Question | None = None

    async def take(self, event: Event) -> None:
        match event.type:
            case "transcribe":
                self._asked = parsed(event, Transcribe.from_event)
            case "audio-start":
                await self._begin()
            case "audio-chunk" if self._question is not None:
                await self._question.feed(event)
            case "audio-stop" if self._question is not None:
                self._question.stop()

    async def _begin(self) -> None:
        if self._question is not None:
            self._question.forget()
        await self._stack.aclose()  # the session of the question before
        question = Question(self._connection, self._asked)
        session = self._open_session(question.tell, no_mouth, self._rules)
        await self._stack.enter_async_context(session)
        self._stack.callback(question.forget)
        self._question = question
        question.begin(session)


class Question:
    """One stream of sound and its one transcript. Sound that comes after the transcript is not heard."""

    def __init__(self, connection: Connection, asked: Transcribe) -> None:
        self._connection = connection
        self._asked = asked
        self._session: Session | None = None
        self._sound = EarSound()
        self._is_over = self._is_started = False
        self._undecided: set[str] = set()
        self._meant: set[str] = set()
        """Those that were speech, and not only a cough."""
        self._silence: asyncio.TimerHandle | None = None

    def begin(self, session: Session) -> None:
        self._session = session
        asked = self._asked
        if isinstance(asked.language, str):
            session.hints = Hints(asked.language)
        wake_word = asked.context.get(WAKE_WORD) if isinstance(asked.context, dict) else None
        if isinstance(wake_word, str):
            session.open("wake", PATIENCE_MS, wake_word)
        self._watch_silence()

    async def feed(self, event: Event) -> None:
        first, *more = self._sound.of(event).pieces(AT_ONCE)
        if self._session is not None:
            self._session.feed(first)
        for piece in more:
            await asyncio.sleep(0)
            if self._session is not None:
                self._session.feed(piece)

    def stop(self) -> None:
        """The sound is over: what is open ends."""
        if self._session is not None:
            self._is_over = True
            self._session.commit()
            self._end_if_decided()

    def forget(self) -> None:
        self._session = None
        if self._silence is not None:
            self._silence.cancel()

    def tell(self, event: events.Event) -> None:
        if self._session is None:
            return
        match event:
            case events.SpeechStarted(item_id=item_id):
                self._undecided.add(item_id)
            case events.SpeechConfirmed(item_id=item_id):
                self._meant.add(item_id)
            case events.TranscriptChanged(agreed=agreed):
                self._send_chunk(agreed)
            case events.SpeechStopped(item_id=item_id, reason=reason):
                if not Ended(reason, event.end_ms).is_question:
                    self._undecided.discard(item_id)
                    self._end_if_decided()
            case events.Transcribed(item_id=item_id, text=text, rest=rest):
                self._undecided.discard(item_id)
                if text or item_id in self._meant:
                    self._transcript(text, rest)
                else:
                    self._end_if_decided()
            case events.TranscriptionFailed(message=message):
                self.forget()
                self._connection.fail(AirosError(message))

    def _end_if_decided(self) -> None:
        if self._is_over and not self._undecided and self._session is not None:
            self._transcript("")

    def _transcript(self, text: str, rest: str = "") -> None:
        self.forget()
        self._start()
        self._send_chunk(rest)
        self._connection.post(Transcript(text, language=self._asked.language))
        self._connection.post(TranscriptStop())

    def _send_chunk(self, text: str) -> None:
        if text:
            self._start()
            self._connection.post(TranscriptChunk(text))

    def _start(self) -> None:
        if not self._is_started:
            self._is_started = True
            self._connection.post(TranscriptStart(language=self._asked.language))

    def _watch_silence(self) -> None:
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(SILENT_S, self._silent)

    def _silent(self) -> None:
        if self._undecided:
            self._watch_silence()
        elif self._session is not None:
            self._transcript("")


def no_mouth(says: Says) -> Mouth:
    raise AirosError("nobody is answered aloud here")
