"""Commands recognised by pocketsphinx with a closed grammar: English only, its model is in its wheel.

Two things make it hear well (measured on espeak-ng's voices: 115 of 156 commands exact without
them, 148 with): a floor of noise, since digital silence has no spectrum, and half a second of it
after the last word, since the decoder looks ahead.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncGenerator, Iterable, Sequence, Set
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from airos_edge.engines import locate
from airos_edge.engines.pronounce import pronounce
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.grammar import Grammar
from airos_edge.voice.ports import Hints, Place, Transcript
from airos_edge.voice.utterance import Judgement, Utterance

if TYPE_CHECKING:
    from pocketsphinx import Decoder

log = logging.getLogger(__name__)

NAME = "pocketsphinx"
MODEL = "pocketsphinx/model/en-us/en-us"
DICTIONARY = "pocketsphinx/model/en-us/cmudict-en-us.dict"
HOUSE, WOKEN = "house", "woken"
"""The names of the grammar, and of the same with a wake word in front."""
WAKE = "<wake>"
"""Any wake word, whole or in part, in the decoder's dictionary: nothing else is spelled so."""
NOISE_LSB = 30
TRAILING_MS = 500
MOST_DECODERS = 4
"""How many may speak at once before one has to wait; a decoder takes about 30 MB."""
SETTINGS = {
    "lm": None,
    "loglevel": "FATAL",
    "bestpath": False,
    "beam": 1e-60,
    "pbeam": 1e-60,
    "wbeam": 1e-40,
    "wip": 0.2,
}


class PocketsphinxAsr:
    """Decoders for those who speak; one is ready, others are made when it is in use."""

    name = NAME
    place = Place.LOCAL

    def __init__(self, grammar: Grammar, first: "Decoder", wake_words: Sequence[str] = ()) -> None:
        self._grammar = grammar
        self._wake_words = wake_words
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
                else await asyncio.to_thread(_open, self._grammar, self._wake_words)
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

    async def _decode(
        self, decoder: "Decoder", heard: Utterance
    ) -> AsyncGenerator[Transcript, None]:
        noise = np.random.default_rng(seed=0)
        before = ""
        try:
            decoder.activate_search(WOKEN if heard.wake_word in self._wake_words else HOUSE)
            decoder.start_utt()
            try:
                async for chunk in heard:
                    decoder.process_raw(_with_noise(chunk, noise), False, False)
                    said = _hypothesis(decoder)
                    if said != before:
                        before, text = said, _without_wake_word(said)
                        yield Transcript(text, judgement=self._grammar.judge(text.split()))
                    else:
                        await asyncio.sleep(0)  # a recording that lies ready must not keep the loop
                silence = AudioChunk(bytes(2 * samples_of(TRAILING_MS)))
                decoder.process_raw(_with_noise(silence, noise), False, False)
            finally:
                decoder.end_utt()
        except RuntimeError as error:
            raise EngineError(NAME, f"decoding failed: {error}") from error
        text = _without_wake_word(_hypothesis(decoder))
        judgement = self._grammar.judge(text.split())
        is_sentence = text and judgement in (Judgement.OPEN, Judgement.COMPLETE)
        yield Transcript(text if is_sentence else "", final=True, judgement=judgement)


def open_asr(grammar: Grammar, wake_words: Sequence[str] = ()) -> PocketsphinxAsr:
    """Loads the acoustic model and compiles the grammar, in about a tenth of a second. Blocks.

    `wake_words` ("hey_jarvis") may stand in front of what is said, and are no part of its text.
    Raises EngineUnavailable.
    """
    return PocketsphinxAsr(grammar, _open(grammar, wake_words), wake_words)


def _open(grammar: Grammar, wake_words: Sequence[str]) -> "Decoder":
    model, dictionary = locate(MODEL), locate(DICTIONARY)
    if model is None or dictionary is None:
        raise EngineUnavailable(NAME, "its English model is missing: pip install pocketsphinx")
    if not grammar.words:
        raise EngineUnavailable(NAME, "there is nothing to listen for in this language")
    try:
        from pocketsphinx import Config, Decoder

        with tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="utf-8") as own:
            in_wake_words = {part for word in wake_words for part in word.split("_")}
            lines = _pronunciations(grammar.words | in_wake_words, dictionary)
            wake = _wake_pronunciations(wake_words, lines)
            own.writelines(f"{line}\n" for line in [*lines, *wake])
            own.flush()
            decoder = Decoder(Config(hmm=str(model), dict=own.name, **SETTINGS))
        final = len(grammar.arcs)
        said = _transitions(grammar, lines)
        decoder.add_fsg(HOUSE, decoder.create_fsg(HOUSE, 0, final, said))
        if wake_words:
            woken = [(final + 1, 0, 1.0), *((final + 1, 0, 1.0, WAKE) for _ in wake[:1]), *said]
            decoder.add_fsg(WOKEN, decoder.create_fsg(WOKEN, final + 1, final, woken))
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailable(NAME, f"cannot be loaded: {error}") from error
    return decoder


def _transitions(
    grammar: Grammar, lines: Iterable[str]
) -> list[tuple[int, int, float] | tuple[int, int, float, str]]:
    """pocketsphinx knows one final state: each of ours leads there without a word.

    A word without a pronunciation is left out: pocketsphinx would refuse the whole grammar for it.
    """
    final = len(grammar.arcs)
    known = {line.partition(" ")[0] for line in lines}
    words = [
        (state, target, 1.0, word)
        for state, arcs in enumerate(grammar.arcs)
        for word, target in arcs.items()
        if word in known
    ]
    return [*words, *((state, final, 1.0) for state in grammar.finals)]


def _pronunciations(words: Set[str], dictionary: Path) -> list[str]:
    """The dictionary's lines for these words only: all of it would be 135,000 lines and 20 MB."""
    missing = set(words)
    lines = []
    with dictionary.open(encoding="utf-8") as file:
        for line in file:
            word = line.partition(" ")[0].partition("(")[0]
            if word in words:
                missing.discard(word)
                lines.append(line.rstrip())
    for word in sorted(missing):
        if phones := pronounce(word):
            lines.append(f"{word} {phones}")
        else:
            log.warning("Nobody knows how %r is said; it is not listened for.", word)
    return sorted(lines)


def _wake_pronunciations(wake_words: Iterable[str], lines: Iterable[str]) -> list[str]:
    """All are said as one word, each whole or from any of its sounds on: a recording that a wake
    word opened may begin anywhere in it."""
    said = dict(line.split(" ", 1) for line in lines)
    tails = []
    for wake_word in wake_words:
        phones = " ".join(said.get(part, "") for part in wake_word.split("_")).split()
        tails += [" ".join(phones[start:]) for start in range(len(phones))]
    numbered = enumerate(dict.fromkeys(tails), start=1)
    return [f"{WAKE} {tail}" if n == 1 else f"{WAKE}({n}) {tail}" for n, tail in numbered]


def _with_noise(chunk: AudioChunk, noise: np.random.Generator) -> bytes:
    samples = np.frombuffer(chunk.pcm, "<i2") + noise.normal(0, NOISE_LSB, chunk.samples)
    return bytes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())


def _hypothesis(decoder: "Decoder") -> str:
    found = decoder.hyp()
    return found.hypstr if found is not None else ""


def _without_wake_word(said: str) -> str:
    return said.removeprefix(WAKE).lstrip()
