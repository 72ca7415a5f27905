"""Whisper in the bench of engines: a model of the tests with the work of a small real one."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from airos_edge.engines import whisper
from airos_edge.engines.asr_whisper import open_asr
from airos_edge.engines.settings import AsrSettings
from airos_edge.engines.wanted import WantedAsr
from airos_edge.models.stored import StoredModel
from airos_edge.voice.audio import RATE_HZ, AudioChunk
from airos_edge.voice.ports import Asr
from tests.whisper_model import Size, make_whisper

SIZE = Size(width=384, layers=4)
"""That of whisper-tiny, whose decoder has to say more than this one's does."""


@cache
def _model() -> Path:
    return make_whisper(Path(mkdtemp(prefix="airos-bench-")), SIZE)


def open_ears() -> Asr:
    settings = AsrSettings(device="cpu")
    return open_asr(WantedAsr(settings, model=StoredModel("bench", "asr", "whisper", _model())))


async def ears_alone(sound: AudioChunk) -> Callable[[], object]:
    """One decoding of the whole, as the engine asks for it."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(_model()), device="cpu", compute_type="int8", cpu_threads=whisper._threads()
    )
    samples, seconds = sound.as_floats(), sound.samples / RATE_HZ
    most = whisper.FEWEST_TOKENS + round(seconds * whisper.TOKENS_PER_S)

    def hear() -> str:
        segments, _ = model.transcribe(
            samples,
            language="en",
            beam_size=whisper.BEAM,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
            max_new_tokens=min(whisper.MOST_TOKENS, most),
            no_speech_threshold=whisper.NO_SPEECH,
            log_prob_threshold=whisper.UNLIKELY,
        )
        return " ".join(segment.text for segment in segments)

    return hear
