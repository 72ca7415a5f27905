"""What the ears think, as it is shown: narrow, in order, and with the reason of each decision."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from airos_edge.cli.thoughts import HEADING, Thoughts

OF = {"at_ms": 1500, "session": "sess_1"}


def shown(lines: Iterable[Mapping[str, Any]], encoding: str | None = "utf-8") -> list[str]:
    thoughts = Thoughts(encoding)
    texts = [text for line in lines for text in thoughts.of(line)]
    return [*texts, *thoughts.rest()]


def frames(*probabilities: float, level_dbfs: float = -20.0) -> list[dict[str, Any]]:
    return [
        {"event": "speech", "at_ms": 32 * n, "probability": p, "level_dbfs": level_dbfs}
        for n, p in enumerate(probabilities, 1)
    ]


def test_a_thought_stands_behind_the_frames_before_it() -> None:
    opened = {**OF, "event": "opened", "by": "speech", "start_ms": 1200}
    lines = shown([*frames(0.3, 0.6, 1.0), opened, {**OF, "event": "confirmed"}])
    assert lines == [
        "   1.50  ▃▅█                -20  opened by speech, from 1.20 s on",
        "   1.50                          confirmed: this is no cough",
    ]
    assert HEADING.index("like speech") == lines[0].index("▃")
    assert HEADING.index("dBFS") == lines[0].index("-20") - 1


def test_half_a_second_of_speech_is_a_line() -> None:
    lines = shown(frames(*[0.9] * 40))
    assert [line.split() for line in lines] == [
        ["0.51", "█" * 16, "-20"],
        ["1.02", "█" * 16, "-20"],
        ["1.28", "█" * 8, "-20"],
    ]


def test_a_long_quiet_is_one_line_and_speech_begins_the_next() -> None:
    lines = shown(frames(*[0.01] * 100, 0.9, level_dbfs=-60.0))
    assert [line.split() for line in lines] == [
        ["3.20", "▁" * 16, "-60", "quiet"],
        ["3.23", "█", "-60"],
    ]


def test_who_waits_sees_every_few_seconds_that_it_goes_on() -> None:
    assert len(shown(frames(*[0.01] * 400))) == 3


def test_a_terminal_without_blocks_gets_other_signs() -> None:
    lines = shown(frames(0.0, 0.5, 1.0), encoding="ascii")
    assert lines == ["   0.10  _=#                -20"]
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize(
    ("reason", "judgement", "text"),
    [
        ("silence", "complete", "100 ms of silence after words that are complete"),
        ("silence", "open", "100 ms of silence after words that may go on"),
        ("silence", "prefix", "100 ms of silence after words that cannot end here"),
        ("silence", "reject", "100 ms of silence after words that are not meant for the box"),
        ("silence", None, "100 ms of silence"),
        ("commit", None, "its client said so"),
        ("enough", None, "the recogniser had heard enough"),
        ("too_long", None, "no question is longer"),
        ("discarded", None, "thrown away by its client"),
    ],
)
def test_a_closing_says_why(reason: str, judgement: str | None, text: str) -> None:
    closed = {**OF, "event": "closed", "reason": reason, "judgement": judgement}
    assert shown([{**closed, "speech_end_ms": 1400}])[0].endswith(f"  closed: {text}")


def test_who_did_not_speak_is_told_how_long_was_waited() -> None:
    closed = {"at_ms": 6510, "event": "closed", "reason": "no_speech", "judgement": None}
    assert shown([{**closed, "speech_end_ms": 1500}])[0].endswith("closed: no speech within 5 s")


HEARD = {"event": "final", "text": "turn it on", "intent": "HassTurnOn", "slots": {"name": "lamp"}}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            {"event": "opened", "by": "wake", "start_ms": 0},
            "opened by the wake word, from 0.00 s on",
        ),
        ({"event": "paused"}, "paused"),
        ({"event": "resumed"}, "resumed"),
        ({"event": "partial", "text": "turn", "judgement": "prefix"}, '"turn" ...'),
        ({"event": "partial", "text": "stop", "judgement": "complete"}, '"stop" (complete)'),
        ({"event": "partial", "text": "turn a", "judgement": None}, '"turn a" (no command)'),
        ({"event": "final", "text": "turn it on"}, 'heard "turn it on"'),
        ({"event": "final", "text": "an", "language": "de"}, 'heard "an", in de'),
        (
            {"event": "final", "text": "", "intent": None, "slots": {}},
            "heard nothing meant for the box",
        ),
        ({"event": "failed", "error": "asr: broke"}, "not recognised: asr: broke"),
        (
            {"event": "wake", "word": "alexa", "score": 0.31, "threshold": 0.5},
            "alexa 0.31 of 0.5",
        ),
        (
            {"event": "woke", "word": "alexa", "score": 0.91, "level_dbfs": -23.5},
            "woke: alexa 0.91, at -24 dBFS",
        ),
        ({"event": "recording_ended"}, "here the recording ends; silence follows"),
        ({"event": "lost", "count": 3}, "(3 were lost: they came faster than they were read)"),
    ],
)
def test_what_is_thought_is_said(line: dict[str, Any], text: str) -> None:
    (shown_line,) = shown([{**OF, **line}])
    assert shown_line == f"{'1.50':>7}{'':26}{text}"


def test_what_the_house_would_do_stands_under_the_words() -> None:
    (both,) = shown([{**OF, **HEARD}])
    assert both.splitlines()[1].strip() == "which would be HassTurnOn (name lamp)"
    (unknown,) = shown([{**OF, **HEARD, "intent": None, "slots": {}}])
    assert unknown.splitlines()[1].strip() == "which is no command of this house"


@pytest.mark.parametrize(
    "line",
    [
        {"event": "wake", "word": "alexa", "score": 0.04, "threshold": 0.5},
        {"event": "partial", "text": "", "judgement": "prefix"},
        {"event": "of a newer daemon"},
    ],
)
def test_what_says_nothing_is_not_shown(line: dict[str, Any]) -> None:
    assert shown([{**OF, **line}]) == []


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            {"status": "completed", "text": "It is on"},
            'answered HassTurnOn (name lamp): "It is on"',
        ),
        ({"status": "failed", "error": "tts: broke"}, "the answer failed: tts: broke"),
        ({"status": "cancelled"}, "the answer cancelled: nothing was said"),
    ],
)
def test_an_answer_is_shown_with_what_it_did(outcome: dict[str, Any], text: str) -> None:
    usual = {"event": "answered", "text": "", "error": None}
    acted = {"intent": "HassTurnOn", "slots": {"name": "lamp"}}
    assert shown([{**OF, **usual, **acted, **outcome}])[0].endswith(f"  {text}")
