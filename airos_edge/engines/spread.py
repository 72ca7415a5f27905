"""Which words are said in which piece of a sentence's audio, of a voice that does not tell.

Each word gets the part of the audio that its letters are of the sentence. So a reply that is cut off
is cut to about the word; and the texts of the pieces, joined, are the sentence to the letter.
"""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk
from airos_edge.voice.ports import Speech

Piece = tuple[AudioChunk, float | None]
"""Audio, and the share of the sentence (0 to 1) that has been said when it ends. None: nobody knows; it is
guessed from how long it lasts."""

LETTER_MS = 65
"""What a letter takes: of speech of 155 words a minute, and six letters a word with its space."""
SYLLABLE = r"[0-9\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"
"""What is spoken as a syllable or a word by itself."""
LETTERS_IN_SYLLABLE = 3
WORD = re.compile(rf"\s*(?:{SYLLABLE}|(?:(?!{SYLLABLE})\S)+)(?:(?!{SYLLABLE})[^\w\s])*\s*")
"""With the marks and the space behind it, which may be all of it."""
REST_MS = 5
"""The silence that carries words that no audio is left for."""


async def spread(
    sentence: str, pieces: AsyncGenerator[Piece, None], speed: float = 1.0
) -> AsyncGenerator[Speech, None]:
    """The audio with the words that begin in it, cut where words begin, in order and complete.

    `speed` is that of the speech, for pieces whose share nobody knows. A sentence of which no audio
    comes is not said. Raises what `pieces` raises; closing or cancelling closes `pieces`.
    """
    words, letters = _words(sentence)
    said = 0.0
    rate_hz = None
    async with aclosing(pieces):
        async for audio, share in pieces:
            rate_hz = audio.rate_hz
            end = said + audio.ms * speed / LETTER_MS if share is None else share * letters
            for speech in _cut(audio, words, said, end):
                yield speech
            said = end
    if words and rate_hz:
        rest = "".join(word for word, _ in words)
        yield Speech(AudioChunk.silence(REST_MS, rate_hz), rest)


async def at_once(audio: AudioChunk) -> AsyncGenerator[Piece, None]:
    """The pieces of a sentence whose audio is made in one go."""
    yield audio, 1.0


def _words(sentence: str) -> tuple[list[tuple[str, float]], float]:
    """Each with the place, in letters, at which it begins; and where the last one ends."""
    words, place = [], 0.0
    for word in WORD.findall(sentence) or [sentence] * bool(sentence):
        words.append((word, place))
        place += len(word) + (LETTERS_IN_SYLLABLE - 1) * len(re.findall(SYLLABLE, word))
    return words, place


def _cut(
    audio: AudioChunk, words: list[tuple[str, float]], begin: float, end: float
) -> Iterator[Speech]:
    """Takes from `words` those that begin from `begin` to `end`, which are what the audio is."""
    pcm, rate_hz = audio.pcm, audio.rate_hz
    done_bytes, text = 0, ""
    while words and words[0][1] < end:
        word, start = words.pop(0)
        share = (start - begin) / (end - begin)
        at_bytes = round(share * audio.samples) * BYTES_PER_SAMPLE
        if at_bytes > done_bytes:
            yield Speech(AudioChunk(pcm[done_bytes:at_bytes], rate_hz), text)
            done_bytes, text = at_bytes, ""
        text += word
    if done_bytes < len(pcm) or text:
        yield Speech(AudioChunk(pcm[done_bytes:], rate_hz), text)
