"""Which kind of sherpa-onnx's models a directory holds, and which of its files is what.

By their names, as sherpa-onnx's own releases have them, and by what the ONNX files say of themselves.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from airos_edge.engines.onnx_metadata import metadata_of
from airos_edge.errors import EngineUnavailable
from airos_edge.models.suspect import instead

Metadata = Mapping[str, str]
Names = Mapping[str, str]
"""By what a file is for, the pattern of its name."""
TOKENS = {"tokens": "*tokens.txt"}
TRANSDUCER = {"encoder": "*encoder*.onnx", "decoder": "*decoder*.onnx", "joiner": "*joiner*.onnx"}
VOCODER = ("vocos", "hifigan", "vocoder")
QUANTIZED = ("int8", "quant")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of models. `is_it` is asked about the metadata of the first file that it needs."""

    name: str
    task: Literal["asr", "tts"]
    needs: Names
    is_it: Callable[[Metadata], bool]
    may: Names = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A model that is there: what it is, the path of each of its files, and what the main one says."""

    kind: Kind
    files: Mapping[str, str]
    metadata: Metadata


def _streams(metadata: Metadata) -> bool:
    """A transducer that hears in step: icefall's say how much at a time, and so do NeMo's."""
    return bool({"decode_chunk_len", "chunk_shift"} & {*metadata})


def _says(*types: str) -> Callable[[Metadata], bool]:
    return lambda metadata: metadata.get("model_type", "").startswith(types)


def _any(metadata: Metadata) -> bool:
    return True


WORDS: Names = {"lexicon": "lexicon*.txt", "rules": "*.fst"}
KINDS: tuple[Kind, ...] = (
    # Of kinds with the same files, the one that can be told by its metadata comes first.
    Kind("zipformer", "asr", {**TRANSDUCER, **TOKENS}, _streams, {"bpe_vocab": "*bpe*.vocab"}),
    Kind("transducer", "asr", {**TRANSDUCER, **TOKENS}, _any),
    Kind(
        "streaming_paraformer",
        "asr",
        {"encoder": "*encoder*.onnx", "decoder": "*decoder*.onnx", **TOKENS},
        _says("paraformer"),
        {"rules": "itn*.fst"},
    ),
    Kind(
        "sense_voice",
        "asr",
        {"model": "model*.onnx", **TOKENS},
        lambda metadata: "lang_auto" in metadata,
    ),
    Kind(
        "paraformer",
        "asr",
        {"model": "model*.onnx", **TOKENS},
        lambda metadata: "lfr_window_size" in metadata and "lang_auto" not in metadata,
        {"rules": "itn*.fst"},
    ),
    Kind(
        "pocket",
        "tts",
        {
            "lm_flow": "lm_flow*.onnx",
            "lm_main": "lm_main*.onnx",
            "encoder": "*encoder*.onnx",
            "decoder": "*decoder*.onnx",
            "text_conditioner": "*conditioner*.onnx",
            "vocab_json": "vocab.json",
            "token_scores_json": "token_scores.json",
        },
        _any,
    ),
    Kind(
        "zipvoice",
        "tts",
        {
            "encoder": "*encoder*.onnx",
            "decoder": "*decoder*.onnx",
            "vocoder": "*.onnx",
            "lexicon": "lexicon*.txt",
            **TOKENS,
        },
        _any,
    ),
    Kind(
        "kokoro",
        "tts",
        {"model": "*.onnx", "voices": "voices*.bin", **TOKENS},
        lambda metadata: "style_dim" in metadata and not _says("kitten")(metadata),
        WORDS,
    ),
    Kind(
        "kitten",
        "tts",
        {"model": "*.onnx", "voices": "voices*.bin", **TOKENS},
        _says("kitten"),
    ),
    Kind(
        "matcha",
        "tts",
        {"acoustic_model": "*.onnx", "vocoder": "*.onnx", **TOKENS},
        lambda metadata: "use_eos_bos" in metadata and "comment" not in metadata,
        WORDS,
    ),
    Kind(
        "vits",
        "tts",
        {"model": "*.onnx", **TOKENS},
        lambda metadata: {"n_speakers", "comment"} <= {*metadata},
        WORDS,
    ),
)


def kind_of(directory: Path, task: str, wanted: str = "", is_quantized: bool = True) -> Found:
    """What is there; of files that do the same, the quantized one or the
    other. `wanted`: the kind that it is said to be.

    Raises EngineUnavailable, which says what is missing, or wrong with a file.
    """
    kinds = [kind for kind in KINDS if kind.task == task and wanted in ("", kind.name)]
    if not kinds:
        known = ", ".join(kind.name for kind in KINDS if kind.task == task)
        raise EngineUnavailable("sherpa", f"{directory}: kind: got {wanted!r}, wants {known}")
    if not directory.is_dir():
        raise EngineUnavailable("sherpa", f"{directory}: is no directory")
    missing: dict[str, list[str]] = {}
    strange = ""
    for kind in kinds:
        files = dict(_found(directory, kind.needs, is_quantized))
        missing[kind.name] = [kind.needs[role] for role in kind.needs if role not in files]
        if missing[kind.name]:
            continue
        files |= _found(directory, kind.may, is_quantized)
        metadata = _looked_at(files)
        main = next(iter(kind.needs))
        if kind.is_it(metadata[main]):
            return Found(kind, files, metadata[main])
        told = metadata[main].get("model_type", "nothing of its type")
        strange = f"{files[main]}: says {told}, and is of no kind that is known"
    nearest = min(kinds, key=lambda kind: len(missing[kind.name]))
    lacks = f"{directory}: lacks {', '.join(missing[nearest.name])} of {nearest.name}"
    raise EngineUnavailable("sherpa", strange or lacks)


def _found(directory: Path, names: Names, is_quantized: bool) -> Iterator[tuple[str, str]]:
    for role, pattern in names.items():
        there = sorted(directory.glob(pattern))
        if pattern == "*.onnx":  # the only one of its kind, beside the vocoder
            is_vocoder = role == "vocoder"
            there = [path for path in there if _names_vocoder(path) == is_vocoder]
        if role in ("lexicon", "rules") and there:
            yield role, ",".join(map(str, there))
            continue
        by_size = [path for path in there if _names_quantized(path) == is_quantized]
        if by_size or there:
            yield role, str((by_size or there)[0])


def _names_vocoder(path: Path) -> bool:
    return any(name in path.name for name in VOCODER)


def _names_quantized(path: Path) -> bool:
    return any(name in path.name for name in QUANTIZED)


def _looked_at(files: Mapping[str, str]) -> dict[str, Metadata]:
    """What each ONNX file says of itself. Raises EngineUnavailable for a file that is none."""
    told: dict[str, Metadata] = {}
    for role, paths in files.items():
        for path in map(Path, paths.split(",")):
            try:
                if path.suffix == ".onnx":
                    told[role] = metadata_of(path)
                elif path.is_file() and (wrong := instead(path)):
                    raise ValueError(wrong)
            except (OSError, ValueError) as error:
                raise EngineUnavailable("sherpa", f"{path}: {error}") from error
    return told
