"""How quick an engine is on this box: measured once for each model, kept, and compared with its budget.

Everything goes through the ports, so an engine knows nothing of it.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import asdict, dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.engines.choosing import Choice, is_uri, named
from airos_edge.engines.loading import Loaded
from airos_edge.engines.opening import package_of
from airos_edge.engines.registry import Port
from airos_edge.errors import EngineError
from airos_edge.files import write_whole
from airos_edge.models.speed import BUDGET, MEMORY_SHARE, this_machine
from airos_edge.voice.audio import RATE_HZ, AudioChunk, samples_of
from airos_edge.voice.flow import only
from airos_edge.voice.ports import Asr, Hints, Speaking, Tts
from airos_edge.voice.utterance import Ended, EndReason, Utterance

log = logging.getLogger(__name__)

LISTENS_MS = 3000
NOISE_LSB = 300
LONGEST_TRIAL_S = 60.0
"""What has not answered by then is as slow as that."""
SENTENCES = {
    "de": "Das Licht in der Küche ist jetzt an.",
    "en": "The light in the kitchen is on now.",
    "es": "La luz de la cocina está encendida.",
    "fr": "La lumière de la cuisine est allumée.",
    "it": "La luce della cucina è accesa adesso.",
    "nl": "Het licht in de keuken is nu aan.",
    "pt": "A luz da cozinha está acesa agora.",
    "zh": "厨房的灯现在已经打开了。",
}
DIGITS = "1 2 3 4 5 6 7 8"
"""What a voice of any other language says: every one can read it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one engine with one model on one machine. `factor`: seconds of computing for a second of sound."""

    factor: float
    load_s: float
    memory_bytes: int

    def __str__(self) -> str:
        megabytes = round(self.memory_bytes / 1e6)
        return f"{self.factor:.2g} s for a second of sound, {megabytes} MB, loaded in {self.load_s:.1f} s"


Measure = Callable[[Port, Any, str], Coroutine[Any, Any, float]]
"""The factor of an engine that hears or speaks a language. Raises EngineError."""
WhenIdle = Callable[[Callable[[], Coroutine[Any, Any, float]]], Awaitable[float]]
"""Does work while nobody is waited on, and anew if it was broken off."""


async def at_once(work: Callable[[], Coroutine[Any, Any, float]]) -> float:
    return await work()


@dataclass(frozen=True, slots=True)
class Machine:
    """What timings hold for, and how much memory there is for all."""

    name: str
    memory_bytes: int

    @classmethod
    def this(cls) -> "Machine":
        told = this_machine()
        return cls(f"{_cpu() or told.arch}, {told.cores} cores", told.memory_mb * 1024 * 1024)


def _cpu() -> str:
    """As proc(5) calls it; "" on boards on which it has no name there."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")


class Timings:
    """Those of this box, in a file. `precision` of what is configured: device and type of numbers."""

    def __init__(self, file: Path | None, machine: Machine) -> None:
        self.machine = machine
        self._file = file
        self._known: dict[str, Any] = _read(file)

    def of(self, choice: Choice, precision: str = "") -> Timing | None:
        """None: it was not timed, or with another version of its package or its model."""
        told = self._known.get(self._key(choice, precision))
        try:
            return Timing(**told) if told else None
        except TypeError:  # written by another version
            return None

    def keep(self, choice: Choice, precision: str, timing: Timing) -> None:
        """A box that cannot write it down times it again at its next start."""
        self._known = {**_read(self._file), **self._known}
        self._known[self._key(choice, precision)] = asdict(timing)
        if self._file is None:
            return
        try:
            write_whole(self._file, json.dumps(self._known, indent=1).encode(), 0o600)
        except OSError as error:
            log.warning("%s: what was timed is not kept: %s", self._file, error)

    def too_slow(self, choice: Choice, precision: str = "") -> str:
        """What keeps `auto` from it, as a sentence; "" if nothing does, or nothing is known."""
        timing = self.of(choice, precision)
        return lacking(choice, timing, self.machine) if timing else ""

    def told(self, choice: Choice, precision: str = "") -> str:
        """What is known of it, as part of a sentence; "" if nothing is."""
        timing = self.of(choice, precision) if choice.model else None
        return "" if timing is None else lacking(choice, timing, self.machine) or str(timing)

    def _key(self, choice: Choice, precision: str) -> str:
        try:
            version = metadata.version(package_of(choice))
        except metadata.PackageNotFoundError:
            version = ""
        parts = [f"{choice.port} {choice.engine} {version}", _which(choice)]
        return " / ".join([*parts, precision, self.machine.name])


