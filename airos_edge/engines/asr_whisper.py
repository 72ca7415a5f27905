"""Whisper, by faster-whisper: any of its languages, anything that is said.

It hears a recording as a whole, so while somebody speaks it hears again and again what there is until
then. What two of these texts in a row agree on is what is told to those who cannot take it back
(`voice/partials.py`; ufal/whisper_streaming calls it local agreement). At the end it hears once more,
unless nothing but silence came after the last time.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from time import monotonic

from airos_edge.engines.rehearing import Rehearing
from airos_edge.engines.thread import Lane, Stopped
from airos_edge.engines.wanted import WantedAsr
from airos_edge.engines.whisper import NAME, Phrase, Whisper, open_whisper
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ, AudioChunk
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Utterance
from airos_edge.voice.waking import without

SETTLES_S = 20.0
"""Of what is longer, all but the last phrase is heard no more: each time would take longer than the one
before, and a window is 30 s."""
SHORTEST_S = 0.1
"""In less than that nothing is said."""
KNOWN_LANGUAGE = 0.9
"""So probable, a language is not asked about again in this recording: that takes half of each hearing."""
KEPT_S = 10.0
SLOW_S = 1.0
"""A model that takes longer is not asked while somebody speaks: at their end, it would still be at it."""
UNFINISHED = " .…,-–—。，、"
"""How it ends a sentence that was cut off; left out while it goes on."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is made of a recording until now: phrases that are settled, and those from that sample on."""

    settled: tuple[Phrase, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    from_sample: int = 0
    language: str | None = None
    """In Whisper's words. None: not known yet."""
    is_sure_of_language: bool = False

    @property
    def text(self) -> str:
        return "".join(phrase.text for phrase in (*self.settled, *self.phrases)).strip()

    @property
    def certainty(self) -> float | None:
        """The mean of its tokens, about: a phrase counts by its length."""
        said = (*self.settled, *self.phrases)
        letters = sum(len(phrase.text) for phrase in said)
        if not letters:
            return None
        logs = sum(len(phrase.text) * math.log(max(phrase.certainty, 1e-9)) for phrase in said)
        return min(1.0, math.exp(logs / letters))


class WhisperAsr:
    """One model, which hears one recording at a time; what is less certain than `threshold` is not sure."""

    name = NAME
    place = Place.LOCAL

    def __init__(self, whisper: Whisper, threshold: float = 0.5) -> None:
        self.runs_on = whisper.runs_on
        self._whisper = whisper
        self._threshold = threshold
        self._lane = Lane(NAME)
        self._took_s = 0.0
        """How long the last hearing took."""

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """A partial each time that it was heard, also where its words are the same; then the final.

        Partials are made while the model has nothing else to do. Cancelled, it finishes the window that
        it is at, and what comes of that is discarded. Raises EngineError.
        """
        tags = self._tags(hints)
        again, known, seen = Rehearing(), Heard(), 0
        async for chunk in heard:
            again.feed(chunk)
            seen += chunk.samples
            is_newest = seen == heard.samples and heard.outcome is None
            is_worth_it = again.is_silent or self._took_s <= SLOW_S
            if is_newest and again.is_due and is_worth_it and self._lane.is_free:
                again.heard_ms = again.ms
                known = await self._hear(heard, known, tags)
                yield self._transcript(heard, known, tags)
        ended = await heard.ended()
        if not ended.is_question:
            yield Transcript("", final=True)
            return
        if not again.was_heard_to(ended.speech_end_ms - heard.start_ms):
            known = await self._hear(heard, known, tags)
        certainty = known.certainty
        yield replace(
            self._transcript(heard, known, tags),
            text=without(heard.wake_word, known.text),
            final=True,
            sure=certainty is None or certainty >= self._threshold,
            certainty=certainty,
        )

    def _tags(self, hints: Hints) -> Mapping[str, str]:
        """What may be spoken: what the owner calls it, by what Whisper does. Raises EngineError."""
        tags: dict[str, str] = {}
        for tag in (hints.language, *hints.languages):
            tags.setdefault(self._whisper.code_of(tag), tag)
        return tags

    def _transcript(self, heard: Utterance, known: Heard, tags: Mapping[str, str]) -> Transcript:
        text = without(heard.wake_word, known.text).rstrip(UNFINISHED)
        is_told = len(tags) > 1 and known.language is not None
        return Transcript(text, language=tags[known.language or ""] if is_told else None)

    async def _hear(self, heard: Utterance, known: Heard, tags: Mapping[str, str]) -> Heard:
        """What is known after hearing all that was recorded until now and is not settled."""
        pcm = heard.pcm[known.from_sample * BYTES_PER_SAMPLE :]
        if len(pcm) < SHORTEST_S * RATE_HZ * BYTES_PER_SAMPLE:
            return known

        def work(stopped: Stopped) -> Iterator[Heard]:
            begin = monotonic()
            yield hear(self._whisper, AudioChunk(pcm), known, tuple(tags), stopped)
            self._took_s = monotonic() - begin

        async with aclosing(self._lane.stream(work)) as results:
            async for found in results:
                return found
        raise EngineError(NAME, "was stopped")

    async def aclose(self) -> None:
        """What it is at is not waited for. The model stays in memory for `KEPT_S`: who is opened in its place,
        as a lamp has another name, finds it there."""
        self._lane.close()
        asyncio.get_running_loop().call_later(KEPT_S, _let_go, self._whisper)


def _let_go(whisper: Whisper) -> None:
    """The loop has held it until it calls this."""


def hear(
    whisper: Whisper, sound: AudioChunk, known: Heard, codes: Sequence[str], stopped: Stopped
) -> Heard:
    """What is known once this was heard, which follows on what is settled. Blocks. Raises EngineError."""
    samples = sound.as_floats()
    code, is_sure = known.language, known.is_sure_of_language
    if len(codes) == 1:
        code = codes[0]
    elif code is None or not is_sure:
        code, probability = whisper.language_of(samples, codes)
        is_sure = probability >= KNOWN_LANGUAGE
    if stopped():
        return known
    is_long = sound.ms > SETTLES_S * 1000
    phrases = tuple(whisper.phrases(samples, code, is_long, stopped))
    if not is_long or len(phrases) < 2:
        return replace(known, phrases=phrases, language=code, is_sure_of_language=is_sure)
    *settled, last = phrases
    place = known.from_sample + round(settled[-1].end_s * RATE_HZ)
    return Heard((*known.settled, *settled), (last,), place, code, is_sure)


def open_asr(wanted: WantedAsr) -> Asr:
    """Loads the model and runs it once. Raises EngineUnavailable."""
    if wanted.model is None:
        raise EngineUnavailable(NAME, "has no model: `airos models list` shows those there are")
    settings = wanted.settings
    whisper = open_whisper(wanted.model.path, settings.device, settings.compute_type, wanted.names)
    for language in (wanted.language, *wanted.languages):
        try:
            whisper.code_of(language)
        except EngineError as error:
            raise EngineUnavailable(NAME, str(error).removeprefix(f"{NAME}: ")) from error
    return WhisperAsr(whisper, settings.certainty)
