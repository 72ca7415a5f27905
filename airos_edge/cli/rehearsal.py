"""One real sentence: a box says it, and hears itself say it."""

import time
from collections.abc import AsyncGenerator

import numpy as np

from airos_edge.box import Box
from airos_edge.cli.examination import Finding
from airos_edge.engines.timing import sentence_of
from airos_edge.errors import EngineError
from airos_edge.http.hearing import hear
from airos_edge.voice.audio import RATE_HZ, samples_of
from airos_edge.voice.flow import only
from airos_edge.voice.ports import Speaking

COMMAND = "what time is it"
"""Every house knows it, so ears that know commands only understand it too."""
QUIET_MS = 500
NOISE_LSB = 30
"""Digital silence has no spectrum; no room is as quiet."""


async def ears_and_voice(box: Box) -> AsyncGenerator[Finding, None]:
    """One real synthesis and one real recognition: how long each took, and what was understood."""
    text = COMMAND if box.language.partition("-")[0] == "en" else sentence_of(box.language)
    names = {port: part["engine"] for port, part in box.check()["engines"].items()}
    if names["tts"] is None:
        return
    try:
        told, pcm = await _said(text, box)
    except EngineError as error:
        yield Finding("Trial", "fails", f"nothing was said: {error}")
        return
    yield Finding("Trial", "works", f"{names['tts']} said {text!r}: {told}")
    if names["asr"] is None or names["vad"] is None:
        return  # which has been found
    began = time.perf_counter()
    try:
        heard = " ".join([one.text async for one in hear(pcm, box.open_hearing)])
    except EngineError as error:
        yield Finding("Trial", "fails", f"nothing was heard: {error}")
        return
    took_s = time.perf_counter() - began
    sound_s = len(pcm) / 2 / RATE_HZ
    told = f"{names['asr']} heard {heard!r} in {sound_s:.1f} s of sound, in {took_s:.2f} s"
    if not heard:
        mend = "try airos listen with a recording of your own; airos models list has better ears"
        yield Finding("Trial", "fails", f"{names['asr']} understood nothing of it", mend)
    else:
        yield Finding("Trial", "works", told)


async def _said(text: str, box: Box) -> tuple[str, bytes]:
    """How long it took, and the sound at 16 kHz over a floor of noise. Raises EngineError."""
    import soxr

    began, first_s, rate_hz, pcm = time.perf_counter(), 0.0, RATE_HZ, b""
    async for piece in box.speak(only(text), Speaking(language=box.language)):
        first_s = first_s or time.perf_counter() - began
        rate_hz, pcm = piece.chunk.rate_hz, pcm + piece.chunk.pcm
    took_s = time.perf_counter() - began
    if not pcm:
        raise EngineError("tts", f"made no sound of {text!r}")
    speech = np.frombuffer(pcm, "<i2").astype(np.float32)
    told = f"{len(speech) / rate_hz:.1f} s of sound in {took_s:.2f} s, the first after {first_s * 1000:.0f} ms"
    quiet = np.zeros(samples_of(QUIET_MS), np.float32)
    samples = np.concatenate([quiet, soxr.resample(speech, rate_hz, RATE_HZ), quiet])
    samples += np.random.default_rng(seed=0).normal(0, NOISE_LSB, len(samples))
    return told, np.clip(samples, -32768, 32767).astype("<i2").tobytes()
