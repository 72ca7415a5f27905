"""A network in a .tflite file, by TFLite's C API (its c_api.h), which wake words' packages bring."""

import ctypes
import weakref
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
FLOAT32 = 1
"""`kTfLiteFloat32` of TFLite's c_api_types.h."""
OK = 0
"""`kTfLiteOk`."""


class TfliteNetwork:
    """It is loaded, and freed with the object. One run at a time."""

    def __init__(self, lib: ctypes.CDLL, path: Path) -> None:
        """`lib`: the library, its functions declared. Raises OSError, and ValueError for a file that is no
        whole model: the library itself checks each offset in it."""
        self._lib = lib
        # Read, and not mapped as the library would: who writes over the file would end the process.
        self._bytes = path.read_bytes()
        lib.TfLiteModelCreate.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        lib.TfLiteModelCreate.restype = ctypes.c_void_p
        model = lib.TfLiteModelCreate(self._bytes, len(self._bytes))
        if not model:
            raise ValueError("is no whole TensorFlow Lite model: bring it again")
        interpreter = lib.TfLiteInterpreterCreate(model, None)
        weakref.finalize(self, _free, lib, interpreter, model, self._bytes)
        if not interpreter or lib.TfLiteInterpreterAllocateTensors(interpreter) != OK:
            raise ValueError(
                "cannot be run: it takes no fixed size, or operations that are not in this library"
            )
        self._interpreter = interpreter
        self._input = lib.TfLiteInterpreterGetInputTensor(interpreter, 0)
        self._output = lib.TfLiteInterpreterGetOutputTensor(interpreter, 0)
        self.takes, self.gives = self._shape(self._input), self._shape(self._output)
        """The shapes of its first input and output."""
        tensors = (self._input, self._output)
        self.is_float = all(lib.TfLiteTensorType(tensor) == FLOAT32 for tensor in tensors)
        self._made = np.empty(self.gives, np.float32)

    def run(self, given: Array) -> Array:
        """Takes and gives arrays of its shapes. What it gives is overwritten by the next run."""
        lib, given = self._lib, np.ascontiguousarray(given, np.float32)
        lib.TfLiteTensorCopyFromBuffer(self._input, given.ctypes.data, given.nbytes)
        lib.TfLiteInterpreterInvoke(self._interpreter)
        lib.TfLiteTensorCopyToBuffer(self._output, self._made.ctypes.data, self._made.nbytes)
        return self._made

    def _shape(self, tensor: int) -> tuple[int, ...]:
        axes = range(self._lib.TfLiteTensorNumDims(tensor))
        return tuple(self._lib.TfLiteTensorDim(tensor, axis) for axis in axes)


def _free(lib: ctypes.CDLL, interpreter: int | None, model: int, held: bytes) -> None:
    """`held`: what the model points into until now."""
    if interpreter:
        lib.TfLiteInterpreterDelete(interpreter)
    lib.TfLiteModelDelete(model)
