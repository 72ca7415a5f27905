"""ONNX files that a test makes: a graph, constants, and what the model says of itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32
OPSET = [helper.make_opsetid("", 13)]
BALLAST = 1024


def save(
    path: Path,
    nodes: Sequence[NodeProto],
    inputs: Sequence[tuple[str, int, Sequence[int | str]]],
    outputs: Sequence[tuple[str, int, Sequence[int | str]]],
    constants: Mapping[str, np.ndarray],
    metadata: Mapping[str, object],
) -> None:
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def ballast(name: str, width: int, layers: int) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    """Work that comes to `nothing`: of an input whose rows have so many values, through so many layers."""
    if not layers:
        return [], {"nothing": np.array(0, np.float32)}
    nodes = [helper.make_node("MatMul", [name, "widen"], ["layer_0"])]
    nodes += [
        helper.make_node("MatMul", [f"layer_{number}", "square"], [f"layer_{number + 1}"])
        for number in range(layers)
    ]
    nodes += [
        helper.make_node("ReduceMean", [f"layer_{layers}"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "naught"], ["nothing"]),
    ]
    square = np.eye(BALLAST, dtype=np.float32)
    widen = np.ones((width, BALLAST), np.float32)
    return nodes, {"widen": widen, "square": square, "naught": np.array(0, np.float32)}
