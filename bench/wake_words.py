"""What more wake words cost: CPU seconds for each minute of talk, on shared features and on their own.

Beside them stand the libraries bare: pyopen-wakeword's own loop, which makes features each 80 ms and
shares them too, and pymicro-wakeword's, each fed the same pieces. Eight words are eight networks: the
owner's models, copied from those in the packages.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.engines import wake_microwakeword, wake_openwakeword
from airos_edge.engines.wanted import WantedWake
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.waking import WordSettings
from bench.corpus import room
from bench.figures import Figure
from bench.wake import BLOCK_MS, LEVEL_DBFS, _talk, pieces

COUNTS = (1, 4, 8)
Feed = Callable[[bytes], object]


async def wake_words(quick: bool) -> list[Figure]:
    sounds = [room.at_level(said, LEVEL_DBFS) for said in _talk(12 if quick else 40)]
    talk = room.with_floor(np.concatenate(sounds), np.random.default_rng(7))
    sound = [*pieces(talk)]
    with tempfile.TemporaryDirectory() as directory:
        owned = _owned(Path(directory))
        return [*_openwakeword(owned, sound, quick), *_microwakeword(owned, sound, quick)]


def _owned(directory: Path) -> dict[str, list[Path]]:
    """By engine the files of its eight words."""
    import pymicro_wakeword as mww
    import pyopen_wakeword as oww

    brought = {
        "openwakeword": (Path(oww.__file__).parent / "models", [one.value for one in oww.Model]),
        "microwakeword": (Path(mww.__file__).parent / "models", [one.value for one in mww.Model]),
    }
    files: dict[str, list[Path]] = {}
    for engine, (package, names) in brought.items():
        files[engine] = []
        for number, name in enumerate(islice(cycle(sorted(names)), max(COUNTS))):
            into = directory / f"{engine}{number}"
            into.mkdir()
            for path in package.glob(f"{name}.*"):
                shutil.copy(path, into)
            suffix = ".json" if engine == "microwakeword" else ".tflite"
            files[engine].append(into / f"{name}{suffix}")
    return files


def _words(files: Iterable[Path]) -> WantedWake:
    return WantedWake({str(file): WordSettings(str(file)) for file in files})


def _openwakeword(owned: Mapping[str, list[Path]], sound: list[bytes], quick: bool) -> list[Figure]:
    figures = []
    for count in COUNTS:
        files = owned["openwakeword"][:count]
        wanted = _words(files)
        begin = wake_openwakeword.open_wake(wanted)
        apart = [wake_openwakeword.open_wake(_words([file])) for file in files]
        taken = _taken(
            {
                "shared": lambda begin=begin: [_feed(begin())],
                "apart": lambda apart=apart: [_feed(one()) for one in apart],
                "bare": lambda files=files: [_bare_openwakeword(files)],
            },
            sound,
            1 if quick else 3,
        )
        title = f"CPU of {count} openWakeWord words"
        figures += [
            Figure(f"{title}, features shared", "s/min", taken["shared"], taken["bare"], "pyopen"),
            Figure(f"{title}, features apart", "s/min", taken["apart"], taken["shared"], "shared"),
        ]
    return figures


def _microwakeword(
    owned: Mapping[str, list[Path]], sound: list[bytes], quick: bool
) -> list[Figure]:
    figures = []
    for count in COUNTS:
        files = owned["microwakeword"][:count]
        begin = wake_microwakeword.open_wake(_words(files))
        taken = _taken(
            {
                "shared": lambda begin=begin: [_feed(begin())],
                "bare": lambda files=files: [_bare_microwakeword(files)],
            },
            sound,
            1 if quick else 3,
        )
        title = f"CPU of {count} microWakeWord words"
        figures.append(Figure(title, "s/min", taken["shared"], taken["bare"], "pymicro"))
    return figures


def _taken(
    who: Mapping[str, Callable[[], list[Feed]]], sound: list[bytes], rounds: int
) -> dict[str, list[float]]:
    """CPU seconds for each minute of the sound, of each round; in turn, so that all see the same machine."""
    minutes = len(b"".join(sound)) / samples_of(60_000) / BYTES_PER_SAMPLE
    taken: dict[str, list[float]] = {name: [] for name in who}
    for _ in range(rounds):
        for name, begin in who.items():
            feeds = begin()
            used = time.process_time()
            for piece in sound:
                for feed in feeds:
                    feed(piece)
            taken[name].append((time.process_time() - used) / minutes)
    return taken


def _feed(wake: Any) -> Feed:
    return lambda pcm: wake.feed(AudioChunk(pcm))


def _bare_openwakeword(files: Iterable[Path]) -> Feed:
    import pyopen_wakeword as oww

    features = oww.OpenWakeWordFeatures.from_builtin()
    words = [oww.OpenWakeWord.from_model(file) for file in files]
    rest, block_bytes = bytearray(), samples_of(BLOCK_MS) * BYTES_PER_SAMPLE

    def feed(pcm: bytes) -> None:
        rest.extend(pcm)
        while len(rest) >= block_bytes:
            block = bytes(rest[:block_bytes])
            del rest[:block_bytes]
            for embedding in features.process_streaming(block):
                for word in words:
                    list(word.process_streaming(embedding))

    feed(bytes(block_bytes))  # it begins with 8 s of silence of its own
    return feed


def _bare_microwakeword(files: Iterable[Path]) -> Feed:
    import pymicro_wakeword as mww

    features = mww.MicroWakeWordFeatures()
    words = [mww.MicroWakeWord.from_config(file) for file in files]

    def feed(pcm: bytes) -> None:
        for made in features.process_streaming(pcm):
            for word in words:
                word.process_streaming(made)

    return feed
