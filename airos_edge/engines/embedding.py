"""openWakeWord's features, streamed: 96 numbers for each 10 ms, by numpy.

This is what `melspectrogram.tflite` and `embedding_model.tflite` of pyopen-wakeword's wheel compute,
with the weights that lie in them. Their embedding sees 76 spectra and has no padding in time, so each
of its convolutions needs but the few rows before the new ones; TFLite computes all 76 again for each
embedding. Where the network halves the time, both halves are kept here, and all that follows takes
steps twice as long: so there is an embedding for each 10 ms instead of each 80, for less than three
times the multiplications of a streamed one for each 80.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyopen_wakeword as oww

Array = npt.NDArray[np.float32]
State = tuple[Array, ...]
"""What is remembered of a stream. Nothing changes it, so streams may begin with the same."""

HOP_SAMPLES = 160
SPECTRUM_SAMPLES = 512
BANDS = 32
SPECTRA = 76
"""How many spectra an embedding sees."""
RANGE_DB, RANGE_SPECTRA = 80, 8
"""No band is more than so far under the loudest of the last eight spectra."""
LAYERS = 20
HALVES_TIME, HALVES_BANDS = {2, 10, 18}, {2, 6, 10, 14, 18}
"""After these layers the greater of two neighbours goes on."""
FLOAT32 = 1
"""`kTfLiteFloat32` of TFLite's c_api_types.h."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with three taps, over time or over bands. `taps` has shape (3, channels in, out)."""

    taps: Array
    bias: Array
    over_time: bool


