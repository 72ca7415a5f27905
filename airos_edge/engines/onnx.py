"""Small ONNX networks under onnxruntime: one thread, as little memory as it takes."""

from pathlib import Path
from typing import Any

from airos_edge.errors import EngineUnavailable


def open_session(engine: str, path: Path) -> Any:
    """An InferenceSession, which any number of streams may share. Raises EngineUnavailable."""
    try:
        import onnxruntime as ort
    except ImportError as error:
        why = f"{path.name} needs onnxruntime: pip install onnxruntime ({error})"
        raise EngineUnavailable(engine, why) from error
    try:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # What goes in is a few KB: the arena would only hold on to memory.
        options.enable_cpu_mem_arena = False
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # boundary: onnxruntime's own errors share no base but this
        raise EngineUnavailable(engine, f"{path.name} cannot be loaded: {error}") from error
