"""Which scores are wake words."""

from collections.abc import Sequence

import pytest

from airos_edge.voice.audio import AudioChunk, samples_of
from airos_edge.voice.ports import WakeScore
from airos_edge.voice.waking import Waking, WordSettings, without

CHUNK = AudioChunk(bytes(640))


class Scores:
    """Gives one list for each chunk."""

    def __init__(self, *lists: Sequence[tuple[str, int, float]]) -> None:
        self._lists = iter(lists)

    def feed(self, chunk: AudioChunk) -> list[WakeScore]:
        return [WakeScore(word, samples_of(ms), score) for word, ms, score in next(self._lists)]


def words(waking: Waking, chunks: int = 1) -> list[tuple[str, int]]:
    return [(one.word, one.sample // 16) for _ in range(chunks) for one in waking.feed(CHUNK)]


def test_the_first_score_that_reaches_the_threshold_is_the_word() -> None:
    scores = Scores([("a", 10, 0.4), ("a", 20, 0.5), ("a", 30, 0.9)])
    assert words(Waking(scores, {"a": WordSettings(threshold=0.5)})) == [("a", 20)]


def test_each_word_has_its_own_threshold() -> None:
    scores = Scores([("a", 10, 0.6), ("b", 10, 0.6)])
    settings = {"a": WordSettings(threshold=0.7), "b": WordSettings(threshold=0.2)}
    assert words(Waking(scores, settings)) == [("b", 10)]


def test_where_the_owner_sets_none_the_threshold_is_that_of_the_model() -> None:
    class Models:
        def feed(self, chunk: AudioChunk) -> list[WakeScore]:
            return [
                WakeScore("a", 0, 0.9, enough=0.97),
                WakeScore("b", 0, 0.6, enough=0.5),
                WakeScore("c", 0, 0.9, enough=0.97),
            ]

    settings = {"a": WordSettings(), "b": WordSettings(), "c": WordSettings(threshold=0.8)}
    assert words(Waking(Models(), settings)) == [("b", 0), ("c", 0)]


def test_a_word_that_was_heard_is_not_heard_again_for_a_while() -> None:
    scores = Scores([("a", 100, 0.9)], [("a", 599, 0.9)], [("a", 600, 0.9)])
    assert words(Waking(scores, {"a": WordSettings(refractory_ms=500)}), 3) == [
        ("a", 100),
        ("a", 600),
    ]


def test_meanwhile_another_word_is_heard() -> None:
    scores = Scores([("a", 100, 0.9)], [("b", 110, 0.9)])
    assert words(Waking(scores, {"a": WordSettings(), "b": WordSettings()}), 2) == [
        ("a", 100),
        ("b", 110),
    ]


async def test_a_stream_that_holds_something_lets_it_go_and_others_have_nothing_to() -> None:
    class Held(Scores):
        is_closed = False

        async def aclose(self) -> None:
            self.is_closed = True

    held = Held()
    await Waking(held, {}).aclose()
    await Waking(Scores(), {}).aclose()
    assert held.is_closed


@pytest.mark.parametrize(
    ("wake_word", "text", "rest"),
    [
        ("hey_jarvis", "Hey Jarvis, turn on the light.", "turn on the light."),
        ("hey_jarvis", "jarvis turn on the light", "turn on the light"),
        ("hey_jarvis", "turn on the light", "turn on the light"),
        ("hey_jarvis", "hey turn on", "hey turn on"),
        ("hey_jarvis", "Hey Jarvis", ""),
        (None, "hey jarvis", "hey jarvis"),
    ],
)
def test_a_wake_word_that_was_heard_too_is_cut_off(
    wake_word: str | None, text: str, rest: str
) -> None:
    assert without(wake_word, text) == rest
