"""How certain words are: well-fitting ones more than badly fitting ones, and never beside other speech."""

from airos_edge.engines.certainty import WEIGHTS, certainty, evidence
from airos_edge.engines.sphinx import Segment


def said(*words: str, fit: float = -0.003, frames: int = 25) -> list[Segment]:
    """Words one after the other, each with a score of `fit` for a frame."""
    return [
        Segment(word, place * frames, (place + 1) * frames - 1, fit * frames)
        for place, word in enumerate(words)
    ]


COMMAND = ("turn", "on", "the", "light")


def test_what_fits_well_is_more_certain_than_what_does_not() -> None:
    well, badly = certainty(said(*COMMAND)), certainty(said(*COMMAND, fit=-0.01))
    assert 0 <= badly < 0.1 < 0.65 < well <= 1


def test_one_word_that_does_not_fit_makes_the_others_doubtful() -> None:
    *others, last = said(*COMMAND)
    bad = Segment(last.word, last.start, last.end, -0.02 * last.frames)
    assert certainty([*others, bad]) < certainty([*others, last])


def test_words_spoken_impossibly_fast_are_less_certain() -> None:
    assert certainty(said(*COMMAND, frames=4)) < certainty(said(*COMMAND))


def test_silence_counts_neither_way() -> None:
    silence = Segment("<sil>", 0, 49, -9.0)
    assert certainty([silence, *said(*COMMAND), silence]) == certainty(said(*COMMAND))


def test_other_speech_or_no_word_is_no_command_at_all() -> None:
    assert certainty([]) == 0
    assert certainty([Segment("<sil>", 0, 9, -0.1)]) == 0
    assert certainty([*said("turn", "on"), Segment("++OW++", 50, 60, -0.1)]) == 0


def test_every_evidence_has_its_weight() -> None:
    found = evidence(said(*COMMAND))
    assert found is not None
    assert {"bias", *found} == set(WEIGHTS)