class Embedding:
    """The network: its weights, and no state. Any number of streams may share it."""

    def __init__(self, features: "oww.OpenWakeWordFeatures") -> None:
        """Copies the weights. Raises ValueError if they are not those of the network that is known here."""
        self._window, self._bands = _spectrum(_floats(features.lib, features.mel_interpreter))
        self._layers = _layers(_floats(features.lib, features.emb_interpreter))
        state: State = ()
        for _ in range(SPECTRA // RANGE_SPECTRA + 2):
            _, state = self.step(state, np.zeros(RANGE_SPECTRA * HOP_SAMPLES, np.float32))
        self.silence = state
        """The state of a stream in which nothing was ever heard."""

    def step(self, state: State, samples: Array) -> tuple[Array, State]:
        """The embeddings, shape (samples / 160, 96), and the state after them.

        Takes a multiple of 160 samples, in the range of 16 bits. Of more than 2560 at once numpy
        would spread the products over threads, which cost more than they bring.
        """
        before, kept = iter(state), list[Array]()

        def with_rows_before(x: Array, rows: int) -> Array:
            first = next(before, None)
            joined = np.concatenate(
                [np.zeros((rows, *x.shape[1:]), x.dtype) if first is None else first, x]
            )
            kept.append(joined[len(joined) - rows :])
            return joined

        heard = with_rows_before(samples, SPECTRUM_SAMPLES - HOP_SAMPLES)
        loudness = with_rows_before(self._loudness_db(heard), RANGE_SPECTRA - 1)
        x, step = _side_by_side(_within_range(loudness)), 1
        for place, layer in enumerate(self._layers):
            if layer.over_time:
                x = _over_time(with_rows_before(x, 2 * step), layer.taps, step)
            else:
                x = _over_bands(x, layer.taps)
            x += layer.bias
            if place + 1 < LAYERS:
                np.maximum(x, np.maximum(x * np.float32(0.2), np.float32(-0.4)), out=x)
            if place in HALVES_TIME:
                joined = with_rows_before(x, step)
                x, step = np.maximum(joined[:-step], joined[step:]), 2 * step
            if place in HALVES_BANDS:
                x = _half_the_bands(x)
        return x[:, 0], tuple(kept)

    def _loudness_db(self, heard: Array) -> Array:
        """Of each band in each spectrum, shape (spectra, 32)."""
        frames = np.lib.stride_tricks.sliding_window_view(heard, SPECTRUM_SAMPLES)[::HOP_SAMPLES]
        waves = np.fft.rfft(frames * self._window)
        power = (waves.real**2 + waves.imag**2).astype(np.float32) @ self._bands
        loudness: Array = 10 * np.log10(np.maximum(power, np.float32(1e-10)))
        return loudness


# ---- the arithmetic. A row of x is (bands + 1, channels): the last is 0 and parts it from the next ----


def _within_range(loudness: Array) -> Array:
    """As the embedding wants them, without the rows before.

    The file takes the loudest of blocks of eight spectra. The loudest of the eight until now does
    not depend on where a block begins, and it only matters 80 dB under a sound.
    """
    peaks = np.lib.stride_tricks.sliding_window_view(loudness.max(axis=1), RANGE_SPECTRA)
    least = peaks.max(axis=1, keepdims=True) - np.float32(RANGE_DB)
    within: Array = np.maximum(loudness[RANGE_SPECTRA - 1 :], least) / np.float32(10) + np.float32(
        2
    )
    return within


def _side_by_side(spectra: Array) -> Array:
    """Each band with the one below and the one above as its three channels: the first layer's taps
    are three times three, so that it is a convolution over time only."""
    x = np.zeros((len(spectra), BANDS + 1, 3), np.float32)
    x[:, 1:-1, 0] = spectra[:, :-1]
    x[:, :-1, 1] = spectra
    x[:, :-2, 2] = spectra[:, 1:]
    return x


def _over_time(x: Array, taps: Array, step: int) -> Array:
    """Rows that lie `step` apart belong together: two times `step` rows fewer than `x` has."""
    rows = len(x) - 2 * step
    pieces = (x[at : at + rows].reshape(-1, x.shape[2]) for at in (0, step, 2 * step))
    summed = next(pieces) @ taps[0]
    for tap, piece in zip(taps[1:], pieces, strict=True):
        summed += piece @ tap
    convolved: Array = summed.reshape(rows, x.shape[1], -1)
    return convolved


def _over_bands(x: Array, taps: Array) -> Array:
    """All rows as one: what parts them is the 0 that a band at the edge has for a neighbour."""
    x[:, -1] = 0
    flat = x.reshape(-1, x.shape[2])
    summed = flat @ taps[1]
    summed[1:] += flat[:-1] @ taps[0]
    summed[:-1] += flat[1:] @ taps[2]
    convolved: Array = summed.reshape(*x.shape[:2], -1)
    return convolved


def _half_the_bands(x: Array) -> Array:
    halved = np.zeros((len(x), x.shape[1] // 2 + 1, x.shape[2]), np.float32)
    np.maximum(x[:, :-1:2], x[:, 1::2][:, : halved.shape[1] - 1], out=halved[:, :-1])
    return halved


# ---- the weights --------------------------------------------------------------------------------


def _floats(lib: ctypes.CDLL, interpreter: int) -> Iterator[tuple[str, Array]]:
    """Every tensor of 32-bit floats with its name, by TFLite's C API as its c_api.h declares it."""
    lib.TfLiteInterpreterGetTensor.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lib.TfLiteInterpreterGetTensor.restype = ctypes.c_void_p
    lib.TfLiteTensorName.argtypes = [ctypes.c_void_p]
    lib.TfLiteTensorName.restype = ctypes.c_char_p
    place = 0
    while tensor := lib.TfLiteInterpreterGetTensor(interpreter, place):
        place += 1
        shape = [
            lib.TfLiteTensorDim(tensor, axis) for axis in range(lib.TfLiteTensorNumDims(tensor))
        ]
        array = np.empty(shape, np.float32)
        is_whole = array.nbytes == lib.TfLiteTensorByteSize(tensor)
        if is_whole and lib.TfLiteTensorType(tensor) == FLOAT32:
            lib.TfLiteTensorCopyToBuffer(
                tensor, array.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(array.nbytes)
            )
            yield (lib.TfLiteTensorName(tensor) or b"").decode(), array


def _spectrum(tensors: Iterator[tuple[str, Array]]) -> tuple[Array, Array]:
    """The window, shape (512,), and what part of each frequency a band has, shape (257, 32).

    The file convolves with cosines and with sines under the window: the cosine of frequency 0 is
    the window itself, and the sine of frequency 0 is nothing.
    """
    arrays = [array for _, array in tensors]
    waves = [array[0].ravel() for array in arrays if array.shape == (257, 1, SPECTRUM_SAMPLES, 1)]
    bands = [array for array in arrays if array.shape == (257, BANDS)]
    if len(waves) != 2 or len(bands) != 1:
        raise ValueError("the spectrogram is not the one that is known here")
    return max(waves, key=np.max), bands[0]


def _layers(tensors: Iterator[tuple[str, Array]]) -> list[Layer]:
    """In their order, which is the number in their name; the first has none."""
    kernels, biases = dict[int, Array](), dict[int, Array]()
    for name, array in tensors:
        found = re.match(r"model/(conv2d|batch_normalization)(?:_(\d+))?/", name)
        if found and array.ndim in (1, 4):
            of_its_kind = biases if array.ndim == 1 else kernels
            of_its_kind.setdefault(int(found[2] or 0), array)
    layers = []
    for place in range(LAYERS):
        try:
            kernel, bias = kernels[place], biases[place]
            taps = kernel.transpose(1, 2, 3, 0).reshape(3, -1, kernel.shape[0])
            over_time = kernel.shape[1] == 3
        except (KeyError, ValueError) as error:
            raise ValueError("the embedding is not the one that is known here") from error
        layers.append(Layer(np.ascontiguousarray(taps), bias, over_time))
    return layers
