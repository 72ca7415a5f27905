"""Wake words: which are heard, how soon, at what cost, and what else is taken for one.

Beside every figure stands that of pyopen-wakeword's own loop on the same sound: its features, and
each word's model on the one grid of 80 ms that the stream's beginning gives; a score of 0.5 is its
word, as openWakeWord has it. Ours counts what is configured when nothing is.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, cycle, product
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.engines.wake_openwakeword import openwakeword
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, ms_of, samples_of
from airos_edge.voice.ear import Ear
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.waking import Waking, WordSettings
from bench.corpus import room, voices
from bench.figures import Figure

WORDS = {
    "hey_jarvis": "hey jarvis",
    "okay_nabu": "okay nabu",
    "alexa": "alexa",
    "hey_rhasspy": "hey rhasspy",
}
SPEEDS = (0.85, 1.0, 1.15)
PEER_THRESHOLD = 0.5
PHASES_MS = range(0, 80, 10)
PIECE_MS, BLOCK_MS = 20, 80
BEFORE_MS, AFTER_MS = 800, 1000
LEVEL_DBFS = -26
KNOWN_MS = 15_000
"""After so much of a room, its noise is known."""
TALK = Path(__file__).parent / "corpus" / "talk.txt"
Listener = Callable[[bytes], Iterable[str]]
"""Takes 20 ms of sound; gives the words that were heard."""


async def wake(quick: bool) -> list[Figure]:
    return [*recall(quick), *await cpu(quick), false_wakes(quick)]


# ---- those who listen ---------------------------------------------------------------------------


def ours(words: Iterable[str]) -> Callable[[], Listener]:
    settings = dict.fromkeys(words, WordSettings())
    streams = openwakeword(settings)

    def begin() -> Listener:
        waking = Waking(streams(), settings)
        return lambda pcm: [hit.word for hit in waking.feed(AudioChunk(pcm))]

    return begin


def theirs(words: Iterable[str]) -> Callable[[], Listener]:
    """Warm from the start, as ours: left alone it begins each stream with 8 s of silence."""
    import pyopen_wakeword as oww

    def begin() -> Listener:
        features = oww.OpenWakeWordFeatures.from_builtin()
        models = {word: oww.OpenWakeWord.from_builtin(oww.Model(word)) for word in words}
        rest, deaf = bytearray(), dict.fromkeys(models, 0)
        block_bytes = samples_of(BLOCK_MS) * BYTES_PER_SAMPLE

        def listen(pcm: bytes) -> Iterator[str]:
            rest.extend(pcm)
            while len(rest) >= block_bytes:
                block = bytes(rest[:block_bytes])
                del rest[:block_bytes]
                for embedding in features.process_streaming(block):
                    for word, model in models.items():
                        deaf[word] -= BLOCK_MS
                        score = max(model.process_streaming(embedding), default=0.0)
                        if score >= PEER_THRESHOLD and deaf[word] <= 0:
                            deaf[word] = 2000
                            yield word

        list(listen(bytes(block_bytes)))
        return listen

    return begin


def pieces(samples: Any, shift_ms: float = 0) -> Iterator[bytes]:
    """As 16 bits, in whole pieces of 20 ms."""
    shifted = samples[samples_of(shift_ms) :]
    pcm = np.clip(shifted * 32768, -32768, 32767).astype("<i2").tobytes()
    size = samples_of(PIECE_MS) * BYTES_PER_SAMPLE
    return (pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size))


# ---- recall and latency -------------------------------------------------------------------------


def recall(quick: bool) -> list[Figure]:
    """Each word by each voice and speed, arriving at each 10 ms of the 80 ms grid.

    Missed are those of a speaker whom pyopen-wakeword hears at one phase at least.
    """
    speakers = list(
        product(voices.TEST[:2], SPEEDS[1:2]) if quick else product(voices.TEST, SPEEDS)
    )
    late: Mapping[str, list[float]] = {"ours": [], "theirs": []}
    missed: Mapping[str, list[float]] = {"ours": [], "theirs": []}
    wrong = []
    for word, text in WORDS.items():
        listeners = {"ours": ours([word]), "theirs": theirs([word])}
        for voice, speed in speakers:
            sound, end_ms = _said(text, voice, speed)
            after = {
                name: [_latency_ms(begin(), sound, end_ms, phase) for phase in PHASES_MS]
                for name, begin in listeners.items()
            }
            if after["theirs"] == [None] * len(PHASES_MS):
                continue
            for name, latencies in after.items():
                late[name].extend(value for value in latencies if value is not None)
                missed[name].append(100 * latencies.count(None) / len(PHASES_MS))
            for phase, value in zip(PHASES_MS, after["ours"], strict=True):
                if value is None:
                    wrong.append(f"{text!r} by {voice} at {speed}, {phase} ms, was not heard")
    means = {name: [float(np.mean(shares))] for name, shares in missed.items()}
    slow = {name: [float(np.percentile(values, 95))] for name, values in late.items()}
    peer = "pyopen"
    return [
        Figure("wake words missed", "%", means["ours"], means["theirs"], peer, 0, wrong),
        Figure("wake word's end to its recognition", "ms", late["ours"], late["theirs"], peer),
        Figure("... its p95", "ms", slow["ours"], slow["theirs"], peer),
    ]


def _said(text: str, voice: str, speed: float) -> tuple[Any, float]:
    """In a room with a microphone's noise; and where it ends."""
    said = room.at_level(voices.speech(text, voice, speed), LEVEL_DBFS)
    quiet = [np.zeros(samples_of(ms), np.float32) for ms in (BEFORE_MS, AFTER_MS)]
    sound = np.concatenate([quiet[0], said, quiet[1]])
    return room.with_floor(sound, np.random.default_rng(7)), BEFORE_MS + ms_of(len(said))


