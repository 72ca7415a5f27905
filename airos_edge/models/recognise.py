"""What a file or directory is that somebody has brought: which engine runs it, or what is missing of it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airos_edge.errors import ModelError
from airos_edge.models.stored import Task
from airos_edge.models.suspect import instead

LARGEST_WAKE_BYTES = 8_000_000
"""A wake word is small (openWakeWord's are 0.2 to 1.5 MB), the smallest Piper voice has 20 MB."""
ENDS_BYTES = 128 * 1024
"""So much at either end of an ONNX file is searched for what its maker wrote into its metadata."""
PART = re.compile(r"(.+)-\d{5}-of-(\d{5})\.gguf")
KNOWN = (
    "a Piper voice (.onnx with its .onnx.json), a .gguf, a faster-whisper directory, a wake word (.tflite, "
    ".onnx, or the .json of a micro-wake-word), a sherpa-onnx directory, or a directory of another box's models"
)


@dataclass(frozen=True, slots=True)
class Recognised:
    name: str
    task: Task
    engine: str
    files: tuple[Path, ...]
    """Where they are; of a directory, all in it, with their names within it kept."""
    base: Path
    """What their names are counted from."""
    languages: tuple[str, ...] = ()


def recognise(path: Path, task: str | None = None) -> Recognised:
    """`task`: what it is said to be for. Raises ModelError, which says what is missing, or what it is."""
    if path.is_dir():
        found = _directory(path, task)
    elif path.is_file():
        found = _file(path, task)
    else:
        raise ModelError(f"{path}: is not there")
    if task is not None and task != found.task:
        raise ModelError(f"{path}: is for {found.task}, and not for {task}")
    for file in found.files:
        if said := instead(file):
            raise ModelError(f"{file}: {said}")
    return found


# ---- single files -----------------------------------------------------------------------------


def _file(path: Path, task: str | None) -> Recognised:
    name, base = path.stem, path.parent
    if said := instead(path):
        raise ModelError(f"{path}: {said}")
    match path.suffix:
        case ".gguf":
            return Recognised(name, "llm", "llama", _parts(path), base)
        case ".tflite":
            beside = path.with_suffix(".json")
            return _micro(beside) if beside.is_file() else _open(path)
        case ".json" if (voice := path.with_suffix("")).suffix == ".onnx":
            return _piper(voice)
        case ".json":
            return _micro(path)
        case ".onnx":
            has_json = path.with_name(path.name + ".json").is_file()
            is_small = path.stat().st_size <= LARGEST_WAKE_BYTES
            if task == "wake" or (task is None and is_small and not has_json):
                return _open(path)
            return _piper(path)
    raise ModelError(f"{path}: is no model of a known kind; those are: {KNOWN}")


def _parts(path: Path) -> tuple[Path, ...]:
    """The files of a GGUF, which may be several (llama.cpp's gguf-split names them)."""
    split = PART.fullmatch(path.name)
    if split is None:
        return (path,)
    count = int(split[2])
    parts = [path.with_name(f"{split[1]}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1)]
    if missing := [part.name for part in parts if not part.is_file()]:
        raise ModelError(f"{path}: is one part of {count}; beside it {missing[0]} is missing")
    return tuple(parts)


def _piper(path: Path) -> Recognised:
    beside = path.with_name(path.name + ".json")
    if not path.is_file() or not beside.is_file():
        lacking = beside if path.is_file() else path
        raise ModelError(
            f"{path}: a Piper voice is a .onnx and a .onnx.json; {lacking.name} is missing"
        )
    told = _json(beside)
    code = (told.get("language") or {}).get("code") or (told.get("espeak") or {}).get("voice", "")
    language = str(code).replace("-", "_").partition("_")[0].lower()
    languages = (language,) if language else ()
    return Recognised(path.stem, "tts", "piper", (path, beside), path.parent, languages)


def _micro(path: Path) -> Recognised:
    """A manifest of microWakeWord's second version (esphome/micro-wake-word-models)."""
    told = _json(path)
    if told.get("type") != "micro" or not told.get("model"):
        raise ModelError(f'{path}: is no micro-wake-word: it has no "type": "micro" and "model"')
    model = path.parent / Path(str(told["model"])).name
    if not model.is_file():
        raise ModelError(f"{path}: {model.name}, which it names, is missing beside it")
    languages = tuple(map(str, told.get("trained_languages", ())))
    return Recognised(path.stem, "wake", "microwakeword", (path, model), path.parent, languages)


def _open(path: Path) -> Recognised:
    return Recognised(path.stem, "wake", "openwakeword", (path,), path.parent)


# ---- directories ------------------------------------------------------------------------------


def _directory(path: Path, task: str | None) -> Recognised:
    names = {file.name for file in path.iterdir()}
    onnx = sorted(name for name in names if name.endswith(".onnx"))
    if "model.bin" in names:
        return _whisper(path, names)
    if onnx and "tokens.txt" in names:
        return _sherpa(path, names, onnx, task)
    single = [
        file
        for file in sorted(path.iterdir())
        if file.suffix in (".gguf", ".onnx", ".tflite")
        and not file.name.startswith("mmproj")  # what sees, beside a mind
        and (PART.fullmatch(file.name) is None or "-00001-of-" in file.name)
    ]
    if len(single) == 1:
        return _file(single[0], task)
    if onnx:
        raise ModelError(f"{path}: a sherpa-onnx model has a tokens.txt too, which is missing")
    raise ModelError(f"{path}: is no model of a known kind; those are: {KNOWN}")


def _whisper(path: Path, names: set[str]) -> Recognised:
    lacking = {"config.json", "tokenizer.json"} - names
    if not names & {"vocabulary.txt", "vocabulary.json"}:
        lacking |= {"vocabulary.json"}
    if lacking:
        raise ModelError(
            f"{path}: a faster-whisper directory has {', '.join(sorted(lacking))} beside its model.bin"
        )
    is_english = path.name.endswith((".en", "-en"))
    return _whole(path, "asr", "whisper", ("en",) if is_english else ())


def _sherpa(path: Path, names: set[str], onnx: list[str], task: str | None) -> Recognised:
    """Ears or voice; which kind of them, the engine sees for itself."""
    told = b"".join(_ends(path / name) for name in onnx)
    speaks = names & {"espeak-ng-data", "voices.bin"} or b"n_speakers" in told
    speaks = speaks or any(name.startswith("lexicon") for name in names)
    hears = any("encoder" in name for name in onnx) or b"lfr_window_size" in told
    if task in ("asr", "tts"):
        return _whole(path, task, "sherpa")  # type: ignore[arg-type]
    if bool(speaks) == hears:
        raise ModelError(
            f"{path}: is a sherpa-onnx directory; say with --task whether it is asr or tts"
        )
    return _whole(path, "tts" if speaks else "asr", "sherpa")


def _whole(path: Path, task: Task, engine: str, languages: tuple[str, ...] = ()) -> Recognised:
    files = tuple(sorted(file for file in path.rglob("*") if file.is_file()))
    return Recognised(path.resolve().name, task, engine, files, path, languages)


def _ends(path: Path) -> bytes:
    """Where ONNX keeps `metadata_props`: it is the last field that is written, small models apart."""
    with path.open("rb") as file:
        begin = file.read(ENDS_BYTES)
        size = path.stat().st_size
        file.seek(max(len(begin), size - ENDS_BYTES))
        return begin + file.read()


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(told, dict):
        raise ModelError(f"{path}: is no description of a model")
    return told
