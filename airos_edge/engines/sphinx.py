"""pocketsphinx's decoder for a grammar: what it listens for, and what it makes of what it hears.

Beside the grammar's sentences it hears two things that are none, and without which everything that is
said would be taken for one of them: a sentence may break off after any word, and from any word on
the sounds of any speech may follow. Both cost so much that a sentence is preferred wherever it fits.
"""

import logging
import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from airos_edge.engines import locate
from airos_edge.engines.pronounce import AMERICAN, BRITISH, pronounce
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.grammar import Grammar

if TYPE_CHECKING:
    from pocketsphinx import Decoder

log = logging.getLogger(__name__)

NAME = "pocketsphinx"
MODEL = "pocketsphinx/model/en-us/en-us"
DICTIONARY = "pocketsphinx/model/en-us/cmudict-en-us.dict"
HOUSE, WOKEN, PASSING, MEAN = "house", "woken", "passing", "mean"
"""Searches: of the grammar, of the same with a wake word in front, of what concerns one utterance, and
of nothing, for where nothing is looked for."""
WAKE = "<wake>"
"""Any wake word, whole or in part, in the decoder's dictionary: nothing else is spelled so."""
SILENCE = "<sil>"
PHONES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH"),
    *("IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH"),
    *("UW", "V", "W", "Y", "Z", "ZH"),
)
"""The sounds of the CMU dictionary, each of which is a word of what is no sentence of ours."""
SOUND = "++{}++"
FRAME_MS = 10
SETTINGS = {
    "lm": None,
    "loglevel": "FATAL",
    "bestpath": False,
    "beam": 1e-60,
    "pbeam": 1e-60,
    "wbeam": 1e-40,
    "wip": 0.2,
    "lw": 3,
    "fsgusefiller": False,
}
"""Chosen on the corpus's tuning split, as are the odds below: `python -m bench ears` measures them."""
ODDS_OF_SILENCE = 0.005
ODDS_OF_BREAKING_OFF = 1e-10
ODDS_OF_OTHER_SPEECH = 1e-30
ODDS_OF_A_SOUND = 1e-8
TYPICAL_MEAN = np.array([50, -7, -4, 5, -10, 0, -4, -12, -3, -1, 2.5, 0, -3])
"""The cepstral mean of speech, until that of the speaker is known: of the tuning split's recordings."""
TYPICAL_MS = 700
MEAN_BYTES = samples_of(10_000) * BYTES_PER_SAMPLE
"""More would tell no more of a voice, and is taken in at once."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A word, a silence, a sound of other speech, or "(NULL)", a step without sound; frames are of 10 ms.

    `score` is the logarithm of how well the sound fits, against the best fit of any sound: 0 or less.
    """

    word: str
    start: int
    end: int
    score: float

    @property
    def frames(self) -> int:
        return self.end - self.start + 1

    @property
    def is_word(self) -> bool:
        return self.word[0] not in "<[+("

    @property
    def is_other_speech(self) -> bool:
        return self.word.startswith("+")


