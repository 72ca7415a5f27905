"""Voices in sherpa-onnx's formats, small enough to be made by a test: each token is 10 ms of a tone.

The metadata and the names of inputs are those that sherpa-onnx 2.0 reads (k2-fsa/sherpa-onnx,
sherpa-onnx/csrc/offline-tts-*-model.cc, *-vocoder.cc).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import NodeProto, helper

from tests.sherpa_models import FLOAT, INT64, ballast, save

RATE_HZ = 16_000
HIFIGAN_HZ, VOCOS_HZ = 22_050, 24_000
"""What vocoders make that say nothing of their rate, alone and after ZipVoice."""
SAMPLES_OF_TOKEN = 160
MOST_TOKENS = 400
PHONEMES = "_^$ !',-.:;?abcdefhijklmnopqrstuvwxyzæðŋɐɑɒɔəɚɛɜɡɪɹɾʃʊʌʒʔˈˌːθᵻ"
"""What espeak-ng's English is written in."""
LEXICON = {
    "hello": "hh eh l ow",
    "there": "dh eh r",
    "okay": "ow k ey",
    "kitchen": "k ih ch",
    "light": "l ay t",
}
LETTERS = [
    " ",
    ".",
    ",",
    "!",
    "?",
    *sorted({one for said in LEXICON.values() for one in said.split()}),
]


