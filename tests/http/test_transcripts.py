"""What was heard, in each form."""

import json

import pytest

from airos_edge.http.hearing import Segment
from airos_edge.http.transcripts import FORMS, Recording, response

RECORDING = Recording(
    3725.5, "en", [Segment(80, 1500, "turn it on", 0.5), Segment(3_723_004, 3_725_000, "thanks")]
)


def text_of(form: str, recording: Recording = RECORDING) -> str:
    return str(response(form, recording).text)


def test_json_is_the_words() -> None:
    usage = {"type": "duration", "seconds": 3725.5}
    assert json.loads(text_of("json")) == {"text": "turn it on thanks", "usage": usage}


def test_text_is_a_line() -> None:
    assert text_of("text") == "turn it on thanks\n"


def test_the_long_json_has_each_segment_with_how_likely_it_is() -> None:
    long = json.loads(text_of("verbose_json"))
    assert (long["task"], long["language"], long["duration"]) == ("transcribe", "en", 3725.5)
    first, second = long["segments"]
    assert (first["id"], first["start"], first["end"]) == (0, 0.08, 1.5)
    assert first["avg_logprob"] == pytest.approx(-0.6931)
    assert second["avg_logprob"] == 0


def test_subtitles_for_players() -> None:
    assert text_of("srt") == (
        "1\n00:00:00,080 --> 00:00:01,500\nturn it on\n\n"
        "2\n01:02:03,004 --> 01:02:05,000\nthanks\n\n"
    )


def test_subtitles_for_browsers() -> None:
    assert text_of("vtt") == (
        "WEBVTT\n\n00:00:00.080 --> 00:00:01.500\nturn it on\n\n"
        "01:02:03.004 --> 01:02:05.000\nthanks\n\n"
    )


@pytest.mark.parametrize("form", FORMS)
def test_of_silence_there_is_a_form_too(form: str) -> None:
    assert response(form, Recording(1.0, "en", [])).status == 200