def _latency_ms(listen: Listener, sound: Any, end_ms: float, phase_ms: float) -> float | None:
    for heard_ms, piece in zip(count(PIECE_MS, PIECE_MS), pieces(sound, phase_ms), strict=False):
        if list(listen(piece)):
            return heard_ms - (end_ms - phase_ms)
    return None


# ---- cost ---------------------------------------------------------------------------------------


async def cpu(quick: bool) -> list[Figure]:
    """One stream that waits for its word, fed 20 ms at a time and asleep between: its ear, and all
    that the loop does to wake it. The floor is pyopen-wakeword's loop, fed in the same way."""
    last_s, rounds = (4, 1) if quick else (10, 3)
    chance = np.random.default_rng(7)
    talk = np.concatenate([room.at_level(said, LEVEL_DBFS) for said in _talk(20)])
    sounds = {
        "someone talking": room.with_floor(talk, chance),
        "a quiet room": room.with_floor(np.zeros(len(talk), np.float32), chance),
    }
    figures = []
    for name, sound in sounds.items():
        shares: Mapping[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(rounds):
            for who, feed in {"ours": _waiting_ear(), "theirs": _waiting_peer()}.items():
                endless = cycle(list(pieces(sound)))
                for _ in range(KNOWN_MS // PIECE_MS):
                    feed(next(endless))
                shares[who].append(await _share(feed, endless, last_s))
        target = {"someone talking": 2.5, "a quiet room": 1.0}[name]
        title = f"CPU, waiting for a wake word, {name}"
        figures.append(Figure(title, "% core", shares["ours"], shares["theirs"], "pyopen", target))
    return figures


def _waiting_ear() -> Callable[[bytes], object]:
    class NoVad:
        frame_ms = 32

        def feed(self, chunk: AudioChunk) -> list[float]:
            raise AssertionError("before its wake word an ear needs no VAD")

    settings = {"hey_jarvis": WordSettings(1.0)}  # waiting, whatever is said
    ear = Ear(TurnRules(detection="wake"), NoVad(), Waking(openwakeword(settings)(), settings))
    return lambda pcm: ear.feed(AudioChunk(pcm))


def _waiting_peer() -> Callable[[bytes], object]:
    listen = theirs(["hey_jarvis"])()
    return lambda pcm: list(listen(pcm))


async def _share(feed: Callable[[bytes], object], endless: Iterator[bytes], last_s: int) -> float:
    used, began = time.process_time(), time.perf_counter()
    for place in range(1, last_s * 1000 // PIECE_MS + 1):
        await asyncio.sleep(max(0.0, began + place * PIECE_MS / 1000 - time.perf_counter()))
        feed(next(endless))
    return (time.process_time() - used) / (time.perf_counter() - began) * 100


# ---- false wakes --------------------------------------------------------------------------------


def false_wakes(quick: bool) -> Figure:
    """On talk without a wake word: a smoke test, since hours of people's talk would be needed."""
    listeners = {"ours": ours(WORDS)(), "theirs": theirs(WORDS)()}
    heard: Mapping[str, list[str]] = {"ours": [], "theirs": []}
    heard_ms, wrong = 0, []
    for said in _talk(20 if quick else 240):
        for piece in pieces(room.with_floor(said, np.random.default_rng(heard_ms))):
            heard_ms += PIECE_MS
            for name, listen in listeners.items():
                heard[name].extend(listen(piece))
        wrong += [f"{word} at {heard_ms / 1000:.0f} s" for word in heard["ours"][len(wrong) :]]
    rates = {name: [len(words) / heard_ms * 3_600_000] for name, words in heard.items()}
    title = (
        f"false wakes of {len(WORDS)} words in {heard_ms / 60_000:.0f} min of talk (a smoke test)"
    )
    return Figure(title, "per hour", rates["ours"], rates["theirs"], "pyopen", None, wrong)


def _talk(sentences: int) -> Iterator[Any]:
    """Sentences of which none is meant for the box, by all voices in turn, with a breath after each."""
    lines = [line.split("\t", 1)[1] for line in TALK.read_text(encoding="utf-8").splitlines()]
    every = list(product(SPEEDS, voices.TEST, lines))
    order = np.random.default_rng(7).permutation(len(every))[:sentences]
    for speed, voice, text in (every[place] for place in order):
        said = room.at_level(voices.speech(text, voice, speed), LEVEL_DBFS)
        yield np.concatenate([said, np.zeros(samples_of(300), np.float32)])
