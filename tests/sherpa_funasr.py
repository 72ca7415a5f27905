"""Paraformer and SenseVoice in sherpa-onnx's format, made by a test: seven frames are heard as one, every
sixth.

The metadata are those that sherpa-onnx 2.0 reads (k2-fsa/sherpa-onnx, sherpa-onnx/csrc/
offline-paraformer-model.cc, online-paraformer-model.cc, offline-sense-voice-model.cc).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import NodeProto, helper

from tests.onnx_files import FLOAT, INT32, INT64, save
from tests.sherpa_models import write_tokens
from tests.tones import BINS, BLANK, bands, bias

SIGNS = ["<blank>", "打", "开", "灯", "light@@", "s", "二", "十", "度"]
WINDOW, SHIFT = 7, 6
FULL_SCALE_LOG = 20.8
"""What samples of 16 bits have more than those from -1 to 1, of logarithms of power."""
STACKED: dict[str, object] = {
    "lfr_window_size": WINDOW,
    "lfr_window_shift": SHIFT,
    "neg_mean": ",".join(["0"] * BINS * WINDOW),
}


def _stacked(scale: float = 1.0) -> dict[str, object]:
    return {**STACKED, "inv_stddev": ",".join([str(scale)] * BINS * WINDOW)}


def _scores(size: int) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    """`speech` (1, T, 560) to `scores` (1, T, size)."""
    nodes = [
        helper.make_node("MatMul", ["speech", "bands"], ["raw"]),
        helper.make_node("Add", ["raw", "bias"], ["scores"]),
    ]
    stacked = np.tile(bands(size) / WINDOW, (WINDOW, 1))
    return nodes, {"bands": stacked, "bias": bias(size, BLANK + FULL_SCALE_LOG)}


def _onsets() -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    """`scores` (1, T, V) to `is_new` (T): whether a token begins there."""
    nodes = [
        helper.make_node("ArgMax", ["scores"], ["ids"], axis=2, keepdims=0),
        helper.make_node("Squeeze", ["ids", "first"], ["id"]),
        helper.make_node("Slice", ["id", "zeros", "minus"], ["but_last"]),
        helper.make_node("Concat", ["zeros", "but_last"], ["before"], axis=0),
        helper.make_node("Equal", ["id", "before"], ["is_old"]),
        helper.make_node("Equal", ["id", "zeros"], ["is_blank"]),
        helper.make_node("Or", ["is_old", "is_blank"], ["is_nothing"]),
        helper.make_node("Not", ["is_nothing"], ["is_new"]),
    ]
    return nodes, {
        "first": np.array([0]),
        "zeros": np.array([0]),
        "minus": np.array([-1]),
    }


def paraformer(directory: Path, signs: Sequence[str] = SIGNS) -> Path:
    """One that hears the whole: the scores of the frames in which a token begins, then of the end."""
    directory.mkdir(parents=True, exist_ok=True)
    tokens = [*signs, "</s>"]
    size = len(tokens)
    scoring, of_scores = _scores(size)
    finding, of_onsets = _onsets()
    end = np.zeros((1, 1, size), np.float32)
    end[0, 0, -1] = 1
    save(
        directory / "model.onnx",
        [
            *scoring,
            *finding,
            helper.make_node("Compress", ["scores", "is_new"], ["said"], axis=1),
            helper.make_node("Concat", ["said", "the_end"], ["logits"], axis=1),
            helper.make_node("Identity", ["speech_lengths"], ["token_num"]),
        ],
        [("speech", FLOAT, ["N", "T", BINS * WINDOW]), ("speech_lengths", INT32, ["N"])],
        [("logits", FLOAT, ["N", "L", size]), ("token_num", INT32, ["N"])],
        {**of_scores, **of_onsets, "the_end": end},
        {"model_type": "paraformer", "vocab_size": size, **_stacked()},
    )
    write_tokens(directory, tokens)
    return directory


def streaming_paraformer(directory: Path, signs: Sequence[str] = SIGNS) -> Path:
    """One that fires wherever a token begins. What it is given is scaled by the root of its width."""
    directory.mkdir(parents=True, exist_ok=True)
    size = 16
    tokens = [*signs, *[f"<{number}>" for number in range(len(signs), size)]]
    scoring, of_scores = _scores(size)
    finding, of_onsets = _onsets()
    save(
        directory / "encoder.onnx",
        [
            *scoring,
            *finding,
            helper.make_node("Cast", ["is_new"], ["fires"], to=FLOAT),
            helper.make_node("Unsqueeze", ["fires", "first"], ["alphas"]),
            helper.make_node("Identity", ["scores"], ["enc"]),
            helper.make_node("Identity", ["speech_lengths"], ["enc_len"]),
        ],
        [("speech", FLOAT, [1, "T", BINS * WINDOW]), ("speech_lengths", INT32, [1])],
        [
            ("enc", FLOAT, [1, "T", size]),
            ("enc_len", INT32, [1]),
            ("alphas", FLOAT, [1, "T"]),
        ],
        {**of_scores, **of_onsets},
        {
            "model_type": "paraformer",
            "vocab_size": size,
            "encoder_output_size": size,
            "decoder_num_blocks": 1,
            "decoder_kernel_size": 2,
            **_stacked(scale=size**-0.5),
        },
    )
    save(
        directory / "decoder.onnx",
        [
            helper.make_node("Identity", ["acoustic_embeds"], ["logits"]),
            helper.make_node("ArgMax", ["logits"], ["sample_ids"], axis=2, keepdims=0),
            helper.make_node("Identity", ["in_cache_0"], ["out_cache_0"]),
        ],
        [
            ("enc", FLOAT, [1, "T", size]),
            ("enc_len", INT32, [1]),
            ("acoustic_embeds", FLOAT, [1, "L", size]),
            ("acoustic_embeds_len", INT32, [1]),
            ("in_cache_0", FLOAT, [1, size, 1]),
        ],
        [
            ("logits", FLOAT, [1, "L", size]),
            ("sample_ids", INT64, [1, "L"]),
            ("out_cache_0", FLOAT, [1, size, 1]),
        ],
        {},
        {"model_type": "paraformer"},
    )
    write_tokens(directory, tokens)
    return directory


ITN, NO_ITN = 14, 15
HEARD = ["<unk>", "打", "开", "灯", "▁turn", "▁on", "二", "十", "。"]


def sense_voice(
    directory: Path, language: str = "zh", event: str = "Speech", heard: Sequence[str] = HEARD
) -> Path:
    """It says the language, the mood and the event before what it hears, whatever that is."""
    directory.mkdir(parents=True, exist_ok=True)
    marks = [language, "HAPPY", event, "withitn", "woitn"]
    tokens = [*heard, *[f"<|{mark}|>" for mark in marks]]
    size = len(tokens)
    scoring, of_scores = _scores(size)
    before = np.zeros((1, 4, size), np.float32)
    for place in range(3):
        before[0, place, len(heard) + place] = 1000
    norms = np.zeros((NO_ITN + 1, size), np.float32)
    norms[ITN, -2] = norms[NO_ITN, -1] = 1000
    last = np.array([[[0], [0], [0], [1]]], np.float32)
    save(
        directory / "model.onnx",
        [
            *scoring,
            helper.make_node("Gather", ["norms", "text_norm"], ["norm"]),
            helper.make_node("Mul", ["norm", "last"], ["mark"]),
            helper.make_node("Add", ["before", "mark"], ["marks"]),
            helper.make_node("Concat", ["marks", "scores"], ["logits"], axis=1),
        ],
        [
            ("speech", FLOAT, [1, "T", BINS * WINDOW]),
            *[(name, INT32, [1]) for name in ("x_length", "language", "text_norm")],
        ],
        [("logits", FLOAT, [1, "L", size])],
        {**of_scores, "norms": norms, "last": last, "before": before},
        {
            "model_type": "sense_voice_ctc",
            "vocab_size": size,
            "normalize_samples": 0,
            "with_itn": ITN,
            "without_itn": NO_ITN,
            **{f"lang_{name}": i for i, name in enumerate(["auto", "zh", "en", "ja", "ko", "yue"])},
            **_stacked(),
        },
    )
    write_tokens(directory, tokens)
    return directory
