"""Zipformers in sherpa-onnx's format, small enough to be made by a test: they hear tones.

The metadata are those that sherpa-onnx 2.0 reads (k2-fsa/sherpa-onnx, sherpa-onnx/csrc/
online-zipformer2-transducer-model.cc). Those of other kinds are in `sherpa_funasr.py`.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import helper

from tests.onnx_files import FLOAT, INT64, ballast, save
from tests.tones import BINS, BLANK, bands, bias

WORDS = ["<blk>", "▁TURN", "▁ON", "▁THE", "▁LIGHT", "▁KITCHEN", "▁LAMP", "S", "▁OFF"]
CHUNK_FRAMES, T = 32, 45


def zipformer(directory: Path, tokens: Sequence[str] = WORDS, layers: int = 0) -> Path:
    """A streaming transducer as icefall exports it, of one layer that passes its states on; with `layers`
    of work more, which changes nothing.

    It says a token once, however long its tone is: the decoder takes the last token's score away.
    """
    directory.mkdir(parents=True, exist_ok=True)
    size = len(tokens)
    states: list[tuple[str, int, Sequence[int | str]]] = [
        ("cached_key_0", FLOAT, [2, "N", 1]),
        ("cached_nonlin_attn_0", FLOAT, [1, "N", 2, 3]),
        ("cached_val1_0", FLOAT, [2, "N", 1]),
        ("cached_val2_0", FLOAT, [2, "N", 1]),
        ("cached_conv1_0", FLOAT, ["N", 4, 1]),
        ("cached_conv2_0", FLOAT, ["N", 4, 1]),
        ("embed_states", FLOAT, ["N", 128, 3, 19]),
        ("processed_lens", INT64, ["N"]),
    ]
    passed = [helper.make_node("Identity", [name], [f"new_{name}"]) for name, _, _ in states]
    frames = CHUNK_FRAMES // 4
    work, weights = ballast("frames", BINS, layers)
    save(
        directory / "encoder.onnx",
        [
            helper.make_node("Slice", ["x", "zero", "chunk", "axis"], ["frames"]),
            helper.make_node("Reshape", ["frames", "by_four"], ["fours"]),
            helper.make_node("ReduceMean", ["fours"], ["mean"], axes=[2], keepdims=0),
            helper.make_node("MatMul", ["mean", "bands"], ["scores"]),
            *work,
            helper.make_node("Add", ["scores", "nothing"], ["worked"]),
            helper.make_node("Add", ["worked", "bias"], ["encoder_out"]),
            *passed,
        ],
        [("x", FLOAT, ["N", T, BINS]), *states],
        [
            ("encoder_out", FLOAT, ["N", frames, size]),
            *[(f"new_{name}", kind, shape) for name, kind, shape in states],
        ],
        {
            "zero": np.array([0]),
            "chunk": np.array([CHUNK_FRAMES]),
            "axis": np.array([1]),
            "by_four": np.array([-1, frames, 4, BINS]),
            "bands": bands(size),
            "bias": bias(size, BLANK),
            **weights,
        },
        {
            "model_type": "zipformer2",
            "version": 1,
            "decode_chunk_len": CHUNK_FRAMES,
            "T": T,
            "num_encoder_layers": 1,
            "encoder_dims": 4,
            "cnn_module_kernels": 3,
            "left_context_len": 2,
            "query_head_dims": 1,
            "value_head_dims": 1,
            "num_heads": 1,
        },
    )
    again = -1000 * np.eye(size, dtype=np.float32)
    again[0, 0] = 0
    save(
        directory / "decoder.onnx",
        [
            helper.make_node("Slice", ["y", "last", "end", "axis"], ["before"]),
            helper.make_node("Squeeze", ["before", "axis"], ["token"]),
            helper.make_node("Gather", ["again", "token"], ["decoder_out"]),
        ],
        [("y", INT64, ["N", 2])],
        [("decoder_out", FLOAT, ["N", size])],
        {
            "last": np.array([-1]),
            "end": np.array([2]),
            "axis": np.array([1]),
            "again": again,
        },
        {"context_size": 2, "vocab_size": size},
    )
    save(
        directory / "joiner.onnx",
        [helper.make_node("Add", ["encoder_out", "decoder_out"], ["logit"])],
        [("encoder_out", FLOAT, ["N", size]), ("decoder_out", FLOAT, ["N", size])],
        [("logit", FLOAT, ["N", size])],
        {},
        {"joiner_dim": size},
    )
    write_tokens(directory, tokens)
    return directory


LETTERS = "ABCEFGHIKLMNOPRTU"


def zipformer_with_pieces(directory: Path) -> Path:
    """One whose tokens are pieces of words, with the scores of the pieces: it can be told names."""
    pieces = [*WORDS, "▁", *LETTERS]
    zipformer(directory, pieces)
    scored = [f"{piece}\t{-number}" for number, piece in enumerate(pieces)]
    (directory / "bpe.vocab").write_text("\n".join(scored), encoding="utf-8")
    return directory


def write_tokens(directory: Path, tokens: Sequence[str]) -> None:
    lines = [f"{token} {number}" for number, token in enumerate(tokens)]
    (directory / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
