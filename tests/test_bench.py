"""The pure parts of the benchmark: statistics, its tables, where speech begins and ends, who was cut off."""

import json
from math import isnan

import numpy as np
import pytest

from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.utterance import Judgement
from bench.corpus.recipes import Played, Recipe
from bench.ending import Ending, Round, cut_offs, placed, waited
from bench.figures import Figure, markdown, p95, table
from bench.speech import FRAME_SAMPLES, RATE_HZ, Question, edges, frames


def test_p95_is_a_value_that_was_measured() -> None:
    assert p95([*range(1, 101)]) == 95
    assert p95([*range(1, 21)]) == 19
    assert p95([3.0, 9.0, 1.0]) == 9.0
    assert isnan(p95([]))


def test_a_figure_is_judged_by_its_median() -> None:
    assert Figure("answer", "ms", [1, 2, 99], target=2).verdict == "reached"
    assert Figure("answer", "ms", [1, 3, 99], target=2).verdict == "NOT reached"
    assert Figure("answer", "ms", [1, 3, 99]).verdict == ""


def test_without_a_right_turn_a_target_is_not_reached() -> None:
    figure = Figure("answer", "ms", [], [100], "the hold", target=250, wrong=["heard nothing"])
    assert figure.verdict == "NOT reached"
    assert json.loads(json.dumps(figure.as_json()))["verdict"] == "NOT reached"


def test_a_figure_is_compared_with_the_floor_of_its_own_run() -> None:
    figure = Figure("answer", "ms", [10, 30, 20], floor=[5, 5, 4])
    assert figure.ratio == 4
    assert figure.above == 15
    assert Figure("answer", "ms", [10]).ratio is None
    assert Figure("false wakes", "per hour", [1], floor=[0]).ratio is None


def test_the_table_shows_what_went_wrong() -> None:
    shown = table([Figure("answer", "ms", [123.4], target=100, wrong=["'on' was heard as 'off'"])])
    assert "answer [ms]" in shown
    assert "NOT reached" in shown
    assert "wrong: answer: 'on' was heard as 'off'" in shown


def test_speech_lasts_from_the_first_to_the_last_sample_within_40_db_of_its_peak() -> None:
    samples = np.zeros(1000)
    samples[100], samples[150], samples[300], samples[400] = 99, 101, -10000, -99
    assert edges(samples) == (150, 300)


def test_a_question_is_played_with_noise_before_and_after_it() -> None:
    played = Question("on", "On", np.full(RATE_HZ // 10, 10000.0)).played(20, after_ms=80)
    assert len(played) == RATE_HZ // 5
    assert edges(played, below_peak_db=20) == (480, 480 + RATE_HZ // 10 - 1)
    assert played[:480].any()


@pytest.mark.parametrize(("samples", "sent"), [(FRAME_SAMPLES * 3, 3), (FRAME_SAMPLES * 3 - 1, 2)])
def test_whole_frames_are_sent(samples: int, sent: int) -> None:
    assert len(list(frames(np.zeros(samples, "<i2")))) == sent


def listened(pause_after: int, closed_ms: int) -> Round:
    """To "turn on the lights in the kitchen", said from 500 to 2000 ms with a pause."""
    recipe = Recipe("turn on the lights in the kitchen", "en-us", pause_after=pause_after)
    played = Played(AudioChunk(b""), 500, 2000, 1000, 1500)
    return Round(recipe, played, [Ending(200, 1990, closed_ms, Judgement.COMPLETE, "turn")])


def test_whoever_is_closed_before_their_last_sound_was_cut_off() -> None:
    rounds = [listened(2, 1200), listened(2, 2100), listened(4, 1400), listened(4, 2100)]
    unfinished, could_end = cut_offs([*rounds, listened(4, 2100), listened(4, 2100)])
    assert (unfinished.values, unfinished.verdict) == ([50], "NOT reached")
    assert could_end.values == [25]
    assert len(could_end.wrong) == 1


def test_a_wait_is_from_the_last_sound_of_what_was_not_cut_off() -> None:
    waits = waited("", [listened(2, 2110), listened(2, 1200)], Judgement.COMPLETE)
    assert (waits.values, len(waits.wrong)) == ([110], 1)
    late, misplaced, start = placed("quiet", [listened(2, 2110)])
    assert (late.values, misplaced.values, start.values) == ([-10], [10], [0])


def test_a_markdown_table_can_be_read_as_it_stands() -> None:
    assert markdown([("", "right"), ("quiet", "97.5")]).splitlines() == [
        "|       | right |",
        "| ----- | ----: |",
        "| quiet |  97.5 |",
    ]
