"""Each wake word goes to the engine that has it: by the format of its model, or by what packages bring."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from airos_edge.engines.registry import ENGINES
from airos_edge.engines.wanted import WakeWords, WantedWake
from airos_edge.engines.word_files import FORMATS, engine_of, word_file
from airos_edge.errors import EngineUnavailable
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Wake, WakeScore
from airos_edge.voice.waking import close_wake

BETTER = dict.fromkeys(("okay_nabu", "alexa", "hey_mycroft"), "microwakeword")
"""Words that several packages bring, by the engine that misses fewer of them: docs/ears.md has the figures, of
`python -m bench wake-engines`. For what is not here, as "hey jarvis", the order of the registry counts."""
Open = Callable[[WantedWake], Callable[[], Wake]]


class JoinedWake:
    """One stream that several engines hear."""

    def __init__(self, wakes: Sequence[Wake]) -> None:
        self._wakes = wakes

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        scores = [score for wake in self._wakes for score in wake.feed(chunk)]
        return sorted(scores, key=lambda score: score.sample)

    async def aclose(self) -> None:
        for wake in self._wakes:
            await close_wake(wake)


def open_words(engines: Mapping[str, Open], wanted: WantedWake) -> WakeWords:
    """`engines`: by their names, in the order in which they are asked for a word that has no file of its
    own, but for those of `BETTER`. One that gets no word is not opened.

    Raises EngineUnavailable when none of the words can be heard.
    """
    files, unheard = _files(wanted, {*engines})
    to_ask = {word: _in_order(word, file, [*engines]) for word, file in files.items()}
    if not wanted.words:
        return WakeWords(next(iter(engines.values()))(wanted))
    opened, by = list[Callable[[], Wake]](), dict[str, str]()
    why_not: dict[str, list[str]] = {word: [] for word in files}
    while asked := _by_engine(to_ask):
        for name, words in asked.items():
            mine = {word: wanted.words[word] for word in words}
            streams, lacking = _tried(name, engines[name], replace(wanted, words=mine))
            opened += [streams] if streams is not None else []
            for word in words:
                if word in lacking:
                    why_not[word].append(lacking[word])
                else:
                    by[word] = name
                    to_ask.pop(word)
    unheard |= {word: "; ".join(why_not[word]) or _nobody(files[word]) for word in to_ask}
    if not opened:
        raise EngineUnavailable("wake", told(unheard))
    if len(opened) == 1:
        return WakeWords(opened[0], unheard, by)
    return WakeWords(lambda: JoinedWake([begin() for begin in opened]), unheard, by)


def _in_order(word: str, file: Path | None, engines: list[str]) -> list[str]:
    """Who is to be asked for the word: of ours for one with a file, who loads such files."""
    if file is not None:
        return [name for name in engines if name not in FORMATS or engine_of(file) == name]
    return sorted(engines, key=lambda name: name != BETTER.get(word))


def _by_engine(to_ask: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The words of each engine that is to be asked next, and no more."""
    asked: dict[str, list[str]] = {}
    for word, names in to_ask.items():
        if names:
            asked.setdefault(names.pop(0), []).append(word)
    return asked


def _tried(
    name: str, open_engine: Open, wanted: WantedWake
) -> tuple[Callable[[], Wake] | None, dict[str, str]]:
    """What gives streams, if any word is heard in them, and of the other words why not."""
    try:
        streams = open_engine(wanted)
    except EngineUnavailable as error:
        return None, dict.fromkeys(wanted.words, str(error))
    unheard: Mapping[str, str] = getattr(streams, "unheard", {})
    hears_any = len(unheard) < len(wanted.words)
    return streams if hears_any else None, {word: f"{name}: {why}" for word, why in unheard.items()}


def told(unheard: Mapping[str, str]) -> str:
    """Which words are not heard, and why, as a sentence's end."""
    return "; ".join(f"{word} is not heard: {why}" for word, why in unheard.items())


def _files(wanted: WantedWake, engines: set[str]) -> tuple[dict[str, Path | None], dict[str, str]]:
    """Of each word the file, or what is wrong with it. For engines elsewhere no file here matters."""
    if not engines & FORMATS.keys():
        return dict.fromkeys(wanted.words), {}
    files: dict[str, Path | None] = {}
    wrong: dict[str, str] = {}
    for word, settings in wanted.words.items():
        try:
            files[word] = word_file(word, settings, wanted.models)
        except ValueError as error:
            wrong[word] = str(error)
    return files, wrong


def _nobody(file: Path | None) -> str:
    """Why nobody was asked."""
    engine = next(row for row in ENGINES["wake"] if file and row.name == engine_of(file))
    return f"{file} is for {engine.name}: set wake.engine to auto, pip install '{engine.install}'"
