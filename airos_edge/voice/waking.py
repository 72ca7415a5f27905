"""When a score is a wake word: from a threshold on, and not twice; and the word in a text. The same for every
engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from airos_edge.limits import Range
from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import Wake, WakeScore


@dataclass(frozen=True, slots=True)
class WordSettings:
    """Of one wake word."""

    model: str | None = None
    """Its own model: the path of a file, or the name of a model on this box. None: the model that is called
    as the word, on this box or in an engine's package."""
    threshold: Annotated[float | None, Range(0.05, 1)] = None
    """The score that counts as the word; None: what its model says, or its engine."""
    refractory_ms: Annotated[int, Range(0, 60_000)] = 2000
    """Once heard, it is not heard again for so long: its score stays high for a while."""


class Waking:
    """One stream's scores, of which few are wake words."""

    def __init__(self, wake: Wake, words: Mapping[str, WordSettings]) -> None:
        self._wake = wake
        self._words = words
        self._deaf_until = dict.fromkeys(words, 0)

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        """The scores that are words, each where its word was recognised."""
        return [score for score in self._wake.feed(chunk) if self._is_word(score)]

    def _is_word(self, score: WakeScore) -> bool:
        settings = self._words[score.word]
        if score.score < enough(score, settings) or score.sample < self._deaf_until[score.word]:
            return False
        self._deaf_until[score.word] = score.sample + samples_of(settings.refractory_ms)
        return True

    async def aclose(self) -> None:
        """Of a stream that holds a connection: lets it go. Others have nothing to close."""
        await close_wake(self._wake)


def enough(score: WakeScore, settings: WordSettings) -> float:
    """The score that would count as the word."""
    return score.enough if settings.threshold is None else settings.threshold


def without(wake_word: str | None, text: str) -> str:
    """The text without the wake word, or its last words, that it begins with, as a recogniser of any words
    writes it too: "jarvis, what time is it"."""
    words, said = (wake_word or "").split("_"), text.split()
    for start in range(len(words)):
        first = [word.strip(".,!?").lower() for word in said[: len(words) - start]]
        if first == words[start:]:
            return " ".join(said[len(first) :])
    return text


async def close_wake(wake: Wake) -> None:
    close = getattr(wake, "aclose", None)
    if close is not None:
        await close()
