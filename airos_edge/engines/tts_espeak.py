"""Speech by espeak-ng: no model to download, a sentence in about a millisecond."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import numpy as np

from airos_edge.engines.espeak import USUAL_RATE_WPM, Recording, load
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk
from airos_edge.voice.ports import Place, Speaking, Speech

PIECE_MS = 40
AUDIBLE = 60
"""A sample louder than this (of 32768) is speech; what is quieter before the first is cut off."""
LEAD_MS = 5
"""Kept before the first audible sample. espeak-ng begins with about 50 ms of silence."""
VOICES = {"en": "en-us"}
"""The voice of a language where it is not called like it."""


class EspeakTts:
    name = "espeak"
    place = Place.LOCAL

    def __init__(self, voice: str | None = None, rate: float = 1.0) -> None:
        self._voice = voice
        self._rate = rate

    async def speak(self, text: AsyncIterator[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        """Each sentence as pieces of 40 ms with the words that begin in them. Raises EngineError."""
        voice = how.voice or self._voice or VOICES.get(how.language, how.language)
        rate_wpm = round(USUAL_RATE_WPM * self._rate * how.speed)
        async for sentence in text:
            # In a thread, since on a small board a long sentence takes tens of milliseconds.
            recording = await asyncio.to_thread(load().say, sentence, voice, rate_wpm)
            for piece in _pieces(sentence, recording):
                yield piece


def _pieces(text: str, recording: Recording) -> Iterator[Speech]:
    """Joined, the pieces' texts are the text, whatever words espeak-ng found in it."""
    pcm, skipped = _without_lead(recording)
    step = recording.rate_hz * PIECE_MS // 1000
    starts = [(word.sample - skipped, word.start) for word in recording.words[1:]]
    total = max(1, -(-len(pcm) // (step * BYTES_PER_SAMPLE)))
    said = 0
    for number in range(total):
        end_sample = (number + 1) * step
        is_last = number == total - 1
        until = len(text) if is_last else said
        if not is_last:
            # A word's text belongs to the piece in which it begins: everything up to the next
            # word that begins later.
            later = [start for sample, start in starts if sample >= end_sample]
            until = max(said, later[0] if later else len(text))
        chunk = pcm[number * step * BYTES_PER_SAMPLE : end_sample * BYTES_PER_SAMPLE]
        yield Speech(AudioChunk(chunk, recording.rate_hz), text[said:until])
        said = until


def _without_lead(recording: Recording) -> tuple[bytes, int]:
    pcm = bytes(recording.pcm)
    audible = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > AUDIBLE)
    if not len(audible):
        return pcm, 0
    skipped = max(0, int(audible[0]) - recording.rate_hz * LEAD_MS // 1000)
    return pcm[skipped * BYTES_PER_SAMPLE :], skipped
