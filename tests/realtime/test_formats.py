"""Sound on the wire and for the ear: PCM at its rates and G.711."""

import numpy as np
import pytest

from airos_edge.realtime.formats import PCM, InputAudio, OutputAudio, Wire, wire_of
from airos_edge.voice.audio import AudioChunk

ULAW, ALAW, SMALL = Wire(8000, "ULAW"), Wire(8000, "ALAW"), Wire(16_000)
WIRES = [PCM, SMALL, ULAW, ALAW]


def tone(wire: Wire, ms: int, hz: int = 440) -> bytes:
    times = np.arange(wire.rate_hz * ms // 1000) / wire.rate_hz
    return wire.encode((8000 * np.sin(2 * np.pi * hz * times)).astype(np.int16))


def heard(audio: InputAudio, *appends: bytes) -> np.ndarray:  # type: ignore[type-arg]
    chunks = [chunk for data in appends for chunk in audio.decoded(data)]
    return np.frombuffer(b"".join(chunk.pcm for chunk in [*chunks, audio.end()]), "<i2")


def alike(one: np.ndarray, other: np.ndarray) -> None:  # type: ignore[type-arg]
    """But for the last bits, which a resampler rounds by chance."""
    assert len(one) == len(other)
    assert np.abs(one.astype(int) - other).max() <= 4


def test_a_format_says_what_is_on_the_wire() -> None:
    assert wire_of({"type": "audio/pcm", "rate": 24000}) == PCM
    assert wire_of({"type": "audio/pcm", "rate": 16000}) == SMALL
    assert wire_of({"type": "audio/pcmu"}) == ULAW
    assert wire_of({"type": "audio/pcma"}) == ALAW


@pytest.mark.parametrize(
    ("wire", "codes"),
    [  # ITU-T G.711, tables 1a to 2b: the extremes of each law and the samples next to zero
        (ULAW, {0x00: -32124, 0x80: 32124, 0xFF: 0, 0x7F: 0, 0xFE: 8, 0x7E: -8}),
        (ALAW, {0x2A: -32256, 0xAA: 32256, 0xD5: 8, 0x55: -8}),
    ],
)
def test_g711_is_as_the_itu_has_it(wire: Wire, codes: dict[int, int]) -> None:
    assert wire.decode(bytes(codes)).tolist() == list(codes.values())


@pytest.mark.parametrize("wire", [ULAW, ALAW])
def test_what_was_decoded_is_encoded_to_the_same_bytes(wire: Wire) -> None:
    every = bytes(code for code in range(256) if (wire, code) != (ULAW, 0x7F))  # the other zero
    assert wire.encode(wire.decode(every)) == every


@pytest.mark.parametrize("wire", WIRES)
def test_the_ear_hears_every_millisecond_of_a_tone_as_it_was(wire: Wire) -> None:
    whole = heard(InputAudio(wire), tone(wire, 2500))
    assert len(whole) == pytest.approx(2500 * 16, abs=2)
    pitch_hz = np.argmax(np.abs(np.fft.rfft(whole[:16_000])))
    assert pitch_hz == pytest.approx(440, abs=1)
    assert np.abs(whole[2000:38_000].astype(int)).max() == pytest.approx(8000, rel=0.05)


@pytest.mark.parametrize("wire", WIRES)
def test_it_does_not_matter_how_a_stream_is_cut_into_appends(wire: Wire) -> None:
    sound = tone(wire, 300)
    cuts = [sound[start : start + 333] for start in range(0, len(sound), 333)]
    alike(heard(InputAudio(wire), *cuts), heard(InputAudio(wire), sound))


def test_16_khz_goes_to_the_ear_bit_by_bit() -> None:
    sound = tone(SMALL, 100)
    assert heard(InputAudio(SMALL), sound).tobytes() == sound


@pytest.mark.parametrize("wire", WIRES)
def test_after_an_end_comes_no_continuation(wire: Wire) -> None:
    audio = InputAudio(wire)
    first = heard(audio, tone(wire, 200), b"\x01" * (wire.sample_bytes - 1))
    alike(heard(audio, tone(wire, 200)), first)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("voice_hz", [16_000, 22_050, 24_000])
def test_speech_is_as_long_on_the_wire_as_it_was(wire: Wire, voice_hz: int) -> None:
    audio = OutputAudio(wire)
    voice = Wire(voice_hz)
    pieces = [audio.encoded(AudioChunk(tone(voice, 60), voice_hz)) for _ in range(20)]
    data = b"".join([*pieces, audio.end()])
    assert len(data) / wire.sample_bytes / wire.rate_hz == pytest.approx(1.2, abs=0.002)


def test_a_stream_without_speech_has_no_end() -> None:
    assert OutputAudio(ULAW).end() == b""
