"""Engines that hear and speak: what they take of the machine, and what of that is ours.

Each does the same work through its port and, as the floor, by its library alone; the loads, and how late
the event loop runs meanwhile, are beside them. Engines that run models get the small ones that the tests
make, made larger: what a model takes by itself says nothing of a real one.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

from airos_edge.engines.asr_pocketsphinx import PocketsphinxAsr, pocketsphinx
from airos_edge.engines.espeak import USUAL_RATE_WPM, load
from airos_edge.engines.piper_voice import Run, load_voice, voice_files
from airos_edge.engines.settings import AsrSettings
from airos_edge.engines.sphinx import Sphinx, open_sphinx
from airos_edge.engines.tts_espeak import open_espeak
from airos_edge.engines.tts_piper import open_tts as open_piper
from airos_edge.engines.wanted import WantedTts
from airos_edge.models.stored import StoredModel
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Asr, Hints, Speaking, Tts
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from bench import sherpa, whisper
from bench.corpus.draw import house_sentences
from bench.figures import Figure
from tests.piper_model import piper_voice
from tests.speech import pieces, spoken

COMMAND = "turn on the kitchen light"
SENTENCES = ("The kitchen light is on.", "It is half past seven.", "There are two lights on.")
PROBE_S = 0.002
"""How often the loop is asked whether it still runs in time."""
MOST_RATIO = 1.03
LATEST_MS = 10


@dataclass(frozen=True)
class Ears:
    """`bare` recognises the sound by the library alone."""

    name: str
    open: Callable[[], Asr]
    bare: Callable[[AudioChunk], Awaitable[Callable[[], object]]]


@dataclass(frozen=True)
class Voice:
    """`bare` makes speech of a sentence by the library alone."""

    name: str
    open: Callable[[], Tts]
    bare: Callable[[], Callable[[str], object]]


async def engines(quick: bool) -> list[Figure]:
    rounds = 5 if quick else 25
    figures: list[Figure] = []
    for ears in EARS:
        figures += await _of_ears(ears, rounds)
    for voice in VOICES:
        figures += await _of_voice(voice, rounds)
    return figures


# ---- what is measured ---------------------------------------------------------------------------


async def _of_ears(ears: Ears, rounds: int) -> list[Figure]:
    sound = spoken(COMMAND, before_ms=300, after_ms=300)
    began = time.perf_counter()
    asr = ears.open()
    loading_s = time.perf_counter() - began
    bare = await ears.bare(sound)

    async def ours() -> None:
        await _recognise(asr, sound)

    async def alone() -> None:
        bare()

    costs, floor = await _side_by_side(ours, alone, rounds)
    late_ms = [await lateness_ms(_as_said(asr, sound)) for _ in range(max(3, rounds // 5))]
    return [
        *_costs(ears.name, costs, floor, sound.ms / 1000),
        Figure(f"{ears.name}: loading", "s", [loading_s]),
        Figure(f"{ears.name}: the loop is late, p99, as it hears", "ms", late_ms, target=LATEST_MS),
    ]


async def _of_voice(voice: Voice, rounds: int) -> list[Figure]:
    began = time.perf_counter()
    tts = voice.open()
    loading_s, bare = time.perf_counter() - began, voice.bare()
    speech_s = await _speak(tts)

    async def ours() -> None:
        await _speak(tts)

    async def alone() -> None:
        for sentence in SENTENCES:
            bare(sentence)

    costs, floor = await _side_by_side(ours, alone, rounds)
    late_ms = [await lateness_ms(_speak(tts)) for _ in range(max(3, rounds // 5))]
    return [
        *_costs(voice.name, costs, floor, speech_s),
        Figure(f"{voice.name}: loading", "s", [loading_s]),
        Figure(
            f"{voice.name}: the loop is late, p99, as it speaks", "ms", late_ms, target=LATEST_MS
        ),
    ]


def _costs(
    name: str, ours: Sequence[float], floor: Sequence[float], sound_s: float
) -> list[Figure]:
    ms = [cost * 1000 for cost in ours]
    return [
        Figure(f"{name}: real-time factor", "", [cost / sound_s for cost in ours]),
        Figure(
            f"{name}: CPU, over its library alone",
            "ms",
            ms,
            [cost * 1000 for cost in floor],
            "alone",
            most_ratio=MOST_RATIO,
        ),
    ]


async def _side_by_side(
    ours: Callable[[], Any], alone: Callable[[], Any], rounds: int
) -> tuple[list[float], list[float]]:
    """CPU seconds of each, of all threads, turn about, after one of each that does not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for nth in range(rounds + 1):
        for work, into in zip((ours, alone), taken, strict=True):
            gc.collect()
            began = time.process_time()
            await work()
            if nth:
                into.append(time.process_time() - began)
    return taken


