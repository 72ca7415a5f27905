"""A Whisper model in faster-whisper's own format, small enough to be made by a test: its weights are
written down, not trained.

It says its words one after the other, one for each half second of sound that it hears; to nothing but
quiet it says nothing, and that no speech was heard. Sound that is high (`hiss`) it takes for German,
any other for English. With timestamps, its eighth word ends a segment.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from airos_edge.voice.audio import RATE_HZ, AudioChunk, samples_of

WORDS = (
    *(
        "turn",
        "on",
        "the",
        "kitchen",
        "light",
        "and",
        "then",
        "tell",
        "me",
        "what",
        "time",
        "it",
        "is",
    ),
    *("in", "Paris", "please", "because", "we", "want", "to", "fly", "there", "tomorrow"),
)
WORD_S = 0.5
LANGUAGES = ("en", "zh", "de", "es", "fr")
SEGMENT_WORDS = 8
TIMES = 1501

# What the dimensions of its state are for, beside one for each word that was said last.
DIMENSIONS = 64
LEFT, ONE, BEGINS, HIGH, FIRST_TIME, CUT, BALANCE = range(57, 64)
"""How many half seconds of sound have no word yet (as a debt); 1; whether the text begins; seconds of
high sound; before and after a timestamp; what makes the weights of each token sum to 0."""
LOUD, HIGH_BAND, CONSTANT = 0, 1, 2
"""The channels of its encoder."""
LOW_MELS, HIGH_MELS = slice(2, 22), slice(55, 75)
SURE = 12.0
WINDOW_S = 30.0
SPECIALS = (
    *("<|endoftext|>", "<|startoftranscript|>"),
    *(f"<|{language}|>" for language in LANGUAGES),
    *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"),
    *("<|nospeech|>", "<|notimestamps|>"),
)


MULTILINGUAL = ""
"""CTranslate2 (4.8, src/models/whisper.cc) knows a model of several languages by this token."""


@dataclass(frozen=True)
class Size:
    width: int = DIMENSIONS
    layers: int = 1
    multilingual: bool = True


def make_whisper(directory: Path, size: Size = Size()) -> Path:
    """Writes all files of a model. Takes about a second."""
    from ctranslate2.specs import WhisperSpec

    directory.mkdir(parents=True, exist_ok=True)
    tokens = _write_tokenizer(directory / "tokenizer.json", size.multilingual)
    heads = size.width // DIMENSIONS
    spec = WhisperSpec(size.layers, heads, size.layers, heads)
    _fill_encoder(spec.encoder, size)
    _fill_decoder(spec.decoder, size, {token: place for place, token in enumerate(tokens)})
    spec.register_vocabulary(tokens)
    begins = tokens.index("<|startoftranscript|>") + 1
    spec.config.lang_ids = list(range(begins, begins + len(LANGUAGES)))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.save(str(directory))
    told = {"feature_size": 80, "sampling_rate": RATE_HZ, "hop_length": 160, "n_fft": 400}
    (directory / "preprocessor_config.json").write_text(json.dumps({**told, "chunk_length": 30}))
    return directory


def store_whisper(models: Path, name: str = "tiny-whisper", quality: int = 1) -> Path:
    """The model as `airos models` would have stored it."""
    directory = make_whisper(models / name)
    told = {"task": "asr", "engine": "whisper", "quality": quality, "languages": LANGUAGES}
    (directory / "airos.json").write_text(json.dumps(told))
    return directory


# ---- sound that it knows -------------------------------------------------------------------------


def hum(seconds: float, before_s: float = 0.0, after_s: float = 0.0) -> AudioChunk:
    """Sound, and a quiet room around it."""
    return _noise(seconds, before_s, after_s, 0, 1000)


def hiss(seconds: float, before_s: float = 0.0, after_s: float = 0.0) -> AudioChunk:
    """High sound."""
    return _noise(seconds, before_s, after_s, 2500, 8000)


def quiet(seconds: float) -> AudioChunk:
    return AudioChunk(_pcm(_room(seconds)))


def _noise(
    seconds: float, before_s: float, after_s: float, above_hz: float, below_hz: float
) -> AudioChunk:
    samples = np.random.default_rng(seed=1).normal(0, 4000, samples_of(seconds * 1000))
    spectrum = np.fft.rfft(samples)
    spectrum[: round(above_hz * seconds)] = 0
    spectrum[round(below_hz * seconds) + 1 :] = 0
    sound = np.fft.irfft(spectrum, len(samples))
    return AudioChunk(_pcm(np.concatenate([_room(before_s), sound, _room(after_s)])))


def _room(seconds: float) -> np.ndarray:
    return np.random.default_rng(seed=2).normal(0, 10, samples_of(seconds * 1000))


def _pcm(samples: np.ndarray) -> bytes:
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


# ---- its files -----------------------------------------------------------------------------------


def _write_tokenizer(path: Path, multilingual: bool) -> list[str]:
    """All tokens, in the order of their numbers. Each word is one."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
    from tokenizers.models import BPE

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=2000, initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator([f" {word}" for word in WORDS] * 3, trainer)
    if multilingual:
        told = json.loads(tokenizer.to_str())
        told["model"]["vocab"][MULTILINGUAL] = tokenizer.get_vocab_size()
        tokenizer = Tokenizer.from_str(json.dumps(told))
    times = [f"<|{place * 0.02:.2f}|>" for place in range(TIMES)]
    tokenizer.add_special_tokens([*SPECIALS, *times])
    tokenizer.save(str(path))
    return [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]


