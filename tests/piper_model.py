"""Voices in Piper's format, made here: an ONNX graph with the inputs of its VITS, and the JSON beside it.

They hum. How long depends on the number of ids and the length scale, as with a real one; how high on the
ids and on the speaker.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.models.stored import MANIFEST, StoredModel

RATE_HZ = 22_050
SYMBOLS = 256
ID_SAMPLES = 500
"""What an id takes at length scale 1: a letter is two ids, its own and a pad."""


def piper_voice(
    directory: Path,
    name: str = "en_US-hum-low",
    language: str = "en_US",
    speakers: Sequence[str] = (),
    quality: int = 1,
    work: int = 0,
    **settings: Any,
) -> StoredModel:
    """Writes the model into a directory of its name. `work`: so many steps of a millisecond or so before it
    hums; `settings` come before what its JSON says."""
    path = directory / name
    path.mkdir(parents=True)
    write_onnx(path / f"{name}.onnx", bool(speakers), work)
    told = json_of(language, speakers) | settings
    (path / f"{name}.onnx.json").write_text(json.dumps(told), encoding="utf-8")
    languages = (language.partition("_")[0],)
    manifest = {"task": "tts", "engine": "piper", "languages": languages, "quality": quality}
    (path / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return StoredModel(name, "tts", "piper", path, languages=languages, quality=quality)


def json_of(language: str, speakers: Sequence[str]) -> dict[str, Any]:
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    family = language.partition("_")[0]
    return {
        "audio": {"sample_rate": RATE_HZ, "quality": "low"},
        "espeak": {"voice": "en-us" if family == "en" else family},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": SYMBOLS,
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": {speaker: number for number, speaker in enumerate(speakers)},
        "language": {"code": language, "family": family},
        "piper_version": "1.0.0",
    }


def write_onnx(path: Path, has_speakers: bool, work: int = 0) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def constant(name: str, value: Any) -> onnx.TensorProto:
        return numpy_helper.from_array(np.asarray(value), name)

    pitches = 0.05 + 0.1 * np.arange(SYMBOLS, dtype=np.float32) / SYMBOLS
    constants = [
        constant("pitches", pitches),
        constant("scale_place", np.array([1], np.int64)),
        constant("id_samples", np.array([ID_SAMPLES], np.float32)),
        constant("zero_f", np.float32(0)),
        constant("one_f", np.float32(1)),
        constant("loudness", np.float32(0.5)),
        constant("shape", np.array([1, 1, 1, -1], np.int64)),
    ]
    nodes = [
        helper.make_node("Gather", ["pitches", "input"], ["each_pitch"]),
        helper.make_node("ReduceMean", ["each_pitch"], ["mean_pitch"], keepdims=0),
        helper.make_node("Cast", ["input_lengths"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["scales", "scale_place"], ["scale"]),
        helper.make_node("Mul", ["ids", "id_samples"], ["unscaled"]),
        helper.make_node("Mul", ["unscaled", "scale"], ["length_1"]),
        helper.make_node("Squeeze", ["length_1"], ["length"]),
        helper.make_node("Range", ["zero_f", "length", "one_f"], ["times"]),
    ]
    pitch = "mean_pitch"
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if has_speakers:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
        constants.append(constant("speaker_step", np.float32(0.02)))
        nodes += [
            helper.make_node("Cast", ["sid"], ["speaker"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["speaker", "speaker_step"], ["higher"]),
            helper.make_node("Add", ["mean_pitch", "higher"], ["pitch_1"]),
            helper.make_node("Squeeze", ["pitch_1"], ["pitch"]),
        ]
        pitch = "pitch"
    if work:
        generator = np.random.default_rng(1)
        constants.append(
            constant("matrix", generator.random((256, 256), np.float32) / 128),
        )
        constants.append(constant("tiny", np.float32(1e-30)))
        # Begins with what is known at run time only, or all of it would be folded when it is loaded.
        nodes.append(helper.make_node("Mul", ["matrix", pitch], ["step_0"]))
        for step in range(work):
            nodes.append(
                helper.make_node("MatMul", [f"step_{step}", "matrix"], [f"step_{step + 1}"])
            )
        nodes += [
            helper.make_node("ReduceMean", [f"step_{work}"], ["worked"], keepdims=0),
            helper.make_node("Mul", ["worked", "tiny"], ["nothing"]),
            helper.make_node("Add", [pitch, "nothing"], ["worked_pitch"]),
        ]
        pitch = "worked_pitch"
    nodes += [
        helper.make_node("Mul", ["times", pitch], ["phase"]),
        helper.make_node("Sin", ["phase"], ["hum"]),
        helper.make_node("Mul", ["hum", "loudness"], ["softly"]),
        helper.make_node("Reshape", ["softly", "shape"], ["output"]),
    ]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "samples"])]
    graph = helper.make_graph(nodes, "hum", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
