"""A voice that is made of several: what fails makes way for the next, which says what was not said yet."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from functools import partial

from airos_edge.engines.in_order import InOrder
from airos_edge.engines.loading import Loading
from airos_edge.errors import EngineError
from airos_edge.voice.ports import Place, Speaking, Speech, Tts
from airos_edge.wyoming.sound import OneRate

log = logging.getLogger(__name__)


def nobody(place: Place) -> None:
    pass


class TtsInOrder(InOrder[Tts]):
    def telling(self, goes: Callable[[Place], None]) -> Tts:
        """The same, which tells before each part is asked how far the text goes by that."""
        return _Telling(self, goes)

    def voices(self, language: str) -> dict[str, str] | None:
        """The names by which the voice that speaks now can be asked; None: it does not tell them."""
        serving = self.serving
        tell = getattr(serving.engine, "voices", None) if serving else None
        return tell(language) if tell else None

    def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        return self.speak_telling(text, how, nobody)

    async def speak_telling(
        self, text: AsyncIterator[str], how: Speaking, goes: Callable[[Place], None]
    ) -> AsyncGenerator[Speech, None]:
        """As the first that works says it, all in the rate of its first sound. One that fails makes way for
        the next, which says what has not been said. Raises what the last of them raised."""
        script = Script(text)
        asked: list[Loading[Tts]] = []
        failure: EngineError | None = None
        rate: OneRate | None = None
        while (part := await self.next(asked)) is not None:
            asked.append(part)
            try:
                with part.used() as tts:
                    text_left = script.unsaid(partial(goes, part.place))
                    made = tts.speak(text_left, self._asked_of(part, tts, how))
                    async with self.asked(part, made, script.given_at) as pieces:
                        async for piece in pieces:
                            self.note_worked(part)
                            script.said(piece.text)
                            rate = rate or OneRate(piece.chunk.rate_hz)
                            yield replace(piece, chunk=rate.of(piece.chunk))
                return
            except EngineError as error:
                failure = error
                self.note_failed(part, error)
                log.warning("tts: %s", error)
        raise failure or self.unavailable()

    def _asked_of(self, part: Loading[Tts], tts: Tts, how: Speaking) -> Speaking:
        """Who stands in is not asked for a voice of another engine."""
        if how.voice is None or part is self.parts[0]:
            return how
        tell = getattr(tts, "voices", None)
        known = tell(how.language) if tell else ()
        return how if how.voice in known else replace(how, voice=None)


class _Telling:
    def __init__(self, order: TtsInOrder, goes: Callable[[Place], None]) -> None:
        self.name, self.place = order.name, order.place
        self._order = order
        self._goes = goes

    def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        return self._order.speak_telling(text, how, self._goes)


class Script:
    """Sentences that are to be said, and how much of them has been."""

    def __init__(self, text: AsyncIterator[str]) -> None:
        self._text = text
        self._taken: list[str] = []
        self._said = 0
        self._given_at: float | None = None

    def said(self, text: str) -> None:
        """The next of it, as `Speech.text` tells it."""
        self._said += len(text)

    def given_at(self) -> float | None:
        """The loop time at which a voice was given the sentence that it is at; None: it waits for one."""
        return self._given_at

    async def unsaid(self, goes: Callable[[], None]) -> AsyncGenerator[str, None]:
        """What was taken and not said, sentence by sentence, then what comes; `goes` is called before each."""
        begin = 0
        for sentence in tuple(self._taken):
            left = sentence[max(self._said - begin, 0) :]
            begin += len(sentence)
            if left.strip():
                yield self._given(left, goes)
        self._given_at = None
        async for sentence in self._text:
            self._taken.append(sentence)
            yield self._given(sentence, goes)
            self._given_at = None

    def _given(self, sentence: str, goes: Callable[[], None]) -> str:
        goes()
        self._given_at = asyncio.get_running_loop().time()
        return sentence