def _fill_encoder(encoder: Any, size: Size) -> None:
    """Says of each hundredth of a second whether there is sound, and whether it is high."""
    width = size.width
    low, high = width - 1, width - 2
    first, bias = np.zeros((width, 80, 3)), np.zeros(width)
    first[low, LOW_MELS, 1] = first[high, HIGH_MELS, 1] = 1.0
    bias[low] = bias[high] = -20 * 0.3
    encoder.conv1.weight, encoder.conv1.bias = _f(first), _f(bias)
    second, bias = np.zeros((width, width, 3)), np.zeros(width)
    second[LOUD, [low, high], 1] = 100.0
    second[HIGH_BAND, high, 1], second[HIGH_BAND, low, 1] = 100.0, -100.0
    bias[CONSTANT], bias[HIGH_BAND] = 1.0, -20.0  # a GELU goes below 0, to -0.17
    encoder.conv2.weight, encoder.conv2.bias = _f(second), _f(bias)
    encoder.position_encodings.encodings = _f(np.zeros((1500, width)))
    for layer in encoder.layer:
        _fill_layer(layer, width)
    _norm(encoder.layer_norm, width)


def _fill_decoder(decoder: Any, size: Size, tokens: dict[str, int]) -> None:
    width = size.width
    decoder.position_encodings.encodings = _f(np.zeros((448, width)))
    for layer in decoder.layer:
        _fill_layer(layer, width)
        _attention(layer.attention, width, crosses=True)
    _norm(decoder.layer_norm, width)
    # Attention is even over the window: what comes of it is how much of the window was so.
    attention = decoder.layer[0].attention
    values, bias = np.zeros((2 * width, width)), np.zeros(2 * width)
    for channel in (LOUD, HIGH_BAND):
        values[width + channel, channel] = 1.0
        bias[width + channel] = 1 / np.sqrt(width - 1)
    attention.linear[1].weight, attention.linear[1].bias = _f(values), _f(bias)
    out = np.zeros((width, width))
    whole = np.sqrt(width - 1) + 1 / np.sqrt(width - 1)
    out[LEFT, LOUD] = -WINDOW_S / whole
    out[HIGH, HIGH_BAND] = WINDOW_S / whole * np.sqrt(2)
    attention.linear[2].weight = _f(out)
    seen, said = _tokens(tokens)
    embeddings, projection = np.zeros((2, len(tokens), width))
    embeddings[:, :DIMENSIONS], projection[:, :DIMENSIONS] = seen, said * SURE
    decoder.embeddings.weight = _f(embeddings)
    decoder.projection.weight = _f(projection)


def _tokens(tokens: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """What state each token leads to, and which state leads to it."""
    seen, said = np.zeros((2, len(tokens), DIMENSIONS))
    seen[:, ONE], said[:, ONE] = 1.0, -4.0  # nothing is said that is not wanted below
    words = [tokens[f"\u0120{word}"] for word in WORDS]
    for start in ("<|notimestamps|>", "<|0.00|>"):
        seen[tokens[start], [0, LEFT]] = 1.0, WORD_S / 2
    # A beam search ends when enough ways have: to go on with what is no word is better than to end early.
    others = slice(0, tokens["<|endoftext|>"])
    seen[others, LEFT], said[others, ONE] = -WINDOW_S, -2.0
    for place, word in enumerate(words, 1):
        said[word, [ONE, place - 1]] = -4.0, 5.0
        seen[word, [place, LEFT]] = 1.0, (place + 0.5) * WORD_S
    cut = tokens[f"<|{SEGMENT_WORDS * WORD_S:.2f}|>"]
    said[cut, [SEGMENT_WORDS, CUT]] = 5.2, 4.8
    seen[cut, [CUT, LEFT]] = 1.0, (SEGMENT_WORDS + 0.5) * WORD_S
    said[words[SEGMENT_WORDS], CUT] = 5.0
    said[tokens["<|endoftext|>"], [ONE, LEFT, len(words)]] = 1.0, 20.0, 20 * WINDOW_S
    seen[tokens["<|transcribe|>"], FIRST_TIME] = 1.0
    said[tokens["<|0.00|>"], [ONE, FIRST_TIME]] = -1.0, 3.0
    seen[tokens["<|startoftranscript|>"], BEGINS] = 1.0
    said[tokens["<|nospeech|>"], [ONE, BEGINS, LEFT]] = -4.0, 7.0, 10.0
    for language in LANGUAGES:
        said[tokens[f"<|{language}|>"], [ONE, BEGINS]] = -50.0, 50.0
    said[tokens["<|en|>"], BEGINS] = 51.0
    said[tokens["<|de|>"], HIGH] = 3.0
    said[:, BALANCE] = -said.sum(axis=1)
    return seen, said


def _fill_layer(layer: Any, width: int) -> None:
    """One that changes nothing, and takes its time for it."""
    _attention(layer.self_attention, width)
    _norm(layer.ffn.layer_norm, width)
    _linear(layer.ffn.linear_0, width, 4 * width)
    _linear(layer.ffn.linear_1, 4 * width, width)


def _attention(attention: Any, width: int, crosses: bool = False) -> None:
    _norm(attention.layer_norm, width)
    outputs = (width, 2 * width, width) if crosses else (3 * width, width)
    for linear, output in zip(attention.linear, outputs, strict=True):
        _linear(linear, width, output)


def _linear(linear: Any, takes: int, gives: int) -> None:
    linear.weight, linear.bias = _f(np.zeros((gives, takes))), _f(np.zeros(gives))


def _norm(norm: Any, width: int) -> None:
    norm.gamma, norm.beta = _f(np.ones(width)), _f(np.zeros(width))


def _f(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32)