class Sphinx:
    """One decoder, for one utterance at a time. Get it from `open_sphinx`.

    Blocks for about a twentieth of what it is fed. Raises RuntimeError where pocketsphinx does.
    """

    def __init__(self, decoder: "Decoder", hears_wake_words: bool) -> None:
        self.hears_wake_words = hears_wake_words
        """Whether there is the search WOKEN."""
        self._decoder = decoder

    def begin(self, search: str, recorded: bytes) -> None:
        """An utterance, adapted to what was recorded of it until now, and to nothing before it."""
        mean = self._mean_of(
            recorded
        )  # this also shows it the noise, which is told from the speech
        self._decoder.activate_search(search)
        self._decoder.set_cmn(mean)
        self._decoder.start_utt()

    def feed(self, pcm: bytes) -> None:
        if pcm:
            self._decoder.process_raw(pcm, False, False)

    def end(self) -> None:
        self._decoder.end_utt()

    def words(self) -> list[str]:
        """What it makes of it until now: words, and SOUNDs of other speech."""
        found = self._decoder.hyp()
        return [word for word in found.hypstr.split() if word[0] not in "<["] if found else []

    def score(self) -> float:
        """The logarithm of how well all that was heard fits the words. Comparable only between
        searches of nearly the same sentences."""
        found = self._decoder.hyp()
        return math.log(max(found.score, 1e-300)) if found else -math.inf

    def segments(self) -> list[Segment]:
        """What it made of it. Best after `end`."""
        return [
            Segment(part.word, part.start_frame, part.end_frame, math.log(max(part.ascore, 1e-300)))
            for part in self._decoder.seg() or ()
        ]

    def listen_for(
        self, grammar: Grammar, after_wake_word: bool = False, nothing_else: bool = False
    ) -> str:
        """Makes another search, of a small grammar; gives its name. It replaces the one before.

        `nothing_else`: all is taken for one of its sentences, for half the work.
        """
        missing = [
            word for word in sorted(grammar.words) if self._decoder.lookup_word(word) is None
        ]
        lines = [
            line
            for word in missing
            for line in _numbered(word, _pronounced(word, (AMERICAN, BRITISH)))
        ]
        for place, line in enumerate(lines, start=1):
            # Only with the last of them are the searches made anew, which takes some 20 ms.
            self._decoder.add_word(*line.split(" ", 1), place == len(lines))
        known = {word for word in grammar.words if self._decoder.lookup_word(word) is not None}
        self._decoder.activate_search(HOUSE)  # the one before is freed, and must not be in use
        self._add(PASSING, grammar, known, after_wake_word, nothing_else)
        return PASSING

    def _add(
        self,
        search: str,
        grammar: Grammar,
        known: Set[str],
        after_wake_word: bool,
        nothing_else: bool = False,
    ) -> None:
        arcs, final, states = _network(grammar, known, nothing_else)
        start = 0
        if after_wake_word:
            start = states
            silence = (start, start, ODDS_OF_SILENCE, SILENCE)
            arcs = [(start, 0, 1.0), (start, 0, 1.0, WAKE), silence, *arcs]
        self._decoder.add_fsg(search, self._decoder.create_fsg(search, start, final, arcs))

    def _mean_of(self, pcm: bytes) -> str:
        """The cepstral mean, as `set_cmn` takes it.

        The sounds of a short word are no sample of a voice: it counts as much more than typical
        speech as it is longer than `TYPICAL_MS`.
        """
        self._decoder.activate_search(MEAN)  # it is searched all the same, so for next to nothing
        self._decoder.reinit_feat()
        if not pcm:
            return _listing(TYPICAL_MEAN)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm[:MEAN_BYTES], True, True)
        self._decoder.end_utt()
        mean = np.array([float(value) for value in self._decoder.get_cmn(False).split(",")])
        ms = AudioChunk(pcm[:MEAN_BYTES]).ms
        return _listing((ms * mean + TYPICAL_MS * TYPICAL_MEAN) / (ms + TYPICAL_MS))


def _listing(mean: npt.NDArray[np.float64]) -> str:
    return ",".join(f"{value:.4f}" for value in mean)


def open_sphinx(grammar: Grammar, wake_words: Sequence[str] = ()) -> Sphinx:
    """Loads the acoustic model and compiles the grammar, in about a tenth of a second. Blocks.

    Raises EngineUnavailable.
    """
    model, dictionary = locate(MODEL), locate(DICTIONARY)
    if model is None or dictionary is None:
        raise EngineUnavailable(NAME, "its English model is missing: pip install pocketsphinx")
    if not grammar.words:
        raise EngineUnavailable(NAME, "there is nothing to listen for in this language")
    try:
        from pocketsphinx import Config, Decoder

        in_wake_words = {part for word in wake_words for part in word.split("_")}
        said = _pronunciations(grammar.words | in_wake_words, dictionary)
        wake = _wake_pronunciations(wake_words, said)
        with _listed([*said, *wake]) as words, _listed(_fillers(model)) as fillers:
            decoder = Decoder(Config(hmm=str(model), dict=words, fdict=fillers, **SETTINGS))
        sphinx = Sphinx(decoder, bool(wake))
        known = {line.partition(" ")[0] for line in said}
        sphinx._add(HOUSE, grammar, known, after_wake_word=False)
        if wake:
            sphinx._add(WOKEN, grammar, known, after_wake_word=True)
        silence = [(0, 1, 1.0, SILENCE), (1, 1, 1.0, SILENCE)]
        decoder.add_fsg(MEAN, decoder.create_fsg(MEAN, 0, 1, silence))
        decoder.activate_search(HOUSE)
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailable(NAME, f"cannot be loaded: {error}") from error
    return sphinx


