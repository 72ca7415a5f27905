"""What lies where a file of a model should be: pages and pointers are named as what they are."""

import json
from pathlib import Path

POINTER = b"version https://git-lfs.github.com/spec/"
"""How a pointer of Git LFS begins (git-lfs, docs/spec.md)."""
BEGINS = 1024
JSON_AT_MOST = 64 * 1024 * 1024


def instead(path: Path, suffix: str | None = None) -> str | None:
    """What the file is, if it is plainly not what its name says: as the end of a sentence. `suffix`: what
    its name is going to end in. Raises OSError."""
    suffix = path.suffix if suffix is None else suffix
    with path.open("rb") as file:
        begin = file.read(BEGINS)
    if not begin:
        return "is empty"
    if begin.startswith(POINTER):
        return "is a Git-LFS pointer, not the file itself: it was cloned without `git lfs pull`"
    if is_page(begin) and suffix not in (".html", ".htm", ".xml"):
        return "is a web page, not a model: a portal, a proxy or an error page has answered"
    return _of_its_kind(path, suffix, begin)


def is_page(begin: bytes) -> bool:
    """Whether it begins as HTML does, or the XML by which stores of objects say what went wrong."""
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head"))


def _of_its_kind(path: Path, suffix: str, begin: bytes) -> str | None:
    match suffix:
        case ".gguf" if not begin.startswith(b"GGUF"):
            return "is no GGUF: it does not begin with that word"
        case ".tflite" if begin[4:8] != b"TFL3":  # the file identifier of tensorflow's schema.fbs
            return "is no TensorFlow Lite model"
        case ".onnx" if begin[:1] != b"\x08":  # ir_version, the first field of a ModelProto
            return "is no ONNX model"
        case ".json" if path.stat().st_size <= JSON_AT_MOST:
            try:
                json.loads(path.read_bytes())
            except ValueError:
                return "is no JSON"
    return None
