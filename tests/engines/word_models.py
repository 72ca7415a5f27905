"""Wake words' models that the tests make themselves: one dense layer and a sigmoid, in the real formats."""

import json
import shutil
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[np.float32]
FEATURES = 96


def weights(windows: int = 16, outputs: int = 1, features: int = FEATURES) -> Array:
    """Shape (windows × features, outputs), small, so that the sigmoid is nowhere flat."""
    chance = np.random.default_rng(windows)
    return chance.normal(0, 0.002, (windows * features, outputs)).astype(np.float32)


def expected(seen: Array) -> list[float]:
    """What such a model gives for looks of shape (n, windows, 96)."""
    summed = seen.reshape(len(seen), -1) @ weights(seen.shape[1])
    return [float(score) for score in (1 / (1 + np.exp(-summed))).ravel()]


def onnx_word(
    path: Path, windows: int = 16, batch: int | str = 1, outputs: int = 1, features: int = FEATURES
) -> Path:
    """A batch of a name takes any number at once."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, windows, features])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, [batch, outputs])
    dense = numpy_helper.from_array(weights(windows, outputs, features), "w")
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["summed"]),
        helper.make_node("Sigmoid", ["summed"], ["score"]),
    ]
    graph = helper.make_graph(nodes, "word", [given], [score], [dense])
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def micro_word(directory: Path, word: str = "okay_nabu", **changed: Any) -> Path:
    """The manifest of a copy of pymicro-wakeword's model under another name; `changed` of its "micro"."""
    import pymicro_wakeword as mww

    package = Path(mww.__file__).parent / "models"
    manifest = json.loads((package / f"{word}.json").read_text())
    shutil.copy(package / f"{word}.tflite", directory / "mine.tflite")
    manifest["model"] = "mine.tflite"
    manifest["micro"] |= changed
    path = directory / "mine.json"
    path.write_text(json.dumps(manifest))
    return path


# ---- TensorFlow Lite: the few tables of its schema.fbs that such a network takes -------------------

FULLY_CONNECTED, LOGISTIC = 9, 14
"""Of BuiltinOperator."""
FULLY_CONNECTED_OPTIONS = 8
"""Of BuiltinOptions."""
INT32 = "Int32"


def tflite_word(path: Path, windows: int = 16, outputs: int = 1, features: int = FEATURES) -> Path:
    made = flatbuffers.Builder(1 << 16)
    dense = weights(windows, outputs, features).T
    buffers = [_table(made, []), _table(made, [(0, "data", _bytes(made, dense.tobytes()))])]
    shapes = [((1, windows, features), 0), (dense.shape, 1), ((1, outputs), 0), ((1, outputs), 0)]
    tensors = [
        _table(made, [(0, "offset", _ints(made, shape)), (2, "uint32", buffer)])
        for shape, buffer in shapes
    ]
    codes = [
        _table(made, [(0, "int8", code), (2, "int32", 1), (3, "int32", code)])
        for code in (FULLY_CONNECTED, LOGISTIC)
    ]
    options = _table(made, [])
    operators = [
        _table(
            made,
            [
                (1, "offset", _ints(made, (0, 1, -1))),
                (2, "offset", _ints(made, (2,))),
                (3, "uint8", FULLY_CONNECTED_OPTIONS),
                (4, "offset", options),
            ],
        ),
        _table(
            made,
            [
                (0, "uint32", 1),
                (1, "offset", _ints(made, (2,))),
                (2, "offset", _ints(made, (3,))),
            ],
        ),
    ]
    graph = _table(
        made,
        [
            (0, "offset", _tables(made, tensors)),
            (1, "offset", _ints(made, (0,))),
            (2, "offset", _ints(made, (3,))),
            (3, "offset", _tables(made, operators)),
        ],
    )
    model = _table(
        made,
        [
            (0, "uint32", 3),
            (1, "offset", _tables(made, codes)),
            (2, "offset", _tables(made, [graph])),
            (4, "offset", _tables(made, buffers)),
        ],
    )
    made.Finish(model, b"TFL3")
    path.write_bytes(bytes(made.Output()))
    return path


def _table(made: flatbuffers.Builder, fields: list[tuple[int, str, int]]) -> int:
    """`fields`: the number in the schema, the kind, the value."""
    add = {
        "offset": lambda slot, value: made.PrependUOffsetTRelativeSlot(slot, value, 0),
        "data": lambda slot, value: made.PrependUOffsetTRelativeSlot(slot, value, 0),
        "uint32": lambda slot, value: made.PrependUint32Slot(slot, value, 0),
        "int32": lambda slot, value: made.PrependInt32Slot(slot, value, 0),
        "uint8": lambda slot, value: made.PrependUint8Slot(slot, value, 0),
        "int8": lambda slot, value: made.PrependInt8Slot(slot, value, 0),
    }
    made.StartObject(8)
    for slot, kind, value in fields:
        add[kind](slot, value)
    return int(made.EndObject())


def _ints(made: flatbuffers.Builder, values: tuple[int, ...]) -> int:
    return int(made.CreateNumpyVector(np.array(values, np.int32)))


def _bytes(made: flatbuffers.Builder, data: bytes) -> int:
    made.StartVector(1, len(data), 16)
    made.head = made.head - len(data)
    made.Bytes[made.head : made.head + len(data)] = data
    return int(made.EndVector())


def _tables(made: flatbuffers.Builder, offsets: list[int]) -> int:
    made.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        made.PrependUOffsetTRelative(offset)
    return int(made.EndVector())