Arc = tuple[int, int, float] | tuple[int, int, float, str]


def _network(grammar: Grammar, known: Set[str], nothing_else: bool) -> tuple[list[Arc], int, int]:
    """The arcs, the final state, and how many states there are.

    pocketsphinx knows one final state: each of ours leads there without a word. A word without a
    pronunciation is left out: pocketsphinx would refuse the whole grammar for it.
    """
    final, other = len(grammar.arcs), len(grammar.arcs) + 1
    arcs: list[Arc] = [
        (state, target, 1.0, word)
        for state, ways in enumerate(grammar.arcs)
        for word, target in ways.items()
        if word in known
    ]
    arcs += [(state, final, 1.0) for state in grammar.finals]
    if not nothing_else:
        for state in range(len(grammar.arcs)):
            if state not in grammar.finals:
                arcs.append((state, final, ODDS_OF_BREAKING_OFF))
            arcs.append((state, other, ODDS_OF_OTHER_SPEECH))
        arcs += [(other, other, ODDS_OF_A_SOUND, SOUND.format(phone)) for phone in PHONES]
        arcs.append((other, final, 1.0))
    arcs += [(state, state, ODDS_OF_SILENCE, SILENCE) for state in range(other + 1)]
    return arcs, final, other + 1


def _fillers(model: Path) -> Iterator[str]:
    """What is no word to pocketsphinx; as such, a sound is looked for without its neighbours."""
    yield from (model / "noisedict").read_text(encoding="utf-8").splitlines()
    yield from (f"{SOUND.format(phone)} {phone}" for phone in PHONES)


@contextmanager
def _listed(lines: Iterable[str]) -> Iterator[str]:
    """A file of these lines, for as long as the block."""
    with tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        yield file.name


def _pronunciations(words: Set[str], dictionary: Path) -> list[str]:
    """The dictionary's lines for these words only: all of it would be 135,000 lines and 20 MB.

    The dictionary is American; to each word comes what a British voice makes of it.
    """
    lines: dict[str, list[str]] = {word: [] for word in words}
    with dictionary.open(encoding="utf-8") as file:
        for line in file:
            word, _, phones = line.rstrip().partition(" ")
            if (word := word.partition("(")[0]) in words:
                lines[word].append(phones)
    for word, said in lines.items():
        said += _pronounced(word, (BRITISH,) if said else (AMERICAN, BRITISH))
        if not said:
            log.warning("Nobody knows how %r is said; it is not listened for.", word)
    return [line for word in sorted(lines) for line in _numbered(word, lines[word])]


def _pronounced(word: str, accents: Iterable[str]) -> list[str]:
    """As voices of these accents read it; nothing where there is no espeak-ng."""
    try:
        said = [pronounce(word, accent) for accent in accents]
    except EngineError:
        return []
    return [phones for phones in said if phones]


def _numbered(word: str, said: Iterable[str]) -> Iterator[str]:
    """A word's lines, as the dictionary has those that are said in several ways."""
    for n, phones in enumerate(dict.fromkeys(said), start=1):
        yield f"{word} {phones}" if n == 1 else f"{word}({n}) {phones}"


def _wake_pronunciations(wake_words: Iterable[str], lines: Iterable[str]) -> list[str]:
    """All are said as one word, each whole or from any of its sounds on: a recording that a wake
    word opened may begin anywhere in it."""
    said = dict(line.split(" ", 1) for line in lines)
    tails = []
    for wake_word in wake_words:
        phones = " ".join(said.get(part, "") for part in wake_word.split("_")).split()
        tails += [" ".join(phones[start:]) for start in range(len(phones))]
    return list(_numbered(WAKE, filter(None, tails)))
