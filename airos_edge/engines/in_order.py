"""A recogniser and a voice that are made of several: the first that is there and works serves.

While the best is loading, the next stands in; what fails makes way for the next, which hears the same
recording from its start, or says what has not been said yet.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Generic, TypeVar

from airos_edge.engines.choosing import is_uri, named
from airos_edge.engines.loading import Loading
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.health import State
from airos_edge.voice.flow import Scope
from airos_edge.voice.ports import Asr, Hints, Speaking, Speech, Transcript, Tts
from airos_edge.voice.utterance import Utterance
from airos_edge.wyoming.sound import OneRate

log = logging.getLogger(__name__)

E = TypeVar("E")
T = TypeVar("T")
Report = Callable[[State, str], None]


class InOrder(Generic[E]):
    """Engines of one port, the wanted one first."""

    def __init__(self, parts: Sequence[Loading[E]], report: Report) -> None:
        self.name = parts[0].name
        self.place = max(part.place for part in parts)
        """That of the furthest: anything may go so far."""
        self.parts = tuple(parts)
        self.is_loading = False
        self._report = report
        self._changed = asyncio.Event()

    @property
    def wanted(self) -> Loading[E]:
        """The first that has not failed for good: it serves, or will."""
        left = (part for part in self.parts if not part.why or part.engine is not None)
        return next(left, self.parts[0])

    @property
    def serving(self) -> Loading[E] | None:
        """Who would be asked now."""
        return next(iter(self._ready(())), None)

    @property
    def is_lost(self) -> bool:
        """Whether none of them works, or will."""
        return not self.is_loading and all(part.engine is None for part in self.parts)

    def _ready(self, asked: Collection[Loading[E]]) -> list[Loading[E]]:
        """Those that rest, or are too slow, come last."""
        ready = [part for part in self.parts if part.engine is not None and part not in asked]
        return sorted(ready, key=lambda part: part.rests or part.is_too_slow)

    async def next(self, asked: Collection[Loading[E]]) -> Loading[E] | None:
        """Who is to be asked after these; waits for what is loading where nobody stands in. None: nobody."""
        while True:
            if ready := self._ready(asked):
                return ready[0]
            if not self.is_loading:
                return None
            await self._changed.wait()

    def _change(self) -> None:
        self._changed.set()
        self._changed.clear()
        self.tell()

    # ---- loading ----

    async def open_quick(self, parts: Sequence[Loading[E]]) -> None:
        """Opens those of its parts that are there at once, all together."""
        async with Scope() as scope:
            for task in [scope.start(part.load(), f"opening {part.name}") for part in parts]:
                await task
        for part in parts:
            part.serve()
            if part.why and part.engine is None:
                log.warning("%s: %s", part.choice.port, part.why)

    def begin(self, scope: Scope) -> None:
        """Loads those that are not there yet: the best, and the next ones only if it cannot be used."""
        candidates = [] if self.is_loading else self._wanting()
        if candidates:
            self.is_loading = True
            work = self._load(candidates)
            scope.start(work, f"loading {self.parts[0].choice.port}")
        self.tell()

    def _wanting(self) -> list[Loading[E]]:
        """What is not there before the first of this box that is."""
        wanting = []
        for part in self.parts:
            if part.engine is None and not part.why:
                wanting.append(part)
            elif part.engine is not None and not is_uri(part.name):
                break
        return wanting

    async def _load(self, candidates: Sequence[Loading[E]]) -> None:
        try:
            for part in candidates:
                if await self._settled(part):
                    break
        finally:
            self.is_loading = False
            self._change()
        await self._clear_up(candidates)

    async def _settled(self, part: Loading[E]) -> bool:
        """Whether no other has to be loaded: it serves, or nobody wants any of these any more.

        What `auto` took is timed before it serves, if there is who stands in.
        """
        is_loaded = await part.load()
        if part.is_closed:
            return True
        if is_loaded:
            self._log_loaded(part)
            if not part.choice.is_tried or self.serving is None:
                part.serve()
                self._change()
            if not part.choice.is_tried or await part.try_out():
                part.serve()
                self._change()
                return True
            if part.is_closed:
                return True
            if part is not self.serving:
                await part.drop()
        log.warning("%s: %s; %s", part.choice.port, part.why, self._goes_on(part))
        self._change()
        return False

    def _log_loaded(self, part: Loading[E]) -> None:
        assert part.loaded is not None
        runs_on = f", {part.runs_on}" if part.runs_on else ""
        name, took_s = named(part.choice), part.loaded.load_s
        log.info("%s: %s loaded in %.1f s%s", part.choice.port, name, took_s, runs_on)

    def _goes_on(self, part: Loading[E]) -> str:
        left = (other for other in self.parts[self.parts.index(part) + 1 :] if not other.why)
        other = next(left, None)
        if other is None and part is self.serving:
            return "using it all the same"
        return f"using {named(other.choice)}" if other else "nothing else is there"

    async def _clear_up(self, candidates: Sequence[Loading[E]]) -> None:
        """The models that served before the best did are given up, and it is timed, if it was not."""
        best = self.serving
        if best is None or best not in candidates:
            return
        for part in self.parts:
            if part is not best and part.choice.model is not None:
                await part.drop()
        if not best.choice.is_tried and not await best.try_out():
            log.warning("%s: %s; it is used as it is configured", best.choice.port, best.why)

    # ---- health ----

    def tell(self) -> None:
        """Reports how it is: who serves, for whom it stands in, and why."""
        self._report(*self._state())

    def _state(self) -> tuple[State, str]:
        serving = self.serving
        before = self.parts if serving is None else self.parts[: self.parts.index(serving)]
        broken = [part.why for part in before if part.why and not part.is_too_slow]
        loading = [part for part in before if part.is_loading]
        if loading:
            names = " and ".join(_short(part) for part in loading)
            meanwhile = f"; {serving.name} stands in" if serving else ""
            return "starting", "; ".join([f"loading {names}{meanwhile}", *broken])
        if serving is None:
            return "failed", "; ".join(broken)
        if serving.why and not serving.is_too_slow:  # the only one there is, and it failed
            return "failed", "; ".join([*broken, serving.why])
        if broken:
            return "degraded", f"{'; '.join(broken)}; {serving.name} stands in"
        return "ok", ""

    # ---- asking ----

    def note_failed(self, part: Loading[E], error: EngineError) -> None:
        part.failed(error)
        self.tell()

    def note_worked(self, part: Loading[E]) -> None:
        part.worked()
        self.tell()

    def unavailable(self) -> EngineError:
        """What is said where there was nobody to ask."""
        first, *others = [part for part in self.parts if part.why] or self.parts
        whys = [first.why.removeprefix(f"{first.name}: "), *(other.why for other in others)]
        return EngineUnavailable(first.name, "; ".join(filter(None, whys)) or "is not there")


def _short(part: Loading[Any]) -> str:
    return part.choice.model.name if part.choice.model else part.name


class AsrInOrder(InOrder[Asr]):
    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """As the first that works makes it. One that fails before its final makes way for the next, which
        hears the recording from its start. Raises what the last of them raised."""
        asked: list[Loading[Asr]] = []
        failure: EngineError | None = None
        while (part := await self.next(asked)) is not None:
            asked.append(part)
            try:
                with part.used() as asr:
                    async with aclosing(_translated(asr.transcribe(heard, hints), part)) as parts:
                        async for transcript in parts:
                            self.note_worked(part)
                            yield transcript
                            if transcript.final:
                                return
                raise EngineError(part.name, "ended without a final transcript")
            except EngineError as error:
                failure = error
                self.note_failed(part, error)
                log.warning("asr: %s", error)
        raise failure or self.unavailable()


class TtsInOrder(InOrder[Tts]):
    def voices(self, language: str) -> dict[str, str] | None:
        """The names by which the voice that speaks now can be asked; None: it does not tell them."""
        serving = self.serving
        tell = getattr(serving.engine, "voices", None) if serving else None
        return tell(language) if tell else None

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
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
                    speech = tts.speak(script.unsaid(), self._asked_of(part, tts, how))
                    async with aclosing(_translated(speech, part)) as pieces:
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


class Script:
    """Sentences that are to be said, and how much of them has been."""

    def __init__(self, text: AsyncIterator[str]) -> None:
        self._text = text
        self._taken: list[str] = []
        self._said = 0

    def said(self, text: str) -> None:
        """The next of it, as `Speech.text` tells it."""
        self._said += len(text)

    async def unsaid(self) -> AsyncGenerator[str, None]:
        """What was taken and not said, sentence by sentence, then what comes."""
        begin = 0
        for sentence in tuple(self._taken):
            left = sentence[max(self._said - begin, 0) :]
            begin += len(sentence)
            if left.strip():
                yield left
        async for sentence in self._text:
            self._taken.append(sentence)
            yield sentence


async def _translated(
    parts: AsyncGenerator[T, None], part: Loading[Any]
) -> AsyncGenerator[T, None]:
    """What no engine may raise becomes what it may."""
    async with aclosing(parts):
        try:
            async for made in parts:
                yield made
        except EngineError:
            raise
        except Exception as error:  # boundary: whatever an engine raises, the next one is asked
            log.exception("%s failed", part.name)
            raise EngineError(part.name, str(error) or type(error).__name__) from error
