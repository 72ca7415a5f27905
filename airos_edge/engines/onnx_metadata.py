"""What an ONNX file says of itself, read without loading it; and whether it is whole.

A library that is given half a file may end the process, so it is looked at first. The fields are those
of ModelProto (onnx/onnx, onnx/onnx.proto): only their lengths are read, the weights are skipped.
"""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from airos_edge.models.suspect import instead

METADATA = 14
GRAPH = 7
KEY, VALUE = 1, 2
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_BYTES = 1 << 20
"""Of metadata; what is longer is none."""


def metadata_of(path: Path) -> dict[str, str]:
    """The model's own `metadata_props`. Raises ValueError, which says what the file is instead."""
    try:
        wrong = instead(path, ".onnx")
    except OSError as error:
        wrong = f"cannot be read: {error.strerror}"
    if wrong:
        raise ValueError(wrong)
    found: dict[str, str] = {}
    has_graph = False
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        for number, length in _fields(file, size):
            has_graph |= number == GRAPH
            if number == METADATA and length <= LONGEST_BYTES:
                key, value = _pair(file.read(length))
                found[key] = value
    if not has_graph:
        raise ValueError("is no ONNX model")
    return found


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Each field of a message that has a length, with it, the file at its content."""
    while file.tell() < end:
        tag = _varint(file)
        kind = tag & 7
        if kind == BYTES:
            length = _varint(file)
        elif kind == VARINT:
            length = 0
            _varint(file)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError("is no ONNX model")
        after = file.tell() + length
        if after > end:
            raise ValueError(f"is cut short, at {end} bytes, or no ONNX model")
        if kind == BYTES:
            yield tag >> 3, length
        file.seek(after)


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("is cut short, or no ONNX model")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("is no ONNX model")


def _pair(entry: bytes) -> tuple[str, str]:
    """A StringStringEntryProto: short, so that it is read by the same way from memory."""
    file = BytesIO(entry)
    told = {KEY: "", VALUE: ""}
    for number, length in _fields(file, len(entry)):
        told[number] = file.read(length).decode("utf-8", "replace")
    return told[KEY], told[VALUE]
