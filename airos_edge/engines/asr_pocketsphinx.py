"""Commands recognised by pocketsphinx with a closed grammar: English only, its model is in its wheel.

Three things make it hear well: a floor of noise, since digital silence has no spectrum; half a second
of it after the last word, since the decoder looks ahead; and the cepstral mean of this speaker
instead of a typical one, for which what was heard is decoded once more when there is more of it.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator, Sequence, Set
from contextlib import aclosing
from dataclasses import replace

import numpy as np

from airos_edge.engines.certainty import certainty
from airos_edge.engines.sphinx import HOUSE, NAME, WOKEN, Sphinx, open_sphinx
from airos_edge.engines.wanted import WantedAsr
from airos_edge.errors import EngineError, PromptError
from airos_edge.voice.audio import BYTES_PER_SAMPLE, samples_of
from airos_edge.voice.grammar import Grammar, grammar_of
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Judgement, Utterance

NOISE_LSB = 30
TRAILING_MS = 500
LOOKS_MS = (700, 1400)
"""Decoding begins when so much was recorded, and again when it has become so much."""
SLICE_BYTES = samples_of(100) * BYTES_PER_SAMPLE
MOST_DECODERS = 6
"""How many may speak at once before one has to wait. A decoder takes about 30 MB, and six that are never
idle keep a core busy: pocketsphinx works on one only, as it holds Python's lock."""
SENTENCES = (Judgement.OPEN, Judgement.COMPLETE)
CLOSE = 0.012
"""Two sentences whose scores differ by less cannot be told apart: on the tuning split, half of the wrong
commands and a seventh of the right ones, of which those that were sure are not looked at."""
SMALL_WORDS = {"a", "an", "the", "my", "of", "and", "to", "for", "please", "can", "could", "you"}

Words = tuple[str, ...]


class PocketsphinxAsr:
    """Decoders for those who speak; one is ready, others are made when it is in use."""

    name = NAME
    place = Place.LOCAL

    def __init__(
        self,
        grammar: Grammar,
        first: Sphinx,
        wake_words: Sequence[str] = (),
        threshold: float = 0.0,
    ) -> None:
        self._grammar = grammar
        self._wake_words = wake_words
        self._threshold = threshold
        self._sure = (1 + threshold) / 2
        self._free = [first]
        self._room = asyncio.Semaphore(MOST_DECODERS)

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """Partials with their judgement as the words change, then the final; "" for what is no command."""
        if not hints.language.startswith("en"):
            what = f"hears English only, not {hints.language!r}; choose another asr.engine"
            raise PromptError(NAME, what, "invalid_value")
        await _enough_of(heard)
        async with self._room:
            decoder = (
                self._free.pop()
                if self._free
                else await asyncio.to_thread(open_sphinx, self._grammar, self._wake_words)
            )
            try:
                # Closed before its decoder is given back: the next to use it begins an utterance.
                async with aclosing(self._decode(decoder, heard, hints)) as transcripts:
                    async for transcript in transcripts:
                        yield transcript
            except EngineError:
                raise  # a decoder that failed once is not trusted again
            except BaseException:
                self._free.append(decoder)
                raise
            self._free.append(decoder)

    async def _decode(
        self, decoder: Sphinx, heard: Utterance, hints: Hints
    ) -> AsyncGenerator[Transcript, None]:
        # Who was asked something may say the wake word all the same.
        is_woken = heard.wake_word in self._wake_words or heard.opened_by == "follow_up"
        woken = decoder.hears_wake_words and is_woken
        search = house = WOKEN if woken else HOUSE
        grammar, is_answer = self._grammar, bool(hints.expecting)
        recording = Recording()
        before: list[str] = []
        try:
            if is_answer:
                grammar = grammar_of(phrase.split() for phrase in hints.expecting)
                search = decoder.listen_for(grammar, woken)
            async with aclosing(recording.heard_by(decoder, search, heard)) as steps:
                async for _ in steps:
                    words = decoder.words()
                    if words != before:
                        before = words
                        yield _transcript(words, grammar)
            # Little answers a question, so that is believed at any certainty; but it may not be sure.
            final = self._final(decoder, grammar, 0.0 if is_answer else self._threshold)
            if is_answer and not final.text:  # no answer, but perhaps a command
                grammar, is_answer = self._grammar, False
                await recording.heard_again_by(decoder, house)
                final = self._final(decoder, grammar, self._threshold)
            if final.text and not final.sure and not is_answer:
                final = await self._second_look(final, decoder, recording, grammar, woken)
            yield final
        except RuntimeError as error:
            raise EngineError(NAME, f"decoding failed: {error}") from error

    def _final(self, decoder: Sphinx, grammar: Grammar, threshold: float) -> Transcript:
        found = _transcript(decoder.words(), grammar)
        if not found.text or found.judgement not in SENTENCES:
            return Transcript("", final=True, judgement=found.judgement)
        certain = certainty(decoder.segments())
        if certain < threshold:
            return Transcript("", final=True, judgement=Judgement.REJECT, certainty=certain)
        return replace(found, final=True, sure=certain >= self._sure, certainty=certain)

    async def _second_look(
        self,
        final: Transcript,
        decoder: Sphinx,
        recording: "Recording",
        grammar: Grammar,
        woken: bool,
    ) -> Transcript:
        """Compares the sentence with those that differ in a word: the best of all, and of the others."""
        words = tuple(final.text.split())
        others = {other for other in grammar.neighbours(words) if _differ(words, other)}
        best, score = await self._best_of({words, *others}, decoder, recording, woken)
        if best is None:
            return final
        rivals = {other for other in {words, *others} if _differ(best, other)}
        second, its_score = await self._best_of(rivals, decoder, recording, woken)
        is_close = second is not None and score - its_score < CLOSE
        return replace(
            final,
            text=" ".join(best),
            judgement=grammar.judge(best),
            certainty=final.certainty if best == words else None,
            alternatives=(" ".join(second),) if second is not None and is_close else (),
        )

    async def _best_of(
        self, sentences: Set[Words], decoder: Sphinx, recording: "Recording", woken: bool
    ) -> tuple[Words | None, float]:
        if not sentences:
            return None, -math.inf
        grammar = grammar_of(sorted(sentences))
        search = decoder.listen_for(grammar, woken, nothing_else=True)
        await recording.heard_again_by(decoder, search)
        found = tuple(decoder.words())
        return (found, decoder.score()) if found in sentences else (None, -math.inf)


