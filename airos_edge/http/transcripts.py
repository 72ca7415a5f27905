"""What was heard in a recording, as JSON, text or subtitles."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from airos_edge.http.hearing import Segment


@dataclass(frozen=True, slots=True)
class Recording:
    seconds: float
    language: str
    segments: Sequence[Segment]

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)


def response(form: str, recording: Recording) -> web.Response:
    """In one of `FORMS`."""
    made = FORMS[form](recording)
    return web.json_response(made) if isinstance(made, dict) else web.Response(text=made)


def _json(recording: Recording) -> dict[str, Any]:
    usage = {"type": "duration", "seconds": round(recording.seconds, 3)}
    return {"text": recording.text, "usage": usage}


def _verbose(recording: Recording) -> dict[str, Any]:
    return {
        "task": "transcribe",
        "language": recording.language,
        "duration": round(recording.seconds, 3),
        **_json(recording),
        "segments": [_segment(place, one) for place, one in enumerate(recording.segments)],
    }


def _segment(place: int, segment: Segment) -> dict[str, Any]:
    """Whisper's own figures are there, as clients read them; of these only the certainty is known."""
    likely = segment.certainty if segment.certainty is not None else 1.0
    return {
        "id": place,
        "seek": 0,
        "start": segment.start_ms / 1000,
        "end": segment.end_ms / 1000,
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(math.log(max(likely, 1e-6)), 4),
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }


def _text(recording: Recording) -> str:
    return f"{recording.text}\n"


def _srt(recording: Recording) -> str:
    """SubRip: a number, from and to, the text, an empty line."""
    lines = [
        f"{place}\n{_clock(one.start_ms, ',')} --> {_clock(one.end_ms, ',')}\n{one.text}\n\n"
        for place, one in enumerate(recording.segments, 1)
    ]
    return "".join(lines)


def _vtt(recording: Recording) -> str:
    """WebVTT, https://www.w3.org/TR/webvtt1/."""
    cues = [
        f"{_clock(one.start_ms, '.')} --> {_clock(one.end_ms, '.')}\n{one.text}\n\n"
        for one in recording.segments
    ]
    return "".join(["WEBVTT\n\n", *cues])


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"


FORMS: Mapping[str, Callable[[Recording], dict[str, Any] | str]] = {
    "json": _json,
    "text": _text,
    "verbose_json": _verbose,
    "srt": _srt,
    "vtt": _vtt,
}
