"""Models in sherpa-onnx's formats, small enough to be made by a test: they hear tones.

Each of 8 bands of the spectrum is a token: a tone of `hz(3)` is the third. The metadata are those
that sherpa-onnx 2.0 reads (k2-fsa/sherpa-onnx, sherpa-onnx/csrc/*-model.cc).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from airos_edge.voice.audio import RATE_HZ, AudioChunk, samples_of

BINS, BANDS = 80, 8
FIRST_BIN, BINS_OF_BAND = 8, 9
"""The lowest bins are left out: they are narrower than what 25 ms can tell apart."""
OPSET = [helper.make_opsetid("", 13)]
FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32

WORDS = ["<blk>", "▁TURN", "▁ON", "▁THE", "▁LIGHT", "▁KITCHEN", "▁LAMP", "S", "▁OFF"]
SIGNS = ["<blank>", "打", "开", "灯", "light@@", "s", "二", "十", "度"]


def hz(band: int) -> float:
    """The middle of a band (1 to 8) of the mel scale from 20 Hz to 7600 Hz, as kaldi's filters lie."""

    def mel(hertz: float) -> float:
        return 1127 * float(np.log1p(hertz / 700))

    low, high = mel(20), mel(7600)
    middle = low + (high - low) * (FIRST_BIN + (band - 0.5) * BINS_OF_BAND + 0.5) / (BINS + 1)
    return 700 * float(np.expm1(middle / 1127))


def tones(*bands: int, ms: int = 240, quiet_ms: int = 160) -> AudioChunk:
    """Each a tone of its band, with quiet between them; 0 is quiet. Over a floor of noise."""
    made = []
    for band in bands:
        at = np.arange(samples_of(ms)) / RATE_HZ
        made.append(8000 * np.sin(2 * np.pi * hz(band) * at) * (band > 0))
        made.append(np.zeros(samples_of(quiet_ms)))
    samples = np.concatenate(made)
    samples += np.random.default_rng(7).normal(0, 5, len(samples))
    return AudioChunk(samples.astype("<i2").tobytes())


def _bands(tokens: int) -> np.ndarray:
    """(80, tokens): the mean of each band is the score of its token."""
    weights = np.zeros((BINS, tokens), np.float32)
    for token in range(1, min(BANDS + 1, tokens)):
        start = FIRST_BIN + (token - 1) * BINS_OF_BAND
        weights[start : start + BINS_OF_BAND, token] = 1 / BINS_OF_BAND
    return weights


def _bias(tokens: int, blank: float) -> np.ndarray:
    """What token 0 scores whatever is heard; those that are no band's never win."""
    bias = np.full(tokens, -1000, np.float32)
    bias[: BANDS + 1] = 0
    bias[0] = blank
    return bias


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


def write_tokens(directory: Path, tokens: Sequence[str]) -> None:
    lines = [f"{token} {number}" for number, token in enumerate(tokens)]
    (directory / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


CHUNK_FRAMES, T = 32, 45
BALLAST = 1024
BLANK = -6.0
"""A band with a tone has a mean of more than this, of logarithms of power; noise has less."""


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
            "bands": _bands(size),
            "bias": _bias(size, BLANK),
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


def ballast(name: str, width: int, layers: int) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    """Work that comes to `nothing`: of an input whose rows have so many values, through so many layers."""
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


# ---- of the FunASR family: seven frames are heard as one, every sixth ----------------------------

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
    bands = np.tile(_bands(size) / WINDOW, (WINDOW, 1))
    return nodes, {"bands": bands, "bias": _bias(size, BLANK + FULL_SCALE_LOG)}


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


def unclear(first: int, second: int) -> AudioChunk:
    """A sound so short that it is one token, of two bands: the first is a little louder."""
    at = np.arange(samples_of(60)) / RATE_HZ
    sound = np.sin(2 * np.pi * hz(first) * at) + 0.8 * np.sin(2 * np.pi * hz(second) * at)
    samples = np.random.default_rng(7).normal(0, 5, samples_of(600))
    samples[samples_of(100) :][: len(at)] += 4800 * sound * np.hanning(len(at))
    return AudioChunk(samples.astype("<i2").tobytes())


LETTERS = "ABCEFGHIKLMNOPRTU"


def zipformer_with_pieces(directory: Path) -> Path:
    """One whose tokens are pieces of words, with the scores of the pieces: it can be told names."""
    pieces = [*WORDS, "▁", *LETTERS]
    zipformer(directory, pieces)
    scored = [f"{piece}\t{-number}" for number, piece in enumerate(pieces)]
    (directory / "bpe.vocab").write_text("\n".join(scored), encoding="utf-8")
    return directory
