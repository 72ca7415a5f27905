"""The features are pyopen-wakeword's own, and do not depend on how they are asked for."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyopen_wakeword as oww
import pytest

from airos_edge.engines.embedding import HOP_SAMPLES, Array, Embedding
from tests.speech import noise, spoken

BLOCK_SAMPLES = 1280
BLOCK_BYTES = 2 * BLOCK_SAMPLES
SPEECH = noise(1000).pcm + spoken("Hey Jarvis, turn on the light", after_ms=500).pcm
SPEECH = SPEECH[: len(SPEECH) // BLOCK_BYTES * BLOCK_BYTES]


@pytest.fixture(scope="module")
def features() -> oww.OpenWakeWordFeatures:
    return oww.OpenWakeWordFeatures.from_builtin()


@pytest.fixture(scope="module")
def embedding(features: oww.OpenWakeWordFeatures) -> Embedding:
    return Embedding(features)


def embed(embedding: Embedding, samples: Array, step_samples: int) -> Array:
    state, embeddings = embedding.silence, []
    for start in range(0, len(samples) - step_samples + 1, step_samples):
        made, state = embedding.step(state, samples[start : start + step_samples])
        embeddings.append(made)
    return np.concatenate(embeddings)


def test_every_eighth_is_what_pyopen_wakeword_makes(
    features: oww.OpenWakeWordFeatures, embedding: Embedding
) -> None:
    features.reset()
    starts = range(0, len(SPEECH), BLOCK_BYTES)
    blocks = [SPEECH[start : start + BLOCK_BYTES] for start in starts]
    made = [one[0, 0] for block in blocks for one in features.process_streaming(block)]
    theirs = np.concatenate(made)[-len(blocks) :]
    # Their spectra begin 128 samples later. The first ten still see where digital silence ended,
    # 80 dB under a sound, where the range is that of their block and not that of ours.
    samples = np.frombuffer(bytes(2 * 128) + SPEECH, "<i2").astype(np.float32)
    ours = embed(embedding, samples, BLOCK_SAMPLES)[6::8][10:-1]
    theirs = theirs[11 : 11 + len(ours)]
    assert np.abs(theirs).max() > 50
    assert ours == pytest.approx(theirs, abs=1e-3)


@pytest.mark.parametrize("step_samples", [HOP_SAMPLES, 3 * HOP_SAMPLES, 16 * HOP_SAMPLES])
def test_it_is_the_same_in_any_steps(embedding: Embedding, step_samples: int) -> None:
    samples = np.frombuffer(SPEECH, "<i2").astype(np.float32)
    expected = embed(embedding, samples, BLOCK_SAMPLES)
    made = embed(embedding, samples, step_samples)
    assert made.shape[1] == 96
    shorter = min(len(made), len(expected))
    assert made[:shorter] == pytest.approx(expected[:shorter], abs=1e-3)


def test_a_state_is_not_changed_by_who_begins_with_it(embedding: Embedding) -> None:
    before = [array.copy() for array in embedding.silence]
    embed(embedding, np.full(4 * BLOCK_SAMPLES, 1000, np.float32), BLOCK_SAMPLES)
    assert all(np.array_equal(*pair) for pair in zip(before, embedding.silence, strict=True))


@pytest.mark.parametrize(
    ("mixed_up", "told"), [("mel_interpreter", "spectrogram"), ("emb_interpreter", "embedding")]
)
def test_a_network_that_is_not_known_is_refused(
    features: oww.OpenWakeWordFeatures, mixed_up: str, told: str
) -> None:
    word = oww.OpenWakeWord.from_builtin(oww.Model.ALEXA)
    networks: dict[str, Any] = {
        "mel_interpreter": features.mel_interpreter,
        "emb_interpreter": features.emb_interpreter,
        mixed_up: word.interpreter,
    }
    with pytest.raises(ValueError, match=f"{told} is not the one that is known here"):
        Embedding(SimpleNamespace(lib=features.lib, **networks))
