"""Speech as servers of OpenAI's API send it: bytes to sound, while they come.

Bare PCM is asked for. Small servers answer with a WAV all the same, or with what nobody asked for.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple

import numpy as np

from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk

PCM_HZ = 24_000
"""Of `response_format: pcm`: platform.openai.com/docs/guides/text-to-speech. A content type may say another
(audio/pcm;rate=22050)."""
RATE = re.compile(r"rate=(\d{4,6})\b")
ENDLESS = 0x7FFFF000
"""A WAV that is written while it is made cannot say its length: 0, or more than this."""
LONGEST_HEADER = 64 * 1024
INSTEAD = {b"ID3": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC"}
MP3_FRAMES = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
"""How MP3 without a tag begins. PCM may begin so too, once in 20 000 times: where it is said to be PCM, it
is believed, and elsewhere a burst of noise would be worse than a sentence that fails."""
BARE = ("audio/pcm", "audio/l16", "audio/raw", "audio/x-raw")


class Header(NamedTuple):
    """What a WAV says before its samples, which begin after `size` bytes. `data_bytes` None: until it ends."""

    size: int
    rate_hz: int
    channels: int
    data_bytes: int | None


async def sound_of(
    pieces: AsyncIterator[bytes], content_type: str
) -> AsyncGenerator[AudioChunk, None]:
    """The sound, as it comes. Raises ValueError for what is none: the end of a sentence."""
    rest = await _begin(pieces, b"", 12)
    header = Header(0, _rate(content_type), 1, None)
    if rest.startswith(b"RIFF"):
        while (found := _header(rest)) is None:
            rest = await _begin(pieces, rest, len(rest) + 1)
        header, rest = found, rest[found.size :]
    else:
        _refuse(rest, content_type.partition(";")[0].strip().lower())
    left = header.data_bytes
    frame = BYTES_PER_SAMPLE * header.channels
    while True:
        whole = len(rest) if left is None else min(len(rest), left)
        whole -= whole % frame
        if whole:
            yield AudioChunk(_mono(rest[:whole], header.channels), header.rate_hz)
        left = None if left is None else left - whole
        piece = await anext(pieces, None)
        if piece is None:
            return
        rest = b"" if left == 0 else rest[whole:] + piece


async def _begin(pieces: AsyncIterator[bytes], begin: bytes, least: int) -> bytes:
    """So many bytes or more, where there are so many. Raises ValueError where nothing comes any more."""
    if len(begin) > LONGEST_HEADER:
        raise ValueError("sends a WAV without samples")
    while len(begin) < least and (piece := await anext(pieces, None)) is not None:
        begin += piece
    if not begin:
        raise ValueError("sends nothing, where sound should be")
    if len(begin) < least and begin.startswith(b"RIFF"):
        raise ValueError("sends a WAV that ends before its samples")
    return begin


def _rate(content_type: str) -> int:
    found = RATE.search(content_type)
    return int(found[1]) if found else PCM_HZ


def _refuse(begin: bytes, kind: str) -> None:
    """Raises ValueError for what is plainly no PCM."""
    for word, name in INSTEAD.items():
        if begin.startswith(word):
            raise ValueError(f"sends {name}, where PCM was asked for")
    if not kind.startswith("audio/") and kind not in ("", "application/octet-stream"):
        raise ValueError(f"sends {kind}, where sound should be")
    if not kind.startswith(BARE) and begin.startswith(MP3_FRAMES):
        raise ValueError("sends MP3, where PCM was asked for")


def _header(data: bytes) -> Header | None:
    """None: more is needed. Raises ValueError for a WAV of anything but 16-bit PCM."""
    at, rate_hz, channels = 12, 0, 0
    while len(data) >= at + 8:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"data":
            if not rate_hz:
                raise ValueError("sends a WAV that does not say its format")
            return Header(at + 8, rate_hz, channels, size if 0 < size < ENDLESS else None)
        if name == b"fmt " and len(data) >= at + 24:
            kind, channels = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (8, 10))
            rate_hz = int.from_bytes(data[at + 12 : at + 16], "little")
            bits = int.from_bytes(data[at + 22 : at + 24], "little")
            if kind not in (1, 0xFFFE) or bits != 16 or not channels or not rate_hz:
                raise ValueError(f"sends a WAV of {bits} bits and kind {kind}: wants 16-bit PCM")
        at += 8 + size + size % 2
    return None


def _mono(pcm: bytes, channels: int) -> bytes:
    if channels == 1:
        return pcm
    samples = np.frombuffer(pcm, "<i2").reshape(-1, channels).mean(axis=1)
    return bytes(samples.astype("<i2").tobytes())
