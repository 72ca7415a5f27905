"""Speech to text by sherpa-onnx: in step with the speaker (Zipformer, streaming Paraformer), or of the
whole once it has ended (SenseVoice, Paraformer, transducers such as NeMo's).

Where an utterance ends is for the ear to say: the models' own endpoint detection is off.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np

from airos_edge.engines.sherpa import HEARD_STREAMING, NAME, Plan, hear_once, load_ears, plan_of
from airos_edge.engines.sherpa_hotwords import Hotwords, hotwords_of
from airos_edge.engines.sherpa_kinds import kind_of
from airos_edge.engines.sherpa_text import is_no_speech, language_of, tidy
from airos_edge.engines.sherpa_trial import tried
from airos_edge.engines.thread import Lane
from airos_edge.engines.wanted import WantedAsr
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ, AudioChunk, level_dbfs, samples_of
from airos_edge.voice.ports import Asr, Hints, Place, Transcript
from airos_edge.voice.utterance import Utterance
from airos_edge.voice.waking import without

T = TypeVar("T")

STEP_MS = 160
"""So much is handed to the model at once: half a step of the usual models', which are of 320 ms. The way to
its thread and back takes 0.2 ms."""
PIECE_SAMPLES = samples_of(STEP_MS)
PIECE_BYTES = PIECE_SAMPLES * BYTES_PER_SAMPLE
TAIL_MS = 660
"""Silence after the last sample, for models that look ahead: as sherpa-onnx's own examples have it."""
SILENT_DBFS = -70.0
"""Nobody speaks in what is quieter: some models write a word all the same."""
SHORTEST_MS = 100


class StreamingAsr:
    """One model; each that speaks has a stream of it. The steps of several take turns in its thread."""

    name = NAME
    place = Place.LOCAL

    def __init__(self, ears: Any, plan: Plan, hotwords: Hotwords | None) -> None:
        self.runs_on = plan.provider
        self._ears = ears
        self._kind = plan.kind
        self._hotwords = hotwords
        self._lane = Lane(NAME)

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """A partial whenever the text has changed, then the final. Raises EngineError.

        What the box expects as an answer, and the house's names, are heard more readily where the model
        can be told. Cancelling leaves the stream after the step that it is at.
        """
        stream = await _run(self._lane, partial(self._begin, hints))
        text = ""
        is_silent = True
        async for piece in _pieces(heard):
            is_silent = is_silent and level_dbfs(piece.pcm) < SILENT_DBFS
            now = await _run(self._lane, partial(self._step, stream, piece))
            if now is not None and now != text:
                text = now
                yield Transcript(without(heard.wake_word, text))
        text = await _run(self._lane, partial(self._end, stream))
        yield Transcript("" if is_silent else without(heard.wake_word, text), final=True)

    async def aclose(self) -> None:
        """What it is at is finished and discarded."""
        self._lane.close()

    def _begin(self, hints: Hints) -> Any:
        if self._hotwords is None:
            return self._ears.create_stream()
        return self._ears.create_stream(hotwords=self._hotwords.said(hints.expecting))

    def _step(self, stream: Any, piece: AudioChunk) -> str | None:
        """None where it was not enough for a step of the model's own."""
        stream.accept_waveform(RATE_HZ, piece.as_floats())
        return self._decode(stream) if self._ears.is_ready(stream) else None

    def _end(self, stream: Any) -> str:
        stream.accept_waveform(RATE_HZ, np.zeros(samples_of(TAIL_MS), np.float32))
        stream.input_finished()
        if self._kind == "streaming_paraformer":
            stream.set_option("is_final", "1")
        return self._decode(stream)

    def _decode(self, stream: Any) -> str:
        while self._ears.is_ready(stream):
            self._ears.decode_stream(stream)
        return tidy(self._ears.get_result(stream))


class WholeAsr:
    """One model, one utterance at a time, each once it has ended."""

    name = NAME
    place = Place.LOCAL

    def __init__(self, ears: Any, plan: Plan) -> None:
        self.runs_on = plan.provider
        self._ears = ears
        self._lane = Lane(NAME)

    async def transcribe(self, heard: Utterance, hints: Hints) -> AsyncGenerator[Transcript, None]:
        """The final, with the language where the model tells it. Raises EngineError.

        Cancelling discards what is being decoded; what waits is not begun.
        """
        await heard.ended()
        sound = AudioChunk(heard.pcm)
        if sound.ms < SHORTEST_MS or _is_silent(sound):
            yield Transcript("", final=True)
            return
        text, language = await _run(self._lane, partial(self._decode, sound))
        yield Transcript(without(heard.wake_word, text), final=True, language=language)

    async def aclose(self) -> None:
        """As of StreamingAsr."""
        self._lane.close()

    def _decode(self, sound: AudioChunk) -> tuple[str, str | None]:
        stream = self._ears.create_stream()
        stream.accept_waveform(RATE_HZ, sound.as_floats())
        self._ears.decode_stream(stream)
        result = stream.result
        if is_no_speech(result.lang):
            return "", None
        return tidy(result.text), language_of(result.lang)


def open_asr(wanted: WantedAsr) -> Asr:
    """Blocks while it is loaded, and the first time tried in a process of its own.

    Raises EngineUnavailable for what is no model, or none that sherpa-onnx can run.
    """
    model = wanted.model
    if model is None:
        raise EngineUnavailable(NAME, "has no model: `airos models list` shows those there are")
    is_quantized = wanted.settings.compute_type in ("auto", "int8")
    plan = plan_of(kind_of(model.path, "asr", model.kind, is_quantized), wanted.settings.device)
    hotwords = hotwords_of(plan, wanted.names)
    if hotwords is not None:
        plan = hotwords.plan
    plan = tried(plan, model.path)
    ears = load_ears(plan)
    hear_once(plan, ears)
    return (
        StreamingAsr(ears, plan, hotwords) if plan.kind in HEARD_STREAMING else WholeAsr(ears, plan)
    )


async def _run(lane: Lane, work: Callable[[], T]) -> T:
    try:
        return await lane.call(work)
    except Exception as error:  # boundary: what the library throws
        raise EngineError(NAME, f"decoding failed: {error}") from error


async def _pieces(heard: Utterance) -> AsyncIterator[AudioChunk]:
    """What is recorded, in pieces of a step; the last may be shorter."""
    pcm = bytearray()
    async for chunk in heard:
        pcm += chunk.pcm
        while len(pcm) >= PIECE_BYTES:
            yield AudioChunk(bytes(pcm[:PIECE_BYTES]))
            del pcm[:PIECE_BYTES]
    if pcm:
        yield AudioChunk(bytes(pcm))


def _is_silent(sound: AudioChunk) -> bool:
    return all(level_dbfs(piece.pcm) < SILENT_DBFS for piece in sound.pieces(PIECE_SAMPLES))
