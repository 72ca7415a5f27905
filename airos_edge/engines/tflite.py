"""A network in a .tflite file, by TFLite's C API (its c_api.h), which wake words' packages bring."""

import ctypes
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.float32),
    3: np.dtype(np.uint8),
    9: np.dtype(np.int8),
}
"""Of TfLiteType, in TFLite's c_api_types.h, those of which networks of sound are made."""
OK = 0
"""`kTfLiteOk`."""


class TfliteNetwork:
    """It is loaded, and freed with the object. One run at a time."""

    def __init__(self, lib: ctypes.CDLL, data: bytes) -> None:
        """`lib`: the library, its functions declared; `data`: what the file holds. It is not copied, and it
        is not the file that is mapped, as the library would: who writes over that would end the process.

        Raises ValueError for what is no whole model: the library checks each offset in it.
        """
        self._lib = lib
        lib.TfLiteModelCreate.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        lib.TfLiteModelCreate.restype = ctypes.c_void_p
        model = lib.TfLiteModelCreate(data, len(data))
        if not model:
            raise ValueError("is no whole TensorFlow Lite model: bring it again")
        interpreter = lib.TfLiteInterpreterCreate(model, None)
        weakref.finalize(self, _free, lib, interpreter, model, data)
        if not interpreter or lib.TfLiteInterpreterAllocateTensors(interpreter) != OK:
            raise ValueError(
                "cannot be run: it takes no fixed size, or operations that are not in this library"
            )
        self._interpreter = interpreter
        self._input = lib.TfLiteInterpreterGetInputTensor(interpreter, 0)
        self._output = lib.TfLiteInterpreterGetOutputTensor(interpreter, 0)
        self.takes, self.gives = self._shape(self._input), self._shape(self._output)
        """The shapes of its first input and output."""
        self.takes_type, self.gives_type = self._type(self._input), self._type(self._output)
        """None: a type that is not one of `TYPES`."""
        self._made = np.empty(self.gives, self.gives_type or np.float32)

    def run(self, given: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Takes and gives arrays of its shapes and types. What it gives is overwritten by the next run."""
        lib, given = self._lib, np.ascontiguousarray(given, self.takes_type)
        lib.TfLiteTensorCopyFromBuffer(self._input, given.ctypes.data, given.nbytes)
        lib.TfLiteInterpreterInvoke(self._interpreter)
        lib.TfLiteTensorCopyToBuffer(self._output, self._made.ctypes.data, self._made.nbytes)
        return self._made

    def quantized(self) -> tuple[float, int, float, int]:
        """Scale and zero point of what it takes, and of what it gives: a value is scale × (number - zero)."""
        takes, gives = map(self._lib.TfLiteTensorQuantizationParams, (self._input, self._output))
        return takes.scale, takes.zero_point, gives.scale, gives.zero_point

    def _shape(self, tensor: int) -> tuple[int, ...]:
        axes = range(self._lib.TfLiteTensorNumDims(tensor))
        return tuple(self._lib.TfLiteTensorDim(tensor, axis) for axis in axes)

    def _type(self, tensor: int) -> np.dtype[Any] | None:
        return TYPES.get(self._lib.TfLiteTensorType(tensor))


def _free(lib: ctypes.CDLL, interpreter: int | None, model: int, held: bytes) -> None:
    """`held`: what the model points into until now."""
    if interpreter:
        lib.TfLiteInterpreterDelete(interpreter)
    lib.TfLiteModelDelete(model)
