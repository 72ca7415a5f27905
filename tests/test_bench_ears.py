"""What the benchmark makes of what the ears made of the corpus: verdicts, closings, drafts, the curve."""

from math import isnan

import pytest

from airos_edge.voice import events
from airos_edge.voice.events import Event
from airos_edge.voice.utterance import EndReason, Judgement
from bench.corpus.recipes import Kind, Recipe
from bench.ears import GROUPS, by_condition, commands, curve, figures_of, percent, tables
from bench.heard import (
    ASKED,
    Draft,
    Heard,
    Question,
    Verdict,
    drafts_of,
    outcome,
    questions_of,
    speculation,
    with_refused,
)

ON, OFF = "turn on the desk lamp", "turn off the desk lamp"


def heard(
    *questions: Question, said: str = ON, kind: Kind = "command", condition: str = "quiet"
) -> Heard:
    """Said until 2000 ms."""
    return Heard(Recipe(said, "en-us", kind, condition), 2000, questions)


def question(text: str, certainty: float | None = 0.7, closed_ms: int = 2100) -> Question:
    return Question(closed_ms, text, certainty=certainty)


def refused(text: str, certainty: float = 0.4, closed_ms: int = 2100) -> Question:
    return Question(closed_ms, text, sure=False, certainty=certainty, refused=True)


@pytest.mark.parametrize(
    ("questions", "verdict"),
    [
        ([question(ON)], "right"),
        ([question("switch on the desk lamp")], "right"),
        ([question(OFF)], "wrong"),
        ([question("never mind")], "wrong"),
        ([question(ON), question(OFF)], "wrong"),
        ([question(""), question(ON)], "right"),
        ([question("")], "nothing"),
        ([question("what a beautiful day")], "nothing"),
        ([refused(ON)], "nothing"),
        ([refused(OFF), question(ON)], "right"),
        ([question(ON, certainty=None)], "right"),
        ([Question(2100, ON, alternatives=(OFF,))], "asked back"),
        ([Question(2100, ON, alternatives=("switch on the desk lamp",))], "right"),
        ([Question(2100, ON, sure=False)], "right"),
        ([Question(2100, "turn off all the lights", sure=False)], "asked back"),
        ([], "nothing"),
    ],
)
def test_a_command_is_judged_by_what_would_be_done_and_said(
    questions: list[Question], verdict: Verdict
) -> None:
    assert heard(*questions).verdict() == verdict


def test_whatever_comes_of_talk_is_wrong() -> None:
    said = "turn on the toaster"
    assert heard(question(ON), said=said, kind="near").verdict() == "wrong"
    assert heard(question(ON), said=ON, kind="talk").verdict() == "wrong"
    assert heard(question(said), said=said, kind="near").verdict() == "nothing"


def test_what_never_mind_comes_to_is_not_nothing() -> None:
    assert outcome("never mind") is not None
    assert outcome("never mind") not in (outcome(ON), ASKED)
    assert outcome("what a beautiful day") is None


def test_a_closing_is_counted_of_a_command_in_one_piece() -> None:
    assert heard(question(ON)).closing_ms == 100
    assert heard(question(ON, closed_ms=1900), question("")).closing_ms is None
    assert heard(question(ON, closed_ms=1900)).is_cut_off
    assert heard().closing_ms is None


def partial(text: str, at_ms: int, judgement: Judgement = Judgement.COMPLETE) -> Event:
    return events.TranscriptChanged(item_id="a", text=text, judgement=judgement, at_ms=at_ms)


def test_a_draft_is_begun_at_complete_words_and_dropped_when_they_change() -> None:
    partials = [
        partial("turn on the", 800, Judgement.PREFIX),
        partial(ON, 1000),
        partial(ON, 1100),
        partial(OFF, 1200),
        partial("turn off", 1300, Judgement.PREFIX),
        partial(OFF, 1400),
    ]
    assert drafts_of(partials) == (
        Draft(ON, 1000, stands=False),
        Draft(OFF, 1200, stands=False),
        Draft(OFF, 1400, stands=True),
    )
    assert drafts_of(partials[:1]) == ()


def closed(item_id: str, at_ms: int, text: str, is_confirmed: bool = True) -> list[Event]:
    confirmed: list[Event] = [events.SpeechConfirmed(item_id=item_id)] if is_confirmed else []
    stopped = events.SpeechStopped(
        item_id=item_id,
        opened_by="speech",
        reason=EndReason.SILENCE,
        end_ms=at_ms,
        judgement=None,
        at_ms=at_ms,
    )
    return [*confirmed, stopped, events.Transcribed(item_id=item_id, text=text, audio_ms=500)]