def _tone(tokens: str, samples_of_token: str) -> list[NodeProto]:
    """`tokens` (1, L) and how many samples each takes, to `wave` (L * samples): each at a pitch of its own."""
    return [
        helper.make_node("Cast", [tokens], ["numbers"], to=FLOAT),
        helper.make_node("Mod", ["numbers", "many"], ["few"], fmod=1),
        helper.make_node("Mul", ["few", "step"], ["above"]),
        helper.make_node("Add", ["above", "lowest"], ["pitch"]),
        helper.make_node("Reshape", ["pitch", "column"], ["pitches"]),
        helper.make_node("Range", ["nought", samples_of_token, "one"], ["at"]),
        helper.make_node("Cast", ["at"], ["time"], to=FLOAT),
        helper.make_node("Mul", ["pitches", "time"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["waves"]),
        helper.make_node("Reshape", ["waves", "flat"], ["wave"]),
    ]


TONE = {
    "many": np.array(40, np.float32),
    "step": np.array(0.02, np.float32),
    "lowest": np.array(0.1, np.float32),
    "column": np.array([-1, 1]),
    "flat": np.array([-1]),
    "nought": np.array(0),
    "one": np.array(1),
}


def _length(scale: str) -> list[NodeProto]:
    """`scale` (1) to `samples`, of a token."""
    return [
        helper.make_node("Mul", [scale, "usual"], ["exact"]),
        helper.make_node("Squeeze", ["exact", "first"], ["scalar"]),
        helper.make_node("Cast", ["scalar"], ["samples"], to=INT64),
    ]


LENGTH = {"usual": np.array([SAMPLES_OF_TOKEN], np.float32), "first": np.array([0])}
LOUDER = [
    helper.make_node("Gather", ["volumes", "sid"], ["volume"]),
    helper.make_node("Mul", ["wave", "volume"], ["audio"]),
]


def _volumes(speakers: int) -> dict[str, np.ndarray]:
    return {"volumes": np.linspace(0.2, 0.8, max(speakers, 1)).astype(np.float32)}


def vits(directory: Path, speakers: int = 1) -> Path:
    """One with a lexicon: a speaker with a higher number is louder."""
    directory.mkdir(parents=True, exist_ok=True)
    save(
        directory / "model.onnx",
        [*_length("length_scale"), *_tone("x", "samples"), *LOUDER],
        [
            ("x", INT64, [1, "L"]),
            ("x_length", INT64, [1]),
            *[(name, FLOAT, [1]) for name in ("noise_scale", "length_scale", "noise_scale_w")],
            ("sid", INT64, [1]),
        ],
        [("audio", FLOAT, ["S"])],
        {**TONE, **LENGTH, **_volumes(speakers)},
        {
            "model_type": "vits",
            "comment": "ljspeech",
            "language": "English",
            "sample_rate": RATE_HZ,
            "n_speakers": speakers,
            "add_blank": 0,
            "punctuation": "! , . ?",
        },
    )
    # A line of one column is the space: the library reads it so.
    numbered = [f"{letter} {number}".strip() for number, letter in enumerate(LETTERS)]
    (directory / "tokens.txt").write_text("\n".join(numbered) + "\n", encoding="utf-8")
    lines = [f"{word} {said}" for word, said in LEXICON.items()]
    (directory / "lexicon.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return directory


def _write_phonemes(directory: Path) -> None:
    lines = [f"{phoneme} {number}" for number, phoneme in enumerate(PHONEMES)]
    (directory / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def piper(directory: Path, speakers: int = 2, layers: int = 0) -> Path:
    """One as it was made of a voice of Piper's: espeak-ng says how the words are spoken. With `layers` of
    work more, which changes nothing."""
    directory.mkdir(parents=True, exist_ok=True)
    work, weights = ballast("pitches", 1, layers)
    save(
        directory / "en_GB-small-low.onnx",
        [
            helper.make_node("Slice", ["scales", "first", "second", "first"], ["unused"]),
            helper.make_node("Gather", ["scales", "second"], ["length_scale"]),
            *_length("length_scale"),
            *_tone("input", "samples"),
            *work,
            *LOUDER[:1],
            helper.make_node("Add", ["volume", "nothing"], ["worked"]),
            helper.make_node("Mul", ["wave", "worked"], ["audio"]),
        ],
        [
            ("input", INT64, [1, "L"]),
            ("input_lengths", INT64, [1]),
            ("scales", FLOAT, [3]),
            ("sid", INT64, [1]),
        ],
        [("audio", FLOAT, ["S"])],
        {**TONE, **LENGTH, **_volumes(speakers), **weights, "second": np.array([1])},
        {
            "model_type": "vits",
            "comment": "piper",
            "language": "English",
            "voice": "en-gb",
            "has_espeak": 1,
            "sample_rate": RATE_HZ,
            "n_speakers": speakers,
        },
    )
    _write_phonemes(directory)
    return directory


def matcha(directory: Path) -> Path:
    """A spectrum of which the vocoder makes sound: here it is that sound already, 80 samples a frame."""
    directory.mkdir(parents=True, exist_ok=True)
    save(
        directory / "model-steps-3.onnx",
        [
            *_length("length_scale"),
            *_tone("x", "samples"),
            helper.make_node("Reshape", ["wave", "frames"], ["turned"]),
            helper.make_node("Transpose", ["turned"], ["mel"], perm=[0, 2, 1]),
        ],
        [
            ("x", INT64, [1, "L"]),
            ("x_length", INT64, [1]),
            ("noise_scale", FLOAT, [1]),
            ("length_scale", FLOAT, [1]),
        ],
        [("mel", FLOAT, [1, 80, "T"])],
        {**TONE, **LENGTH, "frames": np.array([1, -1, 80])},
        {
            "model_type": "matcha-tts",
            "language": "English",
            "voice": "en-us",
            "has_espeak": 1,
            "jieba": 0,
            "n_speakers": 1,
            "sample_rate": HIFIGAN_HZ,
            "use_eos_bos": 1,
            "pad_id": 0,
            "version": 1,
        },
    )
    save(
        directory / "hifigan_v2.onnx",
        [
            helper.make_node("Transpose", ["mel"], ["turned"], perm=[0, 2, 1]),
            helper.make_node("Reshape", ["turned", "flat"], ["audio"]),
        ],
        [("mel", FLOAT, [1, 80, "T"])],
        [("audio", FLOAT, [1, "S"])],
        {"flat": np.array([1, -1])},
        {"model_type": "hifigan"},
    )
    _write_phonemes(directory)
    return directory


def kokoro(directory: Path, names: Sequence[str] = ("af_bella", "bm_george")) -> Path:
    """Its speakers are rows of a file of their own: here, how loud each is."""
    directory.mkdir(parents=True, exist_ok=True)
    save(
        directory / "model.onnx",
        [
            helper.make_node("Div", ["whole", "speed"], ["scale"]),
            *_length("scale"),
            *_tone("tokens", "samples"),
            helper.make_node("ReduceMean", ["style"], ["volume"], keepdims=0),
            helper.make_node("Mul", ["wave", "volume"], ["audio"]),
        ],
        [("tokens", INT64, [1, "L"]), ("style", FLOAT, [1, 2]), ("speed", FLOAT, [1])],
        [("audio", FLOAT, ["S"])],
        {**TONE, **LENGTH, "whole": np.array([1], np.float32)},
        {
            "model_type": "kokoro",
            "language": "English",
            "has_espeak": 1,
            "sample_rate": RATE_HZ,
            "version": 1,
            "voice": "en-us",
            "n_speakers": len(names),
            "speaker_names": ",".join(names),
            "style_dim": f"{MOST_TOKENS},1,2",
        },
    )
    volumes = np.linspace(0.2, 0.8, len(names)).astype(np.float32)
    (directory / "voices.bin").write_bytes(np.repeat(volumes, MOST_TOKENS * 2).tobytes())
    _write_phonemes(directory)
    return directory


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
    letters = [*LETTERS, *[one for one in PHONEMES if one not in LETTERS]]
    numbered = [f"{letter} {number}".strip() for number, letter in enumerate(letters)]
    (directory / "tokens.txt").write_text("\n".join(numbered) + "\n", encoding="utf-8")
    lines = [f"{word} {said}" for word, said in LEXICON.items()]
    (directory / "lexicon.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return directory
