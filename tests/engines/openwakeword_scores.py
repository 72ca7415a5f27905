"""What openWakeWord itself makes of a recording: run by `with_openwakeword.py` in an environment of its own.

Takes {"models": paths, "framework": "tflite" | "onnx", "sound": path of 16-bit samples} as JSON; prints the
scores of each model, one for each 80 ms. TFLite is ai-edge-litert's: tflite-runtime, which openWakeWord asks
for, has no wheels for these Pythons. The features' files are those of pyopen-wakeword.
"""

import json
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import ai_edge_litert.interpreter as litert
import numpy as np
import pyopen_wakeword

sys.modules["tflite_runtime"] = ModuleType("tflite_runtime")
sys.modules["tflite_runtime.interpreter"] = litert

import openwakeword.model  # noqa: E402 - it looks for what was put there

BLOCK = 1280
FILES = Path(pyopen_wakeword.__file__).parent / "models"


def features(made: type, inference_framework: str, **others: object) -> object:
    """Its own class, always on the .tflite files: there are no others here."""
    return made(
        melspec_model_path=str(FILES / "melspectrogram.tflite"),
        embedding_model_path=str(FILES / "embedding_model.tflite"),
        inference_framework="tflite",
        **others,
    )


def main() -> None:
    asked = json.loads(sys.argv[1])
    openwakeword.model.AudioFeatures = partial(features, openwakeword.model.AudioFeatures)
    model = openwakeword.model.Model(
        wakeword_models=asked["models"], inference_framework=asked["framework"]
    )
    sound = np.frombuffer(Path(asked["sound"]).read_bytes(), "<i2")
    starts = range(0, len(sound) - BLOCK + 1, BLOCK)
    told = [model.predict(sound[start : start + BLOCK]) for start in starts]
    print(json.dumps({name: [float(one[name]) for one in told] for name in told[0]}))


if __name__ == "__main__":
    main()
