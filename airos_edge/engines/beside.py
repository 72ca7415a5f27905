"""The closed grammar of the house's commands beside a recogniser that hears anything: both hear the same
recording, and what the grammar is sure of is known at once.

A grammar always finds something, so the other has its say: words that it alone has heard are a reason to
wait for all that it hears; what both have heard is sure. One in the cloud hears only what the grammar is not
sure of, so that commands stay in the house. `asr_in_order.py` puts the two together.
"""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace

from airos_edge.errors import EngineError
from airos_edge.voice.flow import Scope, chain
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Judgement, Utterance

log = logging.getLogger(__name__)

ITS_LANGUAGE = "en"
OTHER_WORDS = 2
"""So many words that only the open one has heard make it another sentence: one may be a name misheard."""
PATIENCE_S = 8.0
"""If the open one needs longer than this for what the grammar has found a command in, it has failed."""


@dataclass(slots=True)
class Side:
    """What one of the two has told until now."""

    asr: Asr
    is_begun: bool = False
    newest: Transcript | None = None
    final: Transcript | None = None
    failure: EngineError | None = None

    @property
    def is_done(self) -> bool:
        return self.final is not None or self.failure is not None


Told = asyncio.Queue[Side]
"""Whoever of the two has told something new."""


async def beside(
    closed_asr: Asr, open_asr: Asr, heard: Utterance, hints: Hints, worked: Callable[[], None]
) -> AsyncGenerator[Transcript, None]:
    """What the two make of a recording in the grammar's language: judgements are the grammar's, words the open
    one's where it has any.

    `worked` is called whenever the open one has told something. Raises EngineError where that fails before
    the grammar is sure; a grammar that fails leaves it to the other, and the log says so.
    """
    closed, open_one = Side(closed_asr), Side(open_asr)
    told: Told = asyncio.Queue()
    partials = Partials(closed, open_one, heard)
    async with Scope() as scope:

        def begin(side: Side) -> None:
            side.is_begun = True
            scope.start(_listen(side, heard, hints, told), f"{side.asr.name}, one of two")

        begin(closed)
        if open_asr.place is not Place.CLOUD:
            begin(open_one)
        while (found := _decided(closed, open_one, hints)) is None:
            if closed.is_done and not open_one.is_begun:
                begin(open_one)
            side = await _next(told, closed, open_one)
            if side is open_one and side.failure is None:
                worked()
            partial = partials.after(side)
            if partial is not None:
                yield replace(partial, went=None if open_one.is_begun else closed_asr.place)
        if closed.failure is not None:
            log.warning("%s; going by %s alone", closed.failure, open_asr.name)
        yield replace(found, went=None if open_one.is_begun else closed_asr.place)


async def _next(told: Told, closed: Side, open_one: Side) -> Side:
    """Who tells something next. An open one that takes too long has failed, if there is a command."""
    limit_s = PATIENCE_S if closed.final is not None and closed.final.text else None
    try:
        async with asyncio.timeout(limit_s):
            return await told.get()
    except TimeoutError:
        failure = f"no transcript {PATIENCE_S:g} s after the grammar's"
        open_one.failure = EngineError(open_one.asr.name, failure)
        return open_one


async def _listen(side: Side, heard: Utterance, hints: Hints, told: Told) -> None:
    try:
        async with chain(side.asr.transcribe(heard, hints), name=side.asr.name) as transcripts:
            async for transcript in transcripts:
                side.newest = transcript
                if transcript.final:
                    side.final = transcript
                told.put_nowait(side)
                if transcript.final:
                    return
        raise EngineError(side.asr.name, "ended without a final transcript")
    except EngineError as error:
        side.failure = error
        told.put_nowait(side)


class Partials:
    """What is told while they hear.

    A whole command is told in the grammar's words: an answer is begun to it, which is right if these are
    what was said. Words of the open one are told once each time that it has heard them, as two partials
    that agree are believed; a judgement alone goes to the ear directly.
    """

    def __init__(self, closed: Side, open_one: Side, heard: Utterance) -> None:
        self._closed = closed
        self._open = open_one
        self._heard = heard
        self._is_command = False
        """What was told last is a whole command."""

    def after(self, side: Side) -> Transcript | None:
        """What is told when one of them has told something new."""
        mine = self._closed.newest
        other = self._open.newest
        if side.is_done or side.newest is None:
            return None
        if mine is None or self._closed.failure is not None:
            return other
        was_command, self._is_command = self._is_command, False
        if other is None or not other.text:
            self._is_command = mine.judgement is Judgement.COMPLETE
            return mine
        if _is_another(other, mine):
            other = replace(other, judgement=Judgement.REJECT)
        elif mine.judgement is Judgement.COMPLETE:
            self._is_command = True
            return None if was_command and side is self._open else mine
        else:
            other = replace(other, judgement=mine.judgement)
        if side is self._open or was_command:
            return other
        if other.judgement is not None:
            self._heard.judge(other.judgement)
        return None


def _decided(closed: Side, open_one: Side, hints: Hints) -> Transcript | None:
    """What was said, as soon as that is known. Raises what the open one failed with."""
    command, words = closed.final, open_one.final
    if command is not None and command.text:
        is_answer = command.text in hints.expecting
        is_sure = is_answer or (command.sure and not command.alternatives)
        other = open_one.newest
        if is_sure and (other is None or not _is_another(other, command)):
            return command
    if open_one.failure is not None:
        raise open_one.failure
    if words is None or not closed.is_done:
        return None
    if command is None or not command.text:
        return words
    return _agreed(command, words)


def _agreed(command: Transcript, words: Transcript) -> Transcript:
    """Of two finals: what both have heard is sure; where they differ, it is what the open one has heard, if
    that is anything."""
    for text in (command.text, *command.alternatives):
        if plain(text) == plain(words.text):
            return replace(command, text=text, alternatives=(), sure=True)
    return words if words.text else command


def _is_another(words: Transcript, command: Transcript) -> bool:
    """Whether the open one has heard another sentence than the grammar has."""
    if words.language is not None and not is_its_language(words.language):
        return True
    more = Counter(plain(words.text)) - Counter(plain(command.text))
    return sum(count for word, count in more.items() if word.isalpha()) >= OTHER_WORDS


def is_its_language(language: str) -> bool:
    return language.partition("-")[0] == ITS_LANGUAGE


def plain(text: str) -> tuple[str, ...]:
    """Its words, without what is not spoken."""
    return tuple(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower()))
