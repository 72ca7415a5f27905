"""Sound of any format to what ears take."""

import numpy as np
import pytest
from wyoming.audio import AudioChunk as Chunk

from airos_edge.errors import ProtocolError
from airos_edge.voice.audio import RATE_HZ, AudioChunk
from airos_edge.wyoming.sound import EarSound, OneRate


def sine(rate_hz: int, ms: int = 1000) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz * ms // 1000) / rate_hz)).astype(
        "<i2"
    )


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_stays_the_same_tone(rate_hz: int, channels: int) -> None:
    ear, heard = EarSound(), b""
    for part in np.split(sine(rate_hz), 50):
        pcm = np.repeat(part, channels).tobytes()
        heard += ear.of(Chunk(rate_hz, 2, channels, pcm).event()).pcm
    samples = np.frombuffer(heard, "<i2").astype(float)
    assert abs(len(samples) - RATE_HZ) < 20
    loudest_hz = np.argmax(np.abs(np.fft.rfft(samples))) * RATE_HZ / len(samples)
    assert abs(loudest_hz - 440) < 2
    assert abs(np.abs(samples).max() - 8000) < 400


@pytest.mark.parametrize(
    ("chunk", "why"),
    [
        (Chunk(16000, 1, 1, b"12"), "width is 1, wants 2"),
        (Chunk(16000, 4, 1, b"1234"), "width is 4"),
        (Chunk(0, 2, 1, b""), "no rate"),
        (Chunk("16000", 2, 1, b""), "no rate"),  # type: ignore[arg-type]
        (Chunk(16000, 2, 0, b""), "no number of channels"),
        (Chunk(16000, 2, 10**9, b""), "no number of channels"),
    ],
)
def test_what_is_no_16_bit_sound_is_refused(chunk: Chunk, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        EarSound().of(chunk.event())


@pytest.mark.parametrize("channels", [1, 2])
def test_chunks_may_be_cut_anywhere(channels: int) -> None:
    """As Home Assistant cuts what is posted to its /api/stt: after each byte that is a line feed."""
    pcm = np.repeat(sine(RATE_HZ), channels).tobytes()
    lines = pcm.splitlines(keepends=True)
    assert any(len(line) % 2 for line in lines)
    ear = EarSound()
    heard = [ear.of(Chunk(RATE_HZ, 2, channels, line).event()).pcm for line in lines]
    assert b"".join(heard) == sine(RATE_HZ).tobytes()


def test_what_is_left_of_a_sample_is_of_no_use_in_another_format() -> None:
    ear = EarSound()
    assert ear.of(Chunk(RATE_HZ, 2, 2, b"123").event()).pcm == b""
    assert ear.of(Chunk(RATE_HZ, 2, 1, b"45").event()).pcm == b"45"


def test_speech_keeps_the_rate_it_began_with() -> None:
    one = OneRate(22050)
    assert one.of(AudioChunk(b"1234", 22050)) == AudioChunk(b"1234", 22050)
    other = one.of(AudioChunk(sine(16000, 100).tobytes(), 16000))
    assert (other.rate_hz, other.samples) == (22050, 2205)
