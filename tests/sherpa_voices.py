"""Voices in sherpa-onnx's formats, small enough to be made by a test: each token is 10 ms of a tone.

The metadata and the names of inputs are those that sherpa-onnx 2.0 reads (k2-fsa/sherpa-onnx,
sherpa-onnx/csrc/offline-tts-*-model.cc, *-vocoder.cc).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import NodeProto, helper

from tests.onnx_files import FLOAT, INT64, ballast, save

RATE_HZ = 16_000
HIFIGAN_HZ = 22_050
"""What a vocoder makes that says nothing of its rate."""
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
    write_letters(directory, LETTERS)
    return directory


def write_letters(directory: Path, letters: Sequence[str]) -> None:
    """With the lexicon. A line of one column is the space: the library reads it so."""
    numbered = [f"{letter} {number}".strip() for number, letter in enumerate(letters)]
    (directory / "tokens.txt").write_text("\n".join(numbered) + "\n", encoding="utf-8")
    lines = [f"{word} {said}" for word, said in LEXICON.items()]
    (directory / "lexicon.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_phonemes(directory: Path) -> None:
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
    write_phonemes(directory)
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
    write_phonemes(directory)
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
    write_phonemes(directory)
    return directory
