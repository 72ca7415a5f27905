"""Commands recognised by pocketsphinx with a closed grammar: English only, its model is in its wheel.

Three things make it hear well: a floor of noise, since digital silence has no spectrum; half a second
of it after the last word, since the decoder looks ahead; and the cepstral mean of this speaker
instead of a typical one, for which what was heard is decoded once more when there is more of it.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import numpy as np

from airos_edge.engines.certainty import certainty
from airos_edge.engines.sphinx import HOUSE, NAME, WOKEN, Sphinx, open_sphinx
from airos_edge.errors import EngineError
from airos_edge.voice.audio import BYTES_PER_SAMPLE, samples_of
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.ports import Hints, Place, Transcript
from airos_edge.voice.utterance import Judgement, Utterance

NOISE_LSB = 30
TRAILING_MS = 500
LOOKS_MS = (700, 1400)
"""Decoding begins when so much was recorded, and again when it has become so much."""
SLICE_BYTES = samples_of(100) * BYTES_PER_SAMPLE
MOST_DECODERS = 4
"""How many may speak at once before one has to wait; a decoder takes about 30 MB."""
SENTENCES = (Judgement.OPEN, Judgement.COMPLETE)


class PocketsphinxAsr:
    """Decoders for those who speak; one is ready, others are made when it is in use."""

    name = NAME
    place = Place.LOCAL

    def __init__(
        self, grammar: Grammar, first: Sphinx, wake_words: Sequence[str], threshold: float
    ) -> None:
        self._grammar = grammar
        self._wake_words = wake_words
        self._threshold = threshold
        self._free = [first]
        self._room = asyncio.Semaphore(MOST_DECODERS)

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """Partials with their judgement as the words change, then the final; "" for what is no command."""
        if not hints.language.startswith("en"):
            raise EngineError(
                NAME, f"hears English only, not {hints.language!r}; choose another asr.engine"
            )
        async with self._room:
            decoder = (
                self._free.pop()
                if self._free
                else await asyncio.to_thread(open_sphinx, self._grammar, self._wake_words)
            )
            try:
                # Closed before its decoder is given back: the next to use it begins an utterance.
                async with aclosing(self._decode(decoder, heard)) as transcripts:
                    async for transcript in transcripts:
                        yield transcript
            except EngineError:
                raise  # a decoder that failed once is not trusted again
            except BaseException:
                self._free.append(decoder)
                raise
            self._free.append(decoder)

    async def _decode(self, decoder: Sphinx, heard: Utterance) -> AsyncGenerator[Transcript, None]:
        search = WOKEN if heard.wake_word in self._wake_words else HOUSE
        before: list[str] = []
        try:
            async with aclosing(_heard_by(decoder, search, heard)) as steps:
                async for _ in steps:
                    words = decoder.words()
                    if words != before:
                        before = words
                        yield self._transcript(words)
                    else:
                        await asyncio.sleep(0)  # a recording that lies ready must not keep the loop
            yield self._final(decoder)
        except RuntimeError as error:
            raise EngineError(NAME, f"decoding failed: {error}") from error

    def _transcript(self, words: Sequence[str]) -> Transcript:
        said = [word for word in words if not word.startswith("+")]
        is_ours = len(said) == len(words)
        judgement = self._grammar.judge(said) if is_ours else Judgement.REJECT
        return Transcript(" ".join(said), judgement=judgement)

    def _final(self, decoder: Sphinx) -> Transcript:
        found = self._transcript(decoder.words())
        if not found.text or found.judgement not in SENTENCES:
            return Transcript("", final=True, judgement=found.judgement)
        if certainty(decoder.segments()) < self._threshold:
            return Transcript("", final=True, judgement=Judgement.REJECT)
        return Transcript(found.text, final=True, judgement=found.judgement)


async def _heard_by(decoder: Sphinx, search: str, heard: Utterance) -> AsyncGenerator[None, None]:
    """Feeds it the recording and what follows it, and yields after each piece."""
    noise = np.random.default_rng(seed=0)
    recorded = bytearray()
    looks = [samples_of(ms) * BYTES_PER_SAMPLE for ms in LOOKS_MS]
    is_begun = False
    try:
        async for chunk in heard:
            piece = _with_noise(chunk.pcm, noise)
            recorded += piece
            if looks and len(recorded) >= looks[0]:
                looks.pop(0)
                if is_begun:
                    is_begun = False
                    decoder.end()
                decoder.begin(search, decoder.mean_of(bytes(recorded)))
                is_begun = True
                piece = bytes(recorded)
            if is_begun:
                for start in range(0, len(piece), SLICE_BYTES):
                    decoder.feed(piece[start : start + SLICE_BYTES])
                    yield
        if not is_begun:
            decoder.begin(search, decoder.mean_of(bytes(recorded)))
            is_begun = True
            decoder.feed(bytes(recorded))
        decoder.feed(_with_noise(bytes(samples_of(TRAILING_MS) * BYTES_PER_SAMPLE), noise))
    finally:
        if is_begun:
            decoder.end()


def open_asr(
    grammar: Grammar, wake_words: Sequence[str] = (), threshold: float = 0.5
) -> PocketsphinxAsr:
    """Loads the acoustic model and compiles the grammar, in about a tenth of a second. Blocks.

    `wake_words` ("hey_jarvis") may stand in front of what is said, and are no part of its text.
    What is less certain than `threshold` is taken for no command. Raises EngineUnavailable.
    """
    return PocketsphinxAsr(grammar, open_sphinx(grammar, wake_words), wake_words, threshold)


def _with_noise(pcm: bytes, noise: np.random.Generator) -> bytes:
    samples = np.frombuffer(pcm, "<i2")
    noisy = samples + noise.normal(0, NOISE_LSB, len(samples))
    return bytes(np.clip(noisy, -32768, 32767).astype("<i2").tobytes())
