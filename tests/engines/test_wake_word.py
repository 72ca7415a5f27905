"""A recogniser of any words writes the wake word too."""

import pytest

from airos_edge.engines.wake_word import without


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
