"""What is played to the ears: who says what, how, where. A recipe is a value; its sound follows from it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from zlib import crc32

import numpy as np

from airos_edge.voice.audio import RATE_HZ, AudioChunk, samples_of
from bench.corpus import room
from bench.corpus.voices import Samples, speech

Split = Literal["tune", "test"]
Kind = Literal["command", "talk", "near", "broken", "sound"]
"""A command; talk; nearly a command ("turn on the toaster"); one broken off; no speech at all."""
HERE = Path(__file__).parent
SEED = 20261124
BEFORE_MS, AFTER_MS = 600, 2600
SPEEDS = (0.84, 0.92, 1.0, 1.1, 1.2)
LEVELS_DBFS = (-32.0, -28.0, -24.0, -20.0, -16.0)
NOISES = ("white", "babble", "hum")
SNRS_DB = (20, 15, 10)
CONDITIONS = ("quiet", *(f"{noise} {snr}" for snr in SNRS_DB for noise in NOISES), "small room")
PAUSES_MS = (150, 250, 350, 500, 700, 900, 1100, 1300, 1500)
SOUND_MS = 2500


@dataclass(frozen=True)
class Recipe:
    text: str
    voice: str
    kind: Kind = "command"
    condition: str = "quiet"
    speed: float = 1.0
    level_dbfs: float = -24.0
    pause_after: int = 0
    """A pause after so many words; 0: none."""
    pause_ms: int = 0

    @property
    def seed(self) -> int:
        return crc32(repr(self).encode())


@dataclass(frozen=True)
class Played:
    """A recipe's sound, and where in it speech begins, pauses, goes on and ends, to the sample."""

    sound: AudioChunk
    start_ms: float
    end_ms: float
    pause_start_ms: float | None = None
    pause_end_ms: float | None = None


def play(recipe: Recipe) -> Played:
    """Raises NoVoice. The same recipe gives the same sound, as far as espeak-ng does."""
    chance = np.random.default_rng(recipe.seed)
    quiet = np.zeros(samples_of(BEFORE_MS), np.float32)
    said, pause = _said(recipe, chance)
    said = room.at_level(said, recipe.level_dbfs)
    samples = np.concatenate([quiet, said, np.zeros(samples_of(AFTER_MS), np.float32)])
    if recipe.condition == "small room":
        samples = room.in_small_room(samples, chance)
    elif recipe.condition != "quiet":
        noise, snr_db = recipe.condition.split()
        samples = room.with_noise(samples, noise, recipe.level_dbfs - float(snr_db), chance)
    samples = room.with_floor(samples, chance)
    pcm = np.clip(samples * 32768, -32768, 32767).astype("<i2").tobytes()
    begin, end = len(quiet), len(quiet) + len(said)
    where = [None if place is None else (begin + place) / RATE_HZ * 1000 for place in pause]
    return Played(AudioChunk(pcm), begin / RATE_HZ * 1000, end / RATE_HZ * 1000, *where)


def _said(
    recipe: Recipe, chance: np.random.Generator
) -> tuple[Samples, tuple[int | None, int | None]]:
    if recipe.kind == "sound":
        return room.SOUNDS[recipe.text](samples_of(SOUND_MS), chance), (None, None)
    if not recipe.pause_after:
        return speech(recipe.text, recipe.voice, recipe.speed), (None, None)
    words = recipe.text.split()
    first = speech(" ".join(words[: recipe.pause_after]), recipe.voice, recipe.speed)
    second = speech(" ".join(words[recipe.pause_after :]), recipe.voice, recipe.speed)
    pause = np.zeros(samples_of(recipe.pause_ms), np.float32)
    return np.concatenate([first, pause, second]), (len(first), len(first) + len(pause))


# ---- sets of recipes ----------------------------------------------------------------------------


def sentences(split: Split, kind: Kind = "command") -> list[str]:
    drawn = {"command": "commands.txt", "broken": "broken.txt"}
    lines = (HERE / drawn.get(kind, f"{kind}.txt")).read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines]
    return [text for its_split, text in pairs if its_split == split]


def commands(
    split: Split, voices: Sequence[str], condition: str, count: int | None = None
) -> list[Recipe]:
    """The split's commands, or `count` of them: each by one of the voices."""
    chance = random.Random(f"{SEED} {split} {condition}")
    chosen = sentences(split)
    chance.shuffle(chosen)
    return [
        replace(recipe, condition=condition)
        for recipe in _each_said(chosen[:count], "command", voices, chance)
    ]


def others(split: Split, voices: Sequence[str], kind: Kind) -> list[Recipe]:
    """What is not to be acted on. Every other one in some noise."""
    chance = random.Random(f"{SEED} {split} {kind}")
    if kind == "sound":
        return [
            Recipe(name, "", "sound", "quiet", level_dbfs=level)
            for name in room.SOUNDS
            for level in LEVELS_DBFS
        ]
    return [
        replace(recipe, condition=chance.choice(CONDITIONS)) if place % 2 else recipe
        for place, recipe in enumerate(_each_said(sentences(split, kind), kind, voices, chance))
    ]


def paused(split: Split, voices: Sequence[str], count: int) -> list[Recipe]:
    """Commands with a pause: at every word boundary alike, of every length alike."""
    chance = random.Random(f"{SEED} {split} paused")
    texts = [text for text in sentences(split) if len(text.split()) > 1]
    chance.shuffle(texts)
    recipes = []
    for place, recipe in enumerate(_each_said(texts[:count], "command", voices, chance)):
        after = chance.randint(1, len(recipe.text.split()) - 1)
        pause_ms = PAUSES_MS[place % len(PAUSES_MS)]
        recipes.append(replace(recipe, pause_after=after, pause_ms=pause_ms))
    return recipes


def _each_said(
    texts: Sequence[str], kind: Kind, voices: Sequence[str], chance: random.Random
) -> Iterator[Recipe]:
    for place, text in enumerate(texts):
        yield Recipe(
            text,
            voices[place % len(voices)],
            kind,
            speed=chance.choice(SPEEDS),
            level_dbfs=chance.choice(LEVELS_DBFS),
        )
