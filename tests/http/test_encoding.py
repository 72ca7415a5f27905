"""Speech to a file that is sent while it is made: whatever is sent first, the whole can be read."""

import io
import wave

import numpy as np
import pytest
import soundfile

from airos_edge.http.encoding import FORMATS, RATE_HZ, Encoder
from airos_edge.voice.audio import AudioChunk

TONE_HZ = 440


def tone(rate_hz: int, seconds: float) -> np.ndarray:
    at_s = np.arange(round(rate_hz * seconds)) / rate_hz
    return (12_000 * np.sin(2 * np.pi * TONE_HZ * at_s)).astype("<i2")


def encoded(name: str, rate_hz: int = 22_050, seconds: float = 2.0) -> list[bytes]:
    encoder, sound = Encoder(name), AudioChunk(tone(rate_hz, seconds).tobytes(), rate_hz)
    return [*(encoder.feed(piece) for piece in sound.pieces(rate_hz // 20)), encoder.end()]


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("name", FORMATS)
def test_every_form_holds_the_speech_at_24_khz(name: str, rate_hz: int) -> None:
    data = b"".join(encoded(name, rate_hz))
    if name == "pcm":
        samples = np.frombuffer(data, "<i2") / 32768
    else:
        samples, read_hz = soundfile.read(io.BytesIO(data))
        assert read_hz == RATE_HZ
    assert len(samples) / RATE_HZ == pytest.approx(2.0, abs=0.1)
    strengths = np.abs(np.fft.rfft(samples))
    assert np.argmax(strengths) * RATE_HZ / len(samples) == pytest.approx(TONE_HZ, abs=3)


@pytest.mark.parametrize("name", [name for name, kind in FORMATS.items() if not kind.is_sent_whole])
def test_its_first_bytes_come_with_the_first_of_the_speech(name: str) -> None:
    assert encoded(name)[0]


def test_the_python_standard_library_reads_the_wav_file() -> None:
    with wave.open(io.BytesIO(b"".join(encoded("wav", RATE_HZ)))) as file:
        assert file.readframes(10 * RATE_HZ) == tone(RATE_HZ, 2.0).tobytes()


def test_speech_of_two_rates_is_one_sound() -> None:
    encoder = Encoder("pcm")
    first = encoder.feed(AudioChunk(tone(16_000, 1.0).tobytes(), 16_000))
    rest = encoder.feed(AudioChunk(tone(22_050, 1.0).tobytes(), 22_050)) + encoder.end()
    assert len(first + rest) / 2 / RATE_HZ == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("name", FORMATS)
def test_of_no_speech_there_is_a_file_without_sound(name: str) -> None:
    assert Encoder(name).end() == b"" or name != "pcm"