async def lateness_ms(work: Any) -> float:
    """By how much the loop is late while this works, in 99 of 100 cases at most."""
    late: list[float] = []

    async def probe() -> None:
        while True:
            due = time.perf_counter() + PROBE_S
            await asyncio.sleep(PROBE_S)
            late.append((time.perf_counter() - due) * 1000)

    probing = asyncio.ensure_future(probe())
    try:
        await work
    finally:
        probing.cancel()
    return sorted(late)[int(0.99 * len(late))]


# ---- what they do -------------------------------------------------------------------------------


def _recorded(sound: AudioChunk) -> Utterance:
    heard = Utterance("item", "push", 0)
    for piece in pieces(sound):
        heard.write(piece)
    heard.end(Ended(EndReason.COMMIT, heard.ms))
    return heard


async def _recognise(asr: Asr, sound: AudioChunk) -> str:
    return await _text_of(asr, _recorded(sound))


async def _text_of(asr: Asr, heard: Utterance) -> str:
    text = ""
    async for transcript in asr.transcribe(heard, Hints()):
        text = transcript.text
    return text


async def _as_said(asr: Asr, sound: AudioChunk) -> None:
    """In real time, piece by piece."""
    heard = Utterance("item", "push", 0)
    recognising = asyncio.ensure_future(_text_of(asr, heard))
    for piece in pieces(sound):
        await asyncio.sleep(piece.ms / 1000)
        heard.write(piece)
    heard.end(Ended(EndReason.COMMIT, heard.ms))
    await recognising


async def _speak(tts: Tts) -> float:
    """Seconds of speech."""

    async def sentences() -> AsyncIterator[str]:
        for sentence in SENTENCES:
            yield sentence

    return sum([speech.chunk.ms / 1000 async for speech in tts.speak(sentences(), Speaking())], 0.0)


# ---- pocketsphinx and espeak-ng -----------------------------------------------------------------


class Noted:
    """A decoder that notes what it is asked to do."""

    def __init__(self, decoder: Sphinx) -> None:
        self.notes: list[Callable[[], object]] = []
        self._decoder = decoder

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._decoder, name)

        def called(*given: Any, **named: Any) -> Any:
            self.notes.append(lambda: found(*given, **named))
            return found(*given, **named)

        return called if callable(found) else found


async def _pocketsphinx_alone(sound: AudioChunk) -> Callable[[], object]:
    """What the engine has its decoder do for this sound, done again by the decoder alone."""
    grammar = house_sentences().grammar
    decoder = Noted(open_sphinx(grammar, ()))
    threshold = AsrSettings().certainty
    await _recognise(PocketsphinxAsr(grammar, cast("Sphinx", decoder), (), threshold), sound)
    return lambda: [note() for note in decoder.notes]


def _espeak_alone() -> Callable[[str], object]:
    espeak = load()
    return lambda sentence: espeak.say(sentence, "en-us", USUAL_RATE_WPM)


# ---- Piper --------------------------------------------------------------------------------------

STEPS = 200
"""Of a millisecond or so each, for each sentence: a real voice takes that for a second of speech on a PC."""


@cache
def _humming() -> StoredModel:
    return piper_voice(Path(mkdtemp(prefix="airos-bench-")), work=STEPS)


def _piper_alone() -> Callable[[str], object]:
    voice = load_voice(voice_files(_humming()), "cpu")
    return lambda sentence: voice.say(sentence, None, 1.0, Run())


EARS = [
    Ears("pocketsphinx", lambda: pocketsphinx(house_sentences().grammar), _pocketsphinx_alone),
    Ears("sherpa", sherpa.open_ears, sherpa.ears_alone),
    Ears("whisper", whisper.open_ears, whisper.ears_alone),
]
VOICES = [
    Voice("espeak", lambda: open_espeak(None, 1.0), _espeak_alone),
    Voice("sherpa", sherpa.open_voice, sherpa.voice_alone),
    Voice("piper", lambda: open_piper(WantedTts(model=_humming())), _piper_alone),
]
