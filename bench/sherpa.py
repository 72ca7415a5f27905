"""sherpa-onnx in the bench of engines: models of the tests with the work of small real ones."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from airos_edge.engines.asr_sherpa import PIECE_SAMPLES, TAIL_MS, open_asr
from airos_edge.engines.ipa import ipa
from airos_edge.engines.sherpa import Manner, generate, load_ears, load_voice, plan_of
from airos_edge.engines.sherpa_kinds import kind_of
from airos_edge.engines.tts_sherpa import open_tts
from airos_edge.engines.wanted import WantedAsr, WantedTts
from airos_edge.models.stored import StoredModel
from airos_edge.voice.audio import RATE_HZ, AudioChunk, samples_of
from airos_edge.voice.ports import Asr, Tts
from tests.sherpa_models import zipformer
from tests.sherpa_voices import piper

LAYERS = 20
"""Of a million weights each: a small Zipformer, or a low voice of Piper's, has 15 to 30 million."""


@cache
def _ears() -> Path:
    return zipformer(Path(mkdtemp(prefix="airos-bench-")), layers=LAYERS)


@cache
def _voice() -> Path:
    return piper(Path(mkdtemp(prefix="airos-bench-")), layers=LAYERS)


def open_ears() -> Asr:
    return open_asr(WantedAsr(model=StoredModel("bench", "asr", "sherpa", _ears())))


def open_voice() -> Tts:
    return open_tts(WantedTts(model=StoredModel("bench", "tts", "sherpa", _voice())))


async def ears_alone(sound: AudioChunk) -> Callable[[], object]:
    """The same pieces, one after the other."""
    ears = load_ears(plan_of(kind_of(_ears(), "asr"), "cpu"))

    def hear() -> str:
        stream = ears.create_stream()
        for piece in sound.pieces(PIECE_SAMPLES):
            stream.accept_waveform(RATE_HZ, piece.as_floats())
            while ears.is_ready(stream):
                ears.decode_stream(stream)
        stream.accept_waveform(RATE_HZ, np.zeros(samples_of(TAIL_MS), np.float32))
        stream.input_finished()
        while ears.is_ready(stream):
            ears.decode_stream(stream)
        text: str = ears.get_result(stream)
        return text

    return hear


def voice_alone() -> Callable[[str], object]:
    voice = load_voice(plan_of(kind_of(_voice(), "tts"), "cpu"))

    def say(sentence: str) -> None:
        sounds = ipa(sentence, "en-gb")
        generate(voice, sentence, Manner(), lambda samples, share: 1, sounds)

    return say