class Recording:
    """An utterance as its decoder heard it: over a floor of noise."""

    def __init__(self) -> None:
        self._pcm = bytearray()
        self._noise = np.random.default_rng(seed=0)

    async def heard_by(
        self, decoder: Sphinx, search: str, heard: Utterance
    ) -> AsyncGenerator[None, None]:
        """Decodes it while it comes, and its end; yields after each piece."""
        looks = [samples_of(ms) * BYTES_PER_SAMPLE for ms in LOOKS_MS]
        is_begun = False
        try:
            async for chunk in heard:
                piece = self._keep(chunk.pcm)
                if looks and len(self._pcm) >= looks[0]:
                    looks.pop(0)
                    if is_begun:
                        is_begun = False
                        decoder.end()
                    decoder.begin(search, bytes(self._pcm))
                    is_begun = True
                    piece = bytes(self._pcm)
                if is_begun:
                    for part in _slices(piece):
                        decoder.feed(part)
                        await asyncio.sleep(0)  # a recording that lies ready must not keep the loop
                    yield
            if not is_begun:
                decoder.begin(search, bytes(self._pcm))
                is_begun = True
                decoder.feed(bytes(self._pcm))
            silence = bytes(samples_of(TRAILING_MS) * BYTES_PER_SAMPLE)
            for part in _slices(self._keep(silence)):
                decoder.feed(part)
                await asyncio.sleep(0)
        finally:
            if is_begun:
                decoder.end()

    async def heard_again_by(self, decoder: Sphinx, search: str) -> None:
        """Decodes all of it, adapted to all of it."""
        decoder.begin(search, bytes(self._pcm))
        try:
            for part in _slices(bytes(self._pcm)):
                decoder.feed(part)
                await asyncio.sleep(0)
        finally:
            decoder.end()

    def _keep(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, "<i2")
        noisy = samples + self._noise.normal(0, NOISE_LSB, len(samples))
        heard = np.clip(noisy, -32768, 32767).astype("<i2").tobytes()
        self._pcm += heard
        return heard


async def _enough_of(heard: Utterance) -> None:
    """Waits until decoding can begin: a decoder that would only wait is another speaker's meanwhile."""
    recorded_ms = 0.0
    async for chunk in heard:
        recorded_ms += chunk.ms
        if recorded_ms >= LOOKS_MS[0]:
            return


def _slices(pcm: bytes) -> Iterator[bytes]:
    return (pcm[start : start + SLICE_BYTES] for start in range(0, len(pcm), SLICE_BYTES))


def _transcript(words: Sequence[str], grammar: Grammar) -> Transcript:
    said = [word for word in words if not word.startswith("+")]
    judgement = grammar.judge(said) if len(said) == len(words) else Judgement.REJECT
    return Transcript(" ".join(said), judgement=judgement)


def _differ(words: Words, others: Words) -> bool:
    """Whether they may mean different things: in other words than small ones, and not in a plural."""
    return _meant(words) != _meant(others)


def _meant(words: Words) -> list[str]:
    return [word.removesuffix("s") for word in words if word not in SMALL_WORDS]


def open_asr(wanted: WantedAsr) -> Asr:
    """Raises EngineUnavailable."""
    return pocketsphinx(wanted.grammar, wanted.wake_words, wanted.settings.certainty)


def pocketsphinx(
    grammar: Grammar, wake_words: Sequence[str] = (), threshold: float = 0.5
) -> PocketsphinxAsr:
    """Loads the acoustic model and compiles the grammar, in about a tenth of a second. Blocks.

    `wake_words` ("hey_jarvis") may stand in front of what is said, and are no part of its text.
    What is less certain than `threshold` is taken for no command. Raises EngineUnavailable.
    """
    return PocketsphinxAsr(grammar, open_sphinx(grammar, wake_words), wake_words, threshold)
