"""`python -m bench.certainty`: fits the weights of airos_edge/engines/certainty.py, and prints them
with what thresholds would keep.

Logistic regression on the tuning split: was what the recogniser took for a sentence said, and meant?
What is no command counts double, as there is less of it than people say all day. Takes some minutes.
"""

import asyncio
import sys
from collections.abc import Iterator
from functools import cache

import numpy as np

from airos_edge.engines.asr_pocketsphinx import Recording
from airos_edge.engines.certainty import evidence
from airos_edge.engines.sphinx import HOUSE, Segment, Sphinx, open_sphinx
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, samples_of
from airos_edge.voice.utterance import Ended, EndReason, Utterance
from bench.corpus import recipes, voices
from bench.corpus.draw import house_commands, house_sentences

PER_CONDITION = 30
NO_COMMAND_WEIGHT = 2.0
RIDGE = 1.0
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8)
STEPS = 60
PADDING_MS, AFTER_MS = 300, 200
"""What the ear gives to the recogniser from before and after the speech."""
CHUNK_MS = 20


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PER_CONDITION
    examples = list(heard(count))
    names = list(examples[0][0])
    values = np.array([[found[name] for name in names] for found, _, _ in examples])
    right = np.array([was_said for _, was_said, _ in examples], float)
    weights = np.array([weight for _, _, weight in examples])
    fitted = fit(names, values, right, weights)
    for name, weight in fitted.items():
        print(f'    "{name}": {weight:.3f},')
    total = fitted["bias"] + values @ np.array([fitted[name] for name in names])
    for threshold in THRESHOLDS:
        kept = 1 / (1 + np.exp(-total)) >= threshold
        print(
            f"{threshold}: of what was said and meant {kept[right == 1].mean():.1%} is kept, of wrong"
            f" commands {kept[(right == 0) & (weights == 1)].mean():.1%}, of the rest"
            f" {kept[weights == NO_COMMAND_WEIGHT].sum()} of {(weights == NO_COMMAND_WEIGHT).sum()}"
        )


def heard(count: int) -> Iterator[tuple[dict[str, float], bool, float]]:
    """Of each sentence that was heard: its evidence, whether it was said, and its weight."""
    grammar = house_sentences().grammar
    decoder = open_sphinx(grammar)
    for recipe in _recipes(count):
        words, segments = asyncio.run(_decode(decoder, recipe))
        found = evidence(segments)
        if found is None or not grammar.accepts(words):
            continue
        is_command = recipe.kind == "command"
        was_said = is_command and _meaning(" ".join(words)) == _meaning(recipe.text)
        yield found, was_said, 1.0 if is_command else NO_COMMAND_WEIGHT


def fit(
    names: list[str], values: np.ndarray, right: np.ndarray, weights: np.ndarray
) -> dict[str, float]:
    """Newton's method on the standardised values; the weights are those of the values as they are."""
    middle, spread = values.mean(0), values.std(0) + 1e-9
    scaled = np.c_[(values - middle) / spread, np.ones(len(values))]
    found = np.zeros(scaled.shape[1])
    ridge = RIDGE * np.diag([1.0] * len(names) + [0.0])
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-scaled @ found))
        slope = scaled.T @ (weights * (right - expected)) - ridge @ found
        curvature = scaled.T @ (scaled * (weights * expected * (1 - expected))[:, None]) + ridge
        found = found + np.linalg.solve(curvature, slope)
    plain = found[:-1] / spread
    bias = found[-1] - float(plain @ middle)
    return {"bias": float(bias), **dict(zip(names, map(float, plain), strict=True))}


@cache
def _meaning(text: str) -> object:
    commands = house_commands()
    understood = commands.understand(text, None)
    return understood and commands.meaning(understood)


def _recipes(count: int) -> Iterator[recipes.Recipe]:
    for condition in recipes.CONDITIONS:
        yield from recipes.commands("tune", voices.TUNE, condition, count)
    for kind in ("talk", "near", "broken"):
        yield from recipes.others("tune", voices.TUNE, kind)


async def _decode(decoder: Sphinx, recipe: recipes.Recipe) -> tuple[list[str], list[Segment]]:
    played = recipes.play(recipe)
    heard = Utterance("item", "speech", 0)
    start, end = played.start_ms - PADDING_MS, played.end_ms + AFTER_MS
    pcm = played.sound.pcm[: samples_of(end) * BYTES_PER_SAMPLE]
    sound = AudioChunk(pcm[samples_of(start) * BYTES_PER_SAMPLE :])
    for chunk in sound.pieces(samples_of(CHUNK_MS)):
        heard.write(chunk)
    heard.end(Ended(EndReason.SILENCE, heard.ms))
    async for _ in Recording().heard_by(decoder, HOUSE, heard):
        pass
    return decoder.words(), decoder.segments()


if __name__ == "__main__":
    main()
