"""ZipVoice in sherpa-onnx's format, made by a test: it speaks in the voice of a recording.

Names and metadata as sherpa-onnx 2.0 reads them (k2-fsa/sherpa-onnx, sherpa-onnx/csrc/
offline-tts-zipvoice-model.cc, vocos-vocoder.cc).
"""

from pathlib import Path

import numpy as np
from onnx import helper

from tests.onnx_files import FLOAT, INT64, save
from tests.sherpa_voices import LETTERS, PHONEMES, write_letters

VOCOS_HZ = 24_000
BINS, N_FFT, HOP = 100, 256, 64
FRAMES_OF_TOKEN = 4


def zipvoice(directory: Path) -> Path:
    """It speaks as loudly as the recording whose voice it takes."""
    directory.mkdir(parents=True, exist_ok=True)
    save(
        directory / "encoder.onnx",
        [
            helper.make_node("Shape", ["tokens"], ["shape"]),
            helper.make_node("Gather", ["shape", "second"], ["many"]),
            helper.make_node("Mul", ["many", "frames_of_token"], ["spoken"]),
            helper.make_node("Cast", ["spoken"], ["exact"], to=FLOAT),
            helper.make_node("Div", ["exact", "speed"], ["scaled"]),
            helper.make_node("Cast", ["scaled"], ["frames"], to=INT64),
            helper.make_node("Add", ["frames", "prompt_features_len"], ["all"]),
            helper.make_node("Concat", ["single", "all", "bins"], ["size"], axis=0),
            helper.make_node("ConstantOfShape", ["size"], ["text_condition"]),
        ],
        [
            ("tokens", INT64, [1, "L"]),
            ("prompt_tokens", INT64, [1, "P"]),
            ("prompt_features_len", INT64, [1]),
            ("speed", FLOAT, [1]),
        ],
        [("text_condition", FLOAT, [1, "F", BINS])],
        {
            "second": np.array([1]),
            "frames_of_token": np.array([FRAMES_OF_TOKEN]),
            "single": np.array([1]),
            "bins": np.array([BINS]),
        },
        {"model_type": "zipvoice", "use_espeak": 1},
    )
    save(
        directory / "decoder.onnx",
        [
            helper.make_node("ReduceMax", ["speech_condition"], ["loudest"], keepdims=1),
            helper.make_node("Add", ["text_condition", "loudest"], ["there"]),
            helper.make_node("Sub", ["there", "x"], ["way"]),
            helper.make_node("Sub", ["end", "t"], ["left"]),
            helper.make_node("Div", ["way", "left"], ["v"]),
        ],
        [
            ("t", FLOAT, [1]),
            ("x", FLOAT, [1, "F", BINS]),
            ("text_condition", FLOAT, [1, "F", BINS]),
            ("speech_condition", FLOAT, [1, "F", BINS]),
            ("guidance_scale", FLOAT, [1]),
        ],
        [("v", FLOAT, [1, "F", BINS])],
        {"end": np.array([1], np.float32)},
        {
            "feat_dim": BINS,
            "num_mels": BINS,
            "sample_rate": VOCOS_HZ,
            "n_fft": N_FFT,
            "hop_length": HOP,
            "window_length": N_FFT,
        },
    )
    one = np.zeros((1, N_FFT // 2 + 1, 1), np.float32)
    one[0, 10] = 50
    save(
        directory / "vocos_24khz.onnx",
        [
            helper.make_node("ReduceMean", ["mels"], ["level"], axes=[1], keepdims=1),
            helper.make_node("Add", ["level", "above"], ["high"]),
            helper.make_node("Relu", ["high"], ["loud"]),
            helper.make_node("Mul", ["loud", "tone"], ["mag"]),
            helper.make_node("Cos", ["mag"], ["x"]),
            helper.make_node("Sin", ["mag"], ["y"]),
        ],
        [("mels", FLOAT, [1, BINS, "T"])],
        [(name, FLOAT, [1, N_FFT // 2 + 1, "T"]) for name in ("mag", "x", "y")],
        {"tone": one, "above": np.array(2, np.float32)},
        {
            "model_type": "vocos",
            "n_fft": N_FFT,
            "hop_length": HOP,
            "win_length": N_FFT,
            "sample_rate": VOCOS_HZ,
        },
    )
    write_letters(directory, [*LETTERS, *(one for one in PHONEMES if one not in LETTERS)])
    return directory
