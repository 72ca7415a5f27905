"""Silero says where speech is, however the sound is cut, for every stream apart."""

from collections.abc import Callable

import numpy as np
import pytest

from airos_edge.engines import vad_silero
from airos_edge.engines.vad_silero import open_ggml, open_onnx
from airos_edge.engines.wanted import WantedVad
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import Vad
from tests.speech import spoken

FRAME_BYTES = 1024
BINDINGS = [pytest.param(open_onnx, id="onnx"), pytest.param(open_ggml, id="ggml")]
Open = Callable[[WantedVad], Callable[[], Vad]]


@pytest.fixture(scope="module")
def sentence() -> bytes:
    """Half a second of room, a sentence, a second of room."""
    return room(500) + spoken("Turn on the kitchen light, please.").pcm + room(1000)


def room(ms: int) -> bytes:
    noise = np.random.default_rng(1).normal(0, 30, samples_of(ms))
    return noise.astype("<i2").tobytes()


def pieces(pcm: bytes, size: int) -> list[AudioChunk]:
    return [AudioChunk(pcm[at : at + size]) for at in range(0, len(pcm), size)]


@pytest.mark.parametrize("open_vad", BINDINGS)
def test_speech_is_told_from_a_quiet_room(open_vad: Open, sentence: bytes) -> None:
    vad = open_vad(WantedVad())()
    before = vad.feed(AudioChunk(room(500)))
    during = vad.feed(spoken("Turn on the kitchen light, please."))
    after = vad.feed(AudioChunk(room(1000)))
    assert vad.frame_ms == 32
    assert max(before) < 0.2
    assert np.mean(np.array(during) > 0.5) > 0.7
    assert max(after[6:]) < 0.35, "more than 200 ms after the last sound"


@pytest.mark.parametrize("open_vad", BINDINGS)
def test_each_whole_frame_gets_one_probability_however_the_sound_is_cut(
    open_vad: Open, sentence: bytes
) -> None:
    streams = open_vad(WantedVad())
    whole = streams().feed(AudioChunk(sentence))
    assert len(whole) == len(sentence) // FRAME_BYTES
    for size in (2, 640, FRAME_BYTES, 5000):
        vad = streams()
        assert [p for piece in pieces(sentence[:40_000], size) for p in vad.feed(piece)] == whole[
            : 40_000 // FRAME_BYTES
        ]


@pytest.mark.parametrize("open_vad", BINDINGS)
def test_streams_do_not_hear_each_other(open_vad: Open, sentence: bytes) -> None:
    streams = open_vad(WantedVad())
    alone = streams().feed(AudioChunk(sentence))
    one, other = streams(), streams()
    heard = []
    for piece in pieces(sentence, FRAME_BYTES):
        heard += one.feed(piece)
        other.feed(AudioChunk(bytes(FRAME_BYTES)))
    assert heard == alone


def test_both_bindings_agree_on_nearly_every_frame(sentence: bytes) -> None:
    onnx = np.array(open_onnx(WantedVad())().feed(AudioChunk(sentence))) > 0.5
    ggml = np.array(open_ggml(WantedVad())().feed(AudioChunk(sentence))) > 0.5
    assert np.mean(onnx == ggml) > 0.95


def test_a_missing_file_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad_silero, "ONNX_FILE", "faster_whisper/assets/none.onnx")
    with pytest.raises(EngineUnavailable, match=r"silero_onnx: .*none\.onnx.*faster-whisper"):
        open_onnx(WantedVad())


def test_a_broken_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vad_silero, "ONNX_FILE", "faster_whisper/__init__.py")
    with pytest.raises(EngineUnavailable, match=r"__init__\.py cannot be loaded"):
        open_onnx(WantedVad())
