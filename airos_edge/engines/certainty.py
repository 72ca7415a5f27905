"""How certain it is that words were said, from how well and how evenly they fit what was heard."""

import math
from collections.abc import Sequence

from airos_edge.engines.sphinx import Segment

WEIGHTS = {
    # Fitted on the corpus's tuning split by `python -m bench.certainty`, which says how.
    "bias": 2.725,
    "fit": 0.904,
    "worst_fit": 0.185,
    "last_fit": 0.169,
    "pace": 2.303,
}


def certainty(segments: Sequence[Segment]) -> float:
    """0 to 1: the probability that these words were said and meant, among what the weights were
    fitted on (commands, and as much talk)."""
    found = evidence(segments)
    if found is None:
        return 0.0
    total = WEIGHTS["bias"] + sum(WEIGHTS[name] * value for name, value in found.items())
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def evidence(segments: Sequence[Segment]) -> dict[str, float] | None:
    """What the certainty is made of; None where there are no words, or other speech beside them.

    A fit is of a thousandth of a frame's score: of all words, of the worst, of the last (where a
    command that one is not sure of is mostly wrong). `pace` is the logarithm of frames per letter.
    """
    words = [part for part in segments if part.is_word]
    if not words or any(part.is_other_speech for part in segments):
        return None
    frames = sum(word.frames for word in words)
    fits = [1000 * word.score / word.frames for word in words]
    return {
        "fit": 1000 * sum(word.score for word in words) / frames,
        "worst_fit": min(fits),
        "last_fit": fits[-1],
        "pace": math.log(frames / sum(len(word.word) for word in words)),
    }
