"""What the ears think, as JSON lines: for `airos listen`, with a daemon and without one."""

from collections.abc import Callable, Mapping
from typing import Any

from airos_edge.voice import events
from airos_edge.voice.events import Event
from airos_edge.voice.utterance import Judgement

Line = dict[str, Any]


def line_of(event: Event) -> Line | None:
    """`at_ms`, `session`, `event`, and what that event has to say; None for what is not about ears.

    `at_ms` is the place in the sound of the conversation at which it was thought.
    """
    told = TOLD.get(type(event))
    if told is None:
        return None
    name, fields_of = told
    return {
        "at_ms": event.at_ms,
        "session": event.session_id,
        "event": name,
        **fields_of(event),
    }


def lost(count: int) -> Line:
    """What stands where so many events were dropped, since they were not read in time."""
    return {"at_ms": None, "session": "", "event": "lost", "count": count}


def _speech(event: events.SpeechProbable) -> Line:
    return {"probability": round(event.probability, 3), "level_dbfs": round(event.level_dbfs, 1)}


def _wake(event: events.WakeScored) -> Line:
    return {"word": event.word, "score": round(event.score, 3), "threshold": event.threshold}


def _woke(event: events.Woke) -> Line:
    level_dbfs = round(event.loudness_dbfs, 1)
    return {"word": event.word, "score": round(event.score, 3), "level_dbfs": level_dbfs}


def _opened(event: events.SpeechStarted) -> Line:
    return {"by": event.opened_by, "start_ms": event.start_ms}


def _closed(event: events.SpeechStopped) -> Line:
    return {
        "reason": event.reason.value,
        "judgement": _value(event.judgement),
        "speech_end_ms": event.end_ms,
    }


def _partial(event: events.TranscriptChanged) -> Line:
    return {"text": event.text, "judgement": _value(event.judgement)}


def _answered(event: events.ReplyEnded) -> Line:
    outcome = event.outcome
    return {
        "status": outcome.status,
        "text": outcome.text,
        "intent": outcome.intent,
        "slots": dict(outcome.slots),
        "error": outcome.error,
    }


def _value(judgement: Judgement | None) -> str | None:
    return judgement.value if judgement is not None else None


TOLD: Mapping[type[Event], tuple[str, Callable[[Any], Line]]] = {
    events.SpeechProbable: ("speech", _speech),
    events.WakeScored: ("wake", _wake),
    events.Woke: ("woke", _woke),
    events.SpeechStarted: ("opened", _opened),
    events.SpeechConfirmed: ("confirmed", lambda event: {}),
    events.SpeechPaused: ("paused", lambda event: {}),
    events.SpeechResumed: ("resumed", lambda event: {}),
    events.SpeechStopped: ("closed", _closed),
    events.TranscriptChanged: ("partial", _partial),
    events.Transcribed: (
        "final",
        lambda event: {
            "text": event.text,
            "alternatives": list(event.alternatives),
            "sure": event.sure,
            "certainty": event.certainty,
            "language": event.language,
        },
    ),
    events.TranscriptionFailed: ("failed", lambda event: {"error": event.message}),
    events.ReplyEnded: ("answered", _answered),
}