def _read(file: Path | None) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _which(choice: Choice) -> str:
    """The model, and when it came: another of the same name is timed anew."""
    return f"{choice.model.name} {choice.model.arrived_ns}" if choice.model else ""


def lacking(choice: Choice, timing: Timing, machine: Machine) -> str:
    """What of its budget it does not keep; "" if it keeps all."""
    name = choice.model.name if choice.model else choice.engine
    if timing.factor > BUDGET["asr" if choice.port == "asr" else "tts"]:
        what = "speech" if choice.port == "asr" else "its voice"
        return f"{name} takes {timing.factor:.2g} s for a second of {what}: too slow here"
    if machine.memory_bytes and timing.memory_bytes > MEMORY_SHARE * machine.memory_bytes:
        held, most = timing.memory_bytes / 1e9, machine.memory_bytes / 1e9
        return f"{name} holds {held:.1f} GB of {most:.1f} GB of memory: too much here"
    return ""


# ---- measuring ----------------------------------------------------------------------------------


class Trials:
    """Times what was loaded: one at a time, and only while nobody is waited on."""

    def __init__(
        self, timings: Timings, measure: Measure | None = None, when_idle: WhenIdle | None = None
    ) -> None:
        self.timings = timings
        self._measure = measure or measured
        self._when_idle = when_idle or at_once
        self._one_at_a_time = asyncio.Lock()

    async def trial(
        self, language: str, precision: str, choice: Choice, engine: Any, loaded: Loaded
    ) -> str:
        """What makes it too slow for this box; "" if nothing does. Raises EngineError if it does not work."""
        if choice.engine is None or is_uri(choice.engine):
            return ""
        timing = self.timings.of(choice, precision)
        if timing is None:
            async with self._one_at_a_time:
                work = partial(self._measure, choice.port, engine, language)
                factor = await self._when_idle(work)
            timing = Timing(round(factor, 3), round(loaded.load_s, 2), loaded.memory_bytes)
            self.timings.keep(choice, precision, timing)
            log.info("%s: %s takes %s", choice.port, named(choice), timing)
        return lacking(choice, timing, self.timings.machine)


async def measured(
    port: Port, engine: Any, language: str, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Seconds of computing for a second of sound, of one recording or one sentence. Raises EngineError."""
    how = {"asr": partial(_heard_s, engine), "tts": partial(_spoken_s, engine)}[port]
    began = clock()
    try:
        async with asyncio.timeout(LONGEST_TRIAL_S):
            sound_s = await how(language)
    except TimeoutError:
        sound_s = LISTENS_MS / 1000
    if not sound_s:
        raise EngineError(engine.name, "made no sound of a sentence")
    return (clock() - began) / sound_s


async def _heard_s(asr: Asr, language: str) -> float:
    heard = recording(await asyncio.to_thread(said, language))
    async with aclosing(asr.transcribe(heard, Hints(language))) as transcripts:
        async for transcript in transcripts:
            if transcript.final:
                break
    return heard.ms / 1000


async def _spoken_s(tts: Tts, language: str) -> float:
    sound_s = 0.0
    tts = getattr(tts, "bare", tts)  # what was kept is no measure of it
    speech = tts.speak(only(sentence_of(language)), Speaking(language=language))
    async with aclosing(speech) as pieces:
        async for piece in pieces:
            sound_s += piece.chunk.ms / 1000
    return sound_s


def sentence_of(language: str) -> str:
    return SENTENCES.get(language.partition("-")[0], DIGITS)


def recording(sound: AudioChunk) -> Utterance:
    """One that has ended."""
    heard = Utterance("trial", "push", 0)
    for piece in sound.pieces(samples_of(100)):
        heard.write(piece)
    heard.end(Ended(EndReason.COMMIT, round(sound.ms)))
    return heard


def said(language: str) -> AudioChunk:
    """Three seconds at 16 kHz: a sentence by espeak-ng over a floor of noise; only that where there is none.

    Blocks for some milliseconds.
    """
    samples = np.random.default_rng(seed=0).normal(0, NOISE_LSB, samples_of(LISTENS_MS))
    try:
        import soxr

        from airos_edge.engines.espeak import load

        spoken = load().say(sentence_of(language), language)
        speech = np.frombuffer(bytes(spoken.pcm), "<i2").astype(np.float32)
        speech = soxr.resample(speech, spoken.rate_hz, RATE_HZ)[: len(samples)]
        samples[: len(speech)] += speech
    except (EngineError, ImportError):
        log.debug("Recognisers are timed with noise, as espeak-ng speaks no %s.", language)
    return AudioChunk(np.clip(samples, -32768, 32767).astype("<i2").tobytes())
