"""What someone may hand over as a recording, and what they are told when it is none."""

import io
import struct

import numpy as np
import pytest
import soundfile

from airos_edge.errors import RecordingError
from airos_edge.http.recording import FASTEST_HZ, LONGEST_S, decode
from airos_edge.voice.audio import RATE_HZ, encode_wav

TONE_HZ = 440


def tone(rate_hz: int, seconds: float = 0.5, channels: int = 1, loud: float = 0.5) -> np.ndarray:
    at_s = np.arange(round(rate_hz * seconds)) / rate_hz
    one = (loud * np.sin(2 * np.pi * TONE_HZ * at_s)).astype(np.float32)
    return np.repeat(one[:, None], channels, axis=1)


def file_of(
    samples: np.ndarray, rate_hz: int, kind: str = "PCM_16", container: str = "WAV"
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=container, subtype=kind)
    return file.getvalue()


def header(data_bytes: int, rate_hz: int = RATE_HZ) -> bytes:
    """Of a WAV file that says it holds so much."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + data_bytes)
        + b"WAVEfmt "
        + form
        + b"data"
        + struct.pack("<I", data_bytes)
    )


def samples_of(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.float64) / 32768


def assert_is_the_tone(pcm: bytes, loud: float = 0.5) -> None:
    samples = samples_of(pcm)
    assert len(samples) == pytest.approx(RATE_HZ / 2, abs=16)
    strengths = np.abs(np.fft.rfft(samples))
    assert np.argmax(strengths) * RATE_HZ / len(samples) == pytest.approx(TONE_HZ, abs=3)
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(loud / np.sqrt(2), rel=0.03)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_usual_rate_and_both_mono_and_stereo_sound_the_same(
    rate_hz: int, channels: int
) -> None:
    assert_is_the_tone(decode(file_of(tone(rate_hz, channels=channels), rate_hz)))


@pytest.mark.parametrize(
    "kind", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"]
)
def test_every_width_sounds_the_same(kind: str) -> None:
    assert_is_the_tone(decode(file_of(tone(44100), 44100, kind)))


@pytest.mark.parametrize(("container", "kind"), [("FLAC", "PCM_16"), ("OGG", "VORBIS")])
def test_compressed_recordings_are_read_too(container: str, kind: str) -> None:
    assert_is_the_tone(decode(file_of(tone(44100), 44100, kind, container)))


def test_of_16_khz_and_16_bit_no_sample_is_changed() -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, 1000, dtype=np.int16)
    assert decode(file_of(samples, RATE_HZ)) == samples.tobytes()


def test_the_channels_of_a_stereo_recording_are_mixed() -> None:
    samples = np.repeat([[0.5, -0.25]], 1600, axis=0)
    assert samples_of(decode(file_of(samples, RATE_HZ))) == pytest.approx(0.125, abs=1e-3)


@pytest.mark.parametrize("rate_hz", [RATE_HZ, FASTEST_HZ])
def test_what_is_too_loud_is_clipped_and_does_not_wrap_around(rate_hz: int) -> None:
    loud = samples_of(decode(file_of(np.full(4800, 7.5), rate_hz, "FLOAT")))
    middle = loud[len(loud) // 4 : -len(loud) // 4]
    assert len(middle) > 100
    assert middle.min() > 0.99
    huge = np.full((100, 2), 3e38, np.float32)
    assert len(decode(file_of(huge, RATE_HZ, "FLOAT"))) == 200


def test_what_is_no_number_is_silence_and_infinity_is_full_scale() -> None:
    samples = np.array([np.nan, np.inf, -np.inf, 0.5], np.float32)
    heard = samples_of(decode(file_of(samples, RATE_HZ, "FLOAT")))
    assert heard == pytest.approx([0, 1, -1, 0.5], abs=1e-3)


def test_a_recording_that_was_cut_off_is_heard_up_to_there() -> None:
    whole = file_of(tone(RATE_HZ), RATE_HZ)
    assert len(decode(whole[:4044])) == 4000
    assert len(decode(header(7200 * RATE_HZ * 2) + b"\1\2" * 100)) == 200  # two hours, it says


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86", "a WebM or Matroska file"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "an MP4 or M4A file"),
        (b"turn on the kitchen light", "not audio that can be read; WAV, FLAC, Ogg and MP3 are"),
        (bytes(100_000), "not audio"),
        (header(1000)[:30], "not audio"),
        (header(1000, rate_hz=0) + bytes(1000), "not audio"),
        (header(0), "holds no sound"),
        (header(7200 * RATE_HZ * 2), "holds no sound"),
        (file_of(tone(48000)[:1], 48000), "holds no sound"),
        (file_of(tone(96000), 96000), "the rate is 96000 Hz; 8000 to 48000 Hz can be read"),
        (file_of(tone(4000), 4000), "the rate is 4000 Hz"),
        (file_of(tone(RATE_HZ, channels=6), RATE_HZ), "6 channels; mono and stereo can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_cannot_be_heard_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(RecordingError, match=why):
        decode(data)


def test_a_recording_may_be_as_long_as_a_question_and_no_longer() -> None:
    longest = np.zeros(LONGEST_S * 8000, np.int16)
    assert len(decode(file_of(longest, 8000))) == LONGEST_S * RATE_HZ * 2
    with pytest.raises(RecordingError, match=f"longer than {LONGEST_S} s"):
        decode(file_of(np.zeros(len(longest) + 1, np.int16), 8000))


def test_a_header_that_claims_more_than_there_is_memory_costs_none() -> None:
    flac = bytearray(file_of(tone(44100), 44100, container="FLAC"))
    flac[21] |= 0x0F  # the number of samples has 36 bits
    flac[22:26] = b"\xff\xff\xff\xff"
    with pytest.raises(RecordingError):
        decode(bytes(flac))


def test_of_a_damaged_recording_something_is_heard_or_it_is_refused() -> None:
    dice = np.random.default_rng(1)
    refused = heard = 0
    for container in ("WAV", "FLAC"):
        whole = file_of(tone(44100), 44100, container=container)
        for _ in range(200):
            damaged = bytearray(whole)
            for at in dice.integers(0, 100, 3):
                damaged[at] = dice.integers(256)
            try:
                heard += bool(decode(bytes(damaged)))
            except RecordingError:
                refused += 1
    assert heard > 50
    assert refused > 50


def test_speech_written_as_wav_is_read_as_the_same_speech() -> None:
    pcm = decode(file_of(tone(RATE_HZ), RATE_HZ))
    assert decode(encode_wav(pcm, RATE_HZ)) == pcm
