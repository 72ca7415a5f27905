"""Speech by espeak-ng: no model to download, and the first sound in half a millisecond."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import numpy as np

from airos_edge.engines.espeak import USUAL_RATE_WPM, Espeak, Word, load
from airos_edge.engines.wanted import WantedTts
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.ports import Place, Speaking, Speech, Tts
from airos_edge.voice.tags import is_same, nearest

PAUSE_MS = 250
"""Between two sentences. espeak-ng ends what it is given 8 ms after its last sound."""
AUDIBLE = 60
"""A sample louder than this (of 32768) is speech; what is quieter before the first is cut off."""
LEAD_MS = 5
"""Kept before the first audible sample. espeak-ng begins with up to 55 ms of silence."""
VOICES = {"en": "en-us", "zh-hk": "yue"}
"""Where espeak-ng's voice of a language is not the one that is expected."""
REST_OF_WORD = re.compile(r"[^\s\u2e80-\U0010ffff]*")
"""What belongs to a word that espeak-ng says in parts ("10:30", "don't", "end."): all to the next
space, except in the scripts that do without."""


class EspeakTts:
    name = "espeak"
    place = Place.LOCAL

    def __init__(self, espeak: Espeak, voice: str | None, rate: float, language: str) -> None:
        self._espeak = espeak
        self._voice = voice
        self._language = language
        """That of the box, which `voice` is for."""
        self._rate = rate

    def voices(self, language: str) -> dict[str, str]:
        """Their names, with the language that each speaks: first the one of this language."""
        first = self._voice_of(language)
        return {voice: voice for voice in (first, *sorted(self._espeak.languages))}

    def _voice_of(self, language: str) -> str:
        """By its tag; of one that it does not have as it is, too, as that is what is then told."""
        tag = language.lower()
        return VOICES.get(tag) or nearest(tag, self._espeak.languages) or language

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Each sentence in pieces of 60 ms, as they are made, with the words that begin in them.

        Raises EngineError, also for a voice or language that espeak-ng does not have. Cancelling or
        closing stops the synthesis after the piece that it is at.
        """
        usual = self._voice if is_same(how.language, self._language) else None
        voice = how.voice or usual or self._voice_of(how.language)
        rate_wpm = round(USUAL_RATE_WPM * self._rate * how.speed)
        is_first = True
        async for sentence in text:
            if not is_first:
                yield Speech(self._silence(PAUSE_MS))
            is_first = False
            async with aclosing(self._say(sentence, voice, rate_wpm)) as pieces:
                async for piece in pieces:
                    yield piece

    async def _say(self, sentence: str, voice: str, rate_wpm: int) -> AsyncGenerator[Speech, None]:
        """Joined, the pieces' texts are the sentence, whatever words espeak-ng found in it."""
        said = begun = 0
        is_silent = True
        async with aclosing(_sounds(self._espeak, sentence, voice, rate_wpm)) as sounds:
            async for pcm, words in sounds:
                for word in words:
                    begun = max(begun, _end_of(word, sentence))
                if is_silent:
                    pcm = _without_lead(pcm, self._espeak.rate_hz)
                    is_silent = not pcm
                if pcm:
                    yield Speech(AudioChunk(pcm, self._espeak.rate_hz), sentence[said:begun])
                    said = begun
        if said < len(sentence):
            yield Speech(self._silence(LEAD_MS), sentence[said:])

    def _silence(self, ms: int) -> AudioChunk:
        return AudioChunk.silence(ms, self._espeak.rate_hz)


def open_tts(wanted: WantedTts) -> Tts:
    """Raises EngineUnavailable."""
    return open_espeak(wanted.settings.voice, wanted.settings.rate, wanted.language)


def open_espeak(voice: str | None, rate: float, language: str = "en") -> EspeakTts:
    """`voice` None: the language's own; `rate` 1.0: the voice's own. Raises EngineUnavailable."""
    espeak = load()
    if voice is not None:
        try:
            espeak.say("", voice)
        except EngineError as error:
            raise EngineUnavailable("espeak", str(error).removeprefix("espeak: ")) from error
    return EspeakTts(espeak, voice, rate, language)


async def _sounds(
    espeak: Espeak, text: str, voice: str, rate_wpm: int
) -> AsyncGenerator[tuple[bytes, list[Word]], None]:
    """What `Espeak.stream` gives, made in a thread: on a small board a long sentence takes 40 ms.

    It is handed over in ever larger lots: waking the loop takes nearly half as long as making a piece does.
    """
    loop = asyncio.get_running_loop()
    made: asyncio.Queue[list[tuple[bytes, list[Word]]]] = asyncio.Queue()
    lot: list[tuple[bytes, list[Word]]] = []
    given = 0
    is_wanted = True

    def take(pcm: bytes, words: list[Word]) -> bool:
        nonlocal lot, given
        lot.append((pcm, words))
        if len(lot) > given // 2:
            given += len(lot)
            loop.call_soon_threadsafe(made.put_nowait, lot)
            lot = []
        return is_wanted

    making = loop.run_in_executor(None, espeak.stream, text, voice, rate_wpm, take)
    making.add_done_callback(lambda _: made.put_nowait([]))
    try:
        while sounds := await made.get():
            for sound in sounds:
                yield sound
        await making
        for sound in lot:
            yield sound
    finally:
        is_wanted = False
        making.cancel()


def _end_of(word: Word, text: str) -> int:
    rest = REST_OF_WORD.match(text, word.end)
    return rest.end() if rest else word.end


def _without_lead(pcm: bytes, rate_hz: int) -> bytes:
    """What is left from shortly before its first audible sample on; b"" if it has none."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int32)
    audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
    if not len(audible):
        return b""
    return pcm[max(0, int(audible[0]) - samples_of(LEAD_MS, rate_hz)) * BYTES_PER_SAMPLE :]
