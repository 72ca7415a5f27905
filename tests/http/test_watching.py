"""What the ears think, as JSON."""

import json
from typing import Any

import pytest

from airos_edge.http.watching import TOLD, line_of
from airos_edge.voice import events
from airos_edge.voice.events import Event, Outcome
from airos_edge.voice.ports import Prompt
from airos_edge.voice.utterance import EndReason, Judgement

OUTCOME = Outcome("completed", text="Done", intent="HassTurnOn", slots={"name": "light"})
OF = {"session_id": "sess_1", "at_ms": 1500}
IN = {**OF, "item_id": "item_1"}
THOUGHTS: list[tuple[Event, dict[str, Any]]] = [
    (
        events.SpeechProbable(probability=0.12345, level_dbfs=-20.06, **OF),
        {"event": "speech", "probability": 0.123, "level_dbfs": -20.1},
    ),
    (
        events.WakeScored(word="alexa", score=0.12345, threshold=0.5, **OF),
        {"event": "wake", "word": "alexa", "score": 0.123, "threshold": 0.5},
    ),
    (
        events.Woke(word="alexa", score=0.91234, loudness_dbfs=-20.06, **OF),
        {"event": "woke", "word": "alexa", "score": 0.912, "level_dbfs": -20.1},
    ),
    (
        events.SpeechStarted(opened_by="speech", start_ms=1200, **IN),
        {"event": "opened", "by": "speech", "start_ms": 1200},
    ),
    (events.SpeechConfirmed(**IN), {"event": "confirmed"}),
    (events.SpeechPaused(**IN), {"event": "paused"}),
    (events.SpeechResumed(**IN), {"event": "resumed"}),
    (
        events.SpeechStopped(
            opened_by="speech",
            reason=EndReason.SILENCE,
            end_ms=1400,
            judgement=Judgement.COMPLETE,
            **IN,
        ),
        {"event": "closed", "reason": "silence", "judgement": "complete", "speech_end_ms": 1400},
    ),
    (
        events.TranscriptChanged(text="turn", judgement=None, **IN),
        {"event": "partial", "text": "turn", "judgement": None},
    ),
    (
        events.Transcribed(text="turn it on", audio_ms=900, certainty=0.9, language="de", **IN),
        {
            "event": "final",
            "text": "turn it on",
            "alternatives": [],
            "sure": True,
            "certainty": 0.9,
            "language": "de",
        },
    ),
    (events.TranscriptionFailed(message="broke", **IN), {"event": "failed", "error": "broke"}),
    (
        events.ReplyEnded(
            reply_id="resp_1", prompt=Prompt(), outcome=OUTCOME, apart=False, metadata=None, **OF
        ),
        {
            "event": "answered",
            "status": "completed",
            "text": "Done",
            "intent": "HassTurnOn",
            "slots": {"name": "light"},
            "error": None,
        },
    ),
]


@pytest.mark.parametrize(("event", "line"), THOUGHTS, ids=[line["event"] for _, line in THOUGHTS])
def test_a_thought_is_a_line_with_its_place_in_the_conversation(
    event: Event, line: dict[str, Any]
) -> None:
    told = line_of(event)
    assert told == {"at_ms": 1500, "session": "sess_1", **line}
    assert json.loads(json.dumps(told)) == told


def test_every_kind_is_tried_here() -> None:
    assert {type(event) for event, _ in THOUGHTS} == set(TOLD)


def test_what_is_not_about_ears_is_no_line() -> None:
    assert line_of(events.Announced(text="dinner")) is None
