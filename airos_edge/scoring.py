"""How well a box's ears do on a recording whose text is known, or that is not meant for them."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from airos_edge.box import Box
from airos_edge.home.commands import Understood
from airos_edge.listening import of_kind, play
from airos_edge.router.meaning import ASKED, outcome
from airos_edge.voice import events
from airos_edge.voice.audio import BYTES_PER_SAMPLE, AudioChunk, level_dbfs, samples_of
from airos_edge.voice.events import Event
from airos_edge.voice.history import Item
from airos_edge.voice.utterance import Ended

STEP_MS = 10
BELOW_LOUDEST_DB = 40.0
ABOVE_FLOOR_DB = 10.0

Verdict = Literal[
    "right", "wrong command", "asked back", "not understood", "ignored", "acted on talk"
]


@dataclass(frozen=True, slots=True)
class Score:
    """`closing_ms` is from the end of speech to the closing of the question, None if there was none.

    `is_cut_off`: a question was closed while its speaker had more to say.
    """

    wanted: str | None
    """None: it is not meant for the box."""
    verdict: Verdict
    heard: tuple[str, ...]
    understood: tuple[Understood, ...]
    closing_ms: int | None
    is_cut_off: bool


async def score(box: Box, sound: AudioChunk, wanted: str | None) -> Score:
    """Plays it, without a wake word, and compares what would come of it in the house, not the letters.

    `wanted` is a sentence that the house understands, or None for speech that is to be ignored.
    """
    rules = box.rules()
    async with aclosing(play(box, sound, rules)) as told:
        happened = [event async for event in told]
    said = [item_of(event) for event in of_kind(events.Transcribed, happened) if event.text]
    came = [what for item in said if (what := outcome(item, box.commands)) is not None]
    heard = tuple(item.text or "" for item in said)
    understood = tuple(filter(None, (box.commands.understand(text, None) for text in heard)))
    meant = (
        outcome(Item("", role="user", text=wanted), box.commands) if wanted is not None else None
    )
    end_ms = speech_end_ms(sound, happened, rules.threshold)
    closed_ms = [event.at_ms for event in _confirmed(happened)]
    closing_ms = None
    if meant is not None and end_ms is not None:
        closing_ms = next((at_ms - end_ms for at_ms in closed_ms if at_ms >= end_ms), None)
    return Score(
        wanted,
        _verdict(meant, came),
        heard,
        understood,
        closing_ms,
        meant is not None and any(at_ms < (end_ms or 0) for at_ms in closed_ms),
    )


def item_of(final: events.Transcribed) -> Item:
    """As it stands in the history of its conversation."""
    return Item(
        final.item_id,
        role="user",
        text=final.text,
        spoken=True,
        alternatives=final.alternatives,
        sure=final.sure,
    )


def _verdict(meant: Hashable | None, came: Sequence[Hashable]) -> Verdict:
    if any(what not in (meant, ASKED) for what in came):
        return "acted on talk" if meant is None else "wrong command"
    if ASKED in came:
        return "asked back"
    if meant is None:
        return "ignored"
    return "right" if came else "not understood"


def _confirmed(happened: Iterable[Event]) -> list[events.SpeechStopped]:
    """The closings of questions that were no cough."""
    confirmed = {event.item_id for event in of_kind(events.SpeechConfirmed, happened)}
    return [
        closed
        for closed in of_kind(events.SpeechStopped, happened)
        if closed.item_id in confirmed and Ended(closed.reason, closed.end_ms).is_question
    ]


def speech_end_ms(sound: AudioChunk, happened: Iterable[Event], threshold: float) -> int | None:
    """Where the recording's speech ends: its last 10 ms that are loud, within what the VAD takes for speech.

    The VAD alone hangs over by some 90 ms, and loudness alone would take a click for speech. Loud is
    what is at most 40 dB under the loudest and 10 dB over the floor (the quietest tenth). None where
    the VAD hears no speech.
    """
    speech = [
        event.at_ms
        for event in of_kind(events.SpeechProbable, happened)
        if event.probability >= threshold
    ]
    if not speech:
        return None
    step = samples_of(STEP_MS) * BYTES_PER_SAMPLE
    starts = range(0, len(sound.pcm), step)
    levels = np.array([level_dbfs(sound.pcm[start : start + step]) for start in starts])
    loud_dbfs = max(levels.max() - BELOW_LOUDEST_DB, np.percentile(levels, 10) + ABOVE_FLOOR_DB)
    (loud,) = np.nonzero(levels[: speech[-1] // STEP_MS] >= loud_dbfs)
    return int(loud[-1] + 1) * STEP_MS if len(loud) else speech[-1]


def summary(scores: Sequence[Score]) -> Mapping[str, Any]:
    """The counts, and the p50 and p95 of the milliseconds from the end of speech to the closing."""
    commands = [one for one in scores if one.wanted is not None]
    closing_ms = [one.closing_ms for one in commands if one.closing_ms is not None]
    verdicts = [one.verdict for one in scores]
    return {
        "commands": len(commands),
        "right": verdicts.count("right"),
        "wrong_commands": verdicts.count("wrong command"),
        "asked_back": verdicts.count("asked back"),
        "not_understood": verdicts.count("not understood"),
        "cut_off": sum(one.is_cut_off for one in commands),
        "closing_p50_ms": _percentile(closing_ms, 50),
        "closing_p95_ms": _percentile(closing_ms, 95),
        "talk": len(scores) - len(commands),
        "acted_on_talk": verdicts.count("acted on talk"),
    }


def _percentile(values: Sequence[int], percent: float) -> int | None:
    return round(float(np.percentile(values, percent))) if values else None
