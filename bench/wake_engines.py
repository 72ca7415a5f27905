"""Which engine hears the words better that both packages bring: openWakeWord's networks or microWakeWord's.

Each word by espeak-ng's test voices and by flite's, which are pieced together from people's recordings, at
three speeds and arriving at eight phases, in a quiet room and in noise; and what else is taken for one.
docs/ears.md has what came out, and `engines/word_engines.py` what follows from it.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from airos_edge.engines import wake_microwakeword, wake_openwakeword
from airos_edge.engines.wanted import WakeWords, WantedWake
from airos_edge.voice.audio import AudioChunk, ms_of, samples_of
from airos_edge.voice.waking import Waking, WordSettings
from bench.corpus import room, voices
from bench.figures import Figure
from bench.wake import LEVEL_DBFS, PHASES_MS, PIECE_MS, SPEEDS, _latency_ms, _talk, pieces

WORDS = {
    "hey_jarvis": "hey jarvis",
    "okay_nabu": "okay nabu",
    "alexa": "alexa",
    "hey_mycroft": "hey mycroft",
}
ENGINES = {
    "openwakeword": wake_openwakeword.open_wake,
    "microwakeword": wake_microwakeword.open_wake,
}
ROOMS = {
    "a quiet room": None,
    "white noise at 10 dB": ("white", 10),
    "babble at 15 dB": ("babble", 15),
}
BEFORE_MS, AFTER_MS = 2000, 1000


async def wake_engines(quick: bool) -> list[Figure]:
    flite = [voice for voice in (*voices.TUNE, *voices.HELD_OUT) if voice.startswith("flite:")]
    who = {"espeak-ng": voices.TEST, "flite": flite if voices.has_flite() else []}
    rooms = {"a quiet room": None} if quick else ROOMS
    heard = product(WORDS, [name for name, speakers in who.items() if speakers], rooms)
    figures = [
        f for word, name, where in heard for f in _recall(word, name, who[name], where, quick)
    ]
    return [*figures, _false_wakes(quick)]


def _opened(engine: str, words: list[str]) -> Callable[[], Waking]:
    settings = dict.fromkeys(words, WordSettings())
    streams: WakeWords = ENGINES[engine](WantedWake(settings))
    return lambda: Waking(streams(), settings)


def _recall(
    word: str, name: str, speakers: tuple[str, ...] | list[str], where: str, quick: bool
) -> Iterator[Figure]:
    missed: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    late: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    opened = {engine: _opened(engine, [word]) for engine in ENGINES}
    for voice, speed in product(speakers, SPEEDS[1:2] if quick else SPEEDS):
        sound, end_ms = _said(WORDS[word], voice, speed, where)
        for engine, begin in opened.items():
            after = [
                _latency_ms(_listening(begin()), sound, end_ms, phase)
                for phase in (PHASES_MS[::4] if quick else PHASES_MS)
            ]
            missed[engine].append(100 * after.count(None) / len(after))
            late[engine] += [value for value in after if value is not None]
    means = {engine: [float(np.mean(shares))] for engine, shares in missed.items()}
    told = f"{word} by {name}'s voices in {where}, microWakeWord"
    peer = "openWakeWord"
    yield Figure(f"{told}: missed", "%", means["microwakeword"], means["openwakeword"], peer)
    if where == "a quiet room":
        yield Figure(
            f"{told}: its end to its recognition",
            "ms",
            late["microwakeword"],
            late["openwakeword"],
            peer,
        )


def _listening(waking: Waking) -> Callable[[bytes], list[str]]:
    return lambda pcm: [hit.word for hit in waking.feed(AudioChunk(pcm))]


def _said(text: str, voice: str, speed: float, where: str) -> tuple[Any, float]:
    said = room.at_level(voices.speech(text, voice, speed), LEVEL_DBFS)
    quiet = [np.zeros(samples_of(ms), np.float32) for ms in (BEFORE_MS, AFTER_MS)]
    sound = np.concatenate([quiet[0], said, quiet[1]])
    chance = np.random.default_rng(7)
    if (noise := ROOMS[where]) is not None:
        kind, snr_db = noise
        sound = sound + room.at_level(room.NOISES[kind](len(sound), chance), LEVEL_DBFS - snr_db)
    return room.with_floor(sound, chance), BEFORE_MS + ms_of(len(said))


def _false_wakes(quick: bool) -> Figure:
    """On talk without a wake word, as in `bench/wake.py`: a smoke test."""
    listeners = {engine: _listening(_opened(engine, [*WORDS])()) for engine in ENGINES}
    heard: dict[str, list[str]] = {engine: [] for engine in ENGINES}
    heard_ms = 0
    for said in _talk(20 if quick else 240):
        for piece in pieces(room.with_floor(said, np.random.default_rng(heard_ms))):
            heard_ms += PIECE_MS
            for engine, listen in listeners.items():
                heard[engine] += listen(piece)
    rates = {engine: [len(hits) / heard_ms * 3_600_000] for engine, hits in heard.items()}
    title = (
        f"false wakes of {len(WORDS)} words in {heard_ms / 60_000:.0f} min of talk, microWakeWord"
    )
    return Figure(title, "per hour", rates["microwakeword"], rates["openwakeword"], "openWakeWord")