def test_questions_are_those_that_were_heard_out_and_are_no_cough() -> None:
    happened = [
        *closed("cough", 500, "", is_confirmed=False),
        partial(ON, 1900),
        *closed("a", 2100, ON),
        *closed("short", 3000, "stop", is_confirmed=False),
        *closed("b", 4000, ""),
    ]
    assert questions_of(happened) == [
        Question(2100, ON, drafts=(Draft(ON, 1900, stands=True),)),
        Question(3000, "stop"),
        Question(4000, ""),
    ]


def test_a_recogniser_that_failed_is_not_counted_as_one_that_heard_nothing() -> None:
    with pytest.raises(RuntimeError, match="no decoder"):
        questions_of([events.TranscriptionFailed(item_id="a", message="no decoder")])


def test_what_was_refused_is_known_from_ears_that_refuse_nothing() -> None:
    unsure = question("", certainty=0.4, closed_ms=2100)
    kept = [question(ON, closed_ms=500), question("", certainty=None, closed_ms=1000)]
    credulous = [question(OFF, closed_ms=500), question(ON, closed_ms=1000), question(ON, 0.4)]
    assert with_refused([*kept, unsure], credulous) == [*kept, refused(ON)]
    assert with_refused([unsure], []) == [unsure]


def test_the_curve_shows_what_each_threshold_would_let_through() -> None:
    recordings = [
        heard(question(ON, certainty=0.85)),
        heard(refused(OFF, certainty=0.25)),
        heard(refused(ON, certainty=0.15), said="lovely weather", kind="talk"),
        heard(question(ON, certainty=0.85), said="turn on the", kind="broken"),
    ]
    rows = {row[0].partition(" ")[0]: row[1:] for row in curve(recordings)}
    assert rows["default"] == ("50.0", "0.0", "50.0", "0.0", "0.0", "100.0")
    assert rows["0.1"] == ("50.0", "50.0", "0.0", "0.0", "100.0", "100.0")
    assert rows["0.2"] == ("50.0", "50.0", "0.0", "0.0", "0.0", "100.0")
    assert rows["0.9"] == ("0.0", "0.0", "100.0", "0.0", "0.0", "0.0")


def test_the_noises_of_a_level_are_summed_up() -> None:
    recordings = [
        heard(question(ON), condition="white 20"),
        heard(question(""), condition="hum 20"),
        heard(question(OFF), condition="hum 10"),
    ]
    rows = {row[0]: row[1:] for row in by_condition(recordings)}
    assert rows["all at 20 dB"] == ("2", "50.0", "0.0", "50.0", "0.0")
    assert rows["all at 10 dB"] == ("1", "0.0", "100.0", "0.0", "0.0")
    assert rows["all"][0] == "3"
    assert isnan(percent(commands(recordings, ["quiet"]), "right"))


def test_speculation_counts_drafts_and_what_became_of_them() -> None:
    early, late = Draft(ON, 1900, stands=True), Draft(ON, 2050, stands=True)
    other = Draft(OFF, 1500, stands=False)
    made = speculation(
        [
            heard(Question(2100, ON, drafts=(other, early))),
            heard(Question(2100, ON, drafts=(late,))),
            heard(Question(2100, ON, certainty=0.4, refused=True, drafts=(early,))),
            heard(Question(2100, ON, alternatives=(OFF,), drafts=(early,))),
            heard(Question(2100, ON)),
        ]
    )
    assert (made.commands, made.before_end, made.before_closing) == (5, 3, 4)
    assert (made.drafts, made.adopted, made.wrong) == (5, 2, 2)
    assert made.ahead_ms == [200, 50]


def test_of_held_out_voices_it_is_not_told_what_went_wrong() -> None:
    open_group, held_out = GROUPS
    recordings = [heard(question(OFF))]
    by_name = {figure.name: figure for figure in figures_of(open_group, recordings)}
    wrong = by_name["espeak-ng: wrong actions, of 1"]
    assert (wrong.values, wrong.verdict) == ([100], "NOT reached")
    assert wrong.wrong == [f"{ON!r} (quiet) was heard as {OFF!r}"]
    counted = figures_of(held_out, recordings)
    assert [figure.values for figure in counted if "wrong actions" in figure.name] == [[100]]
    assert not any(figure.wrong for figure in counted)


def test_figures_and_tables_are_made_of_an_empty_run() -> None:
    assert all(figure.verdict != "reached" for figure in figures_of(GROUPS[0], []))
    assert "nan" in tables([])
