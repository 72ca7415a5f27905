"""Whisper under CTranslate2: where and how precisely it computes, and what it makes of a recording.

Nothing is ever downloaded: a model is a directory on this box, whose files are looked at before the
library is, as its own words about them help nobody.
"""

import json
import logging
import math
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from airos_edge.engines.settings import Device
from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.models.suspect import instead
from airos_edge.voice.audio import RATE_HZ

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

log = logging.getLogger(__name__)

NAME = "whisper"
MOST_THREADS = 8
"""More than so many wait for each other more than they compute."""
BEAM = 1 if platform.machine().lower().startswith(("arm", "aarch")) else 5
"""As rhasspy/wyoming-faster-whisper has it (its __main__.py): a small box has no time for more than one."""
WINDOW_S = 30.0
"""Whisper computes windows of this length, however short what was said is."""
PROMPT_TOKENS = 100
"""The most of the house's names that the model is told: it has 448 tokens for them and for the text."""
MOST_TOKENS, TOKENS_PER_S, FEWEST_TOKENS = 224, 10, 24
"""How long a text may become, by how much was recorded: what it makes of noise may have no end."""
NO_SPEECH, UNLIKELY = 0.6, -1.0
"""OpenAI's own thresholds (openai/whisper, transcribe.py): more likely no speech than this, and words
with a mean logarithm of their probability under that, are nothing that was said."""
DOUBTFUL = -0.5
"""What it makes of noise is mostly doubtful and, by its own judgement, no speech."""
REPETITIVE = 2.4
"""Text that can be packed so much better than it is long says one thing again and again (there too)."""
GPU_TYPES, CPU_TYPES = ("float16", "int8_float16", "int8"), ("int8", "float32")
FILES = ("model.bin", "config.json", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
TOLD = ("<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>")
CODES: Mapping[str, str] = {
    "nb": "no",
    "iw": "he",
    "in": "id",
    "fil": "tl",
    "cmn": "zh",
    "jv": "jw",
}
"""Where Whisper has another code for a language than most have."""

_loaded: "WeakValueDictionary[tuple[object, ...], WhisperModel]" = WeakValueDictionary()
"""Those that are in use: who only wants other names told them need not load them again."""
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of what was said, and where in the recording it ends. `certainty`: the mean probability of
    its tokens. Joined as they stand, phrases are a text: not all languages have spaces between them."""

    text: str
    end_s: float
    certainty: float


class Whisper:
    """Blocks while it computes, for one caller at a time."""

    def __init__(self, model: "WhisperModel", runs_on: str, names: Sequence[str] = ()) -> None:
        self.runs_on = runs_on
        self._model = model
        self._names = self._as_many_as_fit(names)

    def phrases(
        self,
        samples: Samples,
        code: str,
        timed: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Iterator[Phrase]:
        """What was said, window by window; nothing where no speech was. Raises EngineError.

        `timed`: in phrases whose ends are known, which takes longer; what does not fit a window always is.
        `stopped` is asked after each window: in the midst of one it cannot be stopped.
        """
        seconds = len(samples) / RATE_HZ
        try:
            segments, _ = self._model.transcribe(
                samples,
                language=code,
                beam_size=BEAM,
                temperature=0.0,
                condition_on_previous_text=False,  # a mistake would be repeated in all that follows
                without_timestamps=not timed and seconds <= WINDOW_S,
                max_new_tokens=min(MOST_TOKENS, FEWEST_TOKENS + round(seconds * TOKENS_PER_S)),
                no_speech_threshold=NO_SPEECH,
                log_prob_threshold=UNLIKELY,
                hotwords=self._names or None,
            )
            for segment in segments:
                if stopped():
                    return
                if _was_said(segment):
                    certainty = math.exp(segment.avg_logprob)
                    yield Phrase(segment.text, min(segment.end, seconds), certainty)
        except (RuntimeError, ValueError) as error:
            raise EngineError(NAME, f"failed on {self.runs_on}: {error}") from error

    def language_of(self, samples: Samples, codes: Sequence[str]) -> tuple[str, float]:
        """Which of the languages is spoken in the first window, and how probable that is among them.
        Raises EngineError."""
        if not self.knows_languages:
            return codes[0], 1.0
        try:
            _, _, found = self._model.detect_language(samples)
        except (RuntimeError, ValueError) as error:
            raise EngineError(NAME, f"failed on {self.runs_on}: {error}") from error
        likely = {code: probability for code, probability in found if code in codes}
        best = max(codes, key=lambda code: likely.get(code, 0.0))
        return best, likely.get(best, 0.0) / (sum(likely.values()) or 1.0)

    @property
    def knows_languages(self) -> bool:
        """Whether it hears others than English."""
        return bool(self._model.model.is_multilingual)

    def code_of(self, language: str) -> str:
        """What Whisper calls a language. Raises EngineError for one that the model does not know."""
        base = language.partition("-")[0].lower()
        code = CODES.get(base, base)
        if code not in self._model.supported_languages:
            known = "English only" if not self.knows_languages else "no such language"
            raise EngineError(NAME, f"its model hears {known}, not {language!r}")
        return code

    def _as_many_as_fit(self, names: Sequence[str]) -> str:
        """Cut names would be worse than none: the first ones, whole."""
        told = ""
        for name in names:
            longer = f"{told}, {name}" if told else name
            if len(self._model.hf_tokenizer.encode(f" {longer}").ids) > PROMPT_TOKENS:
                break
            told = longer
        return told


def _was_said(segment: "Segment") -> bool:
    certainty = segment.avg_logprob  # of an empty text that is no number, and less than nothing
    is_noise = segment.no_speech_prob > NO_SPEECH and certainty < DOUBTFUL
    is_repeated = segment.compression_ratio > REPETITIVE
    return certainty >= UNLIKELY and not is_noise and not is_repeated


# ---- opening ------------------------------------------------------------------------------------


def open_whisper(
    directory: Path, device: Device = "auto", compute_type: str = "auto", names: Sequence[str] = ()
) -> Whisper:
    """Loads the model and runs it once. A GPU that fails is one line in the log, and the CPU.

    Raises EngineUnavailable.
    """
    refuse_incomplete(directory)
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when it is imported: a file that lacks is not fetched
    failures: list[str] = []
    for where, how in _ways(device, compute_type):
        try:
            whisper = _load(directory, where, how, names)
        except EngineError as error:
            failures.append(str(error).removeprefix(f"{NAME}: "))
            continue
        if failures:
            log.warning("%s runs on %s instead: %s", NAME, whisper.runs_on, failures[0])
        return whisper
    raise EngineUnavailable(NAME, failures[0])


def _ways(device: Device, compute_type: str) -> Iterator[tuple[str, str]]:
    """Where and how precisely it may compute, the best first."""
    from ctranslate2 import get_cuda_device_count

    chosen = () if compute_type == "auto" else (compute_type,)
    has_gpu = device == "cuda" or (device == "auto" and get_cuda_device_count() > 0)
    if has_gpu:
        yield from (("cuda", how) for how in chosen or GPU_TYPES)
    yield from (("cpu", how) for how in chosen or CPU_TYPES)
    if has_gpu and chosen:  # what was chosen for the GPU, the CPU may not be able to do
        yield from (("cpu", how) for how in CPU_TYPES)


def _load(directory: Path, device: str, compute_type: str, names: Sequence[str]) -> Whisper:
    """Raises EngineError."""
    from faster_whisper import WhisperModel

    logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # it tells of every recording
    runs_on = f"{device}, {compute_type}"
    weights = (directory / "model.bin").stat()
    key = (directory, weights.st_mtime_ns, weights.st_size, device, compute_type)
    model = _loaded.get(key)
    if model is None:
        try:
            model = WhisperModel(
                str(directory), device=device, compute_type=compute_type, cpu_threads=_threads()
            )
        except Exception as error:  # boundary: tokenizers raises it, and nothing more special
            what = f"cannot load {directory} on {runs_on}: {error}"
            raise EngineError(NAME, what) from error
        _loaded[key] = model
    mels, wanted = len(model.feature_extractor.mel_filters), model.model.n_mels
    if mels != wanted:
        what = f"{directory / 'preprocessor_config.json'} is of another model: {mels} bands, not {wanted}"
        raise EngineError(NAME, what)
    whisper = Whisper(model, runs_on, names)
    list(whisper.phrases(np.zeros(RATE_HZ, np.float32), "en"))
    return whisper


def _threads() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MOST_THREADS, cores or 1)


def refuse_incomplete(directory: Path) -> None:
    """Raises EngineUnavailable where the files of a model lack, are no such files, or not of one model."""
    if not directory.is_dir():
        raise EngineUnavailable(NAME, f"{directory} is no directory of a model")
    lacking = [name for name in FILES if not (directory / name).is_file()]
    vocabulary = next((name for name in VOCABULARIES if (directory / name).is_file()), None)
    if vocabulary is None:
        lacking.append(VOCABULARIES[0])
    if lacking or vocabulary is None:
        what = f"{directory} lacks {' and '.join(lacking)}: it is no model in CTranslate2's format"
        raise EngineUnavailable(NAME, what)
    if wrong := instead(directory / "model.bin"):
        raise EngineUnavailable(NAME, f"{directory / 'model.bin'} {wrong}")
    tokens = _tokens(directory / vocabulary)
    tokenizer = _json(directory / "tokenizer.json")
    try:
        added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    except (KeyError, TypeError) as error:
        raise EngineUnavailable(NAME, f"{directory / 'tokenizer.json'} is no tokenizer") from error
    for token in TOLD:
        place = added.get(token)
        if place is None or tokens[place : place + 1] != [token]:
            what = f"tokenizer.json and {vocabulary} in {directory} are not of one model: {token} differs"
            raise EngineUnavailable(NAME, what)


def _tokens(path: Path) -> list[str]:
    if path.suffix == ".json":
        tokens = _json(path)
        if not isinstance(tokens, list):
            raise EngineUnavailable(NAME, f"{path} is no list of tokens")
        return tokens
    return path.read_text(encoding="utf-8").split("\n")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineUnavailable(NAME, f"{path} cannot be read: {error}") from error
