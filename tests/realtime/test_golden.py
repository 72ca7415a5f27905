"""Recorded conversations are answered as they were: in OpenAI's words of today, in those of the beta, and
as OpenAI's own server answered the same client."""

from pathlib import Path

import pytest

from tests.realtime.client import Json
from tests.realtime.golden import ASIDE, FOLDER, OURS, lines_of, outline, outlines, recorded

OF_NEWER_MODELS = {"parallel_tool_calls", "reasoning"}
"""In OpenAI's types of a session, and not in those that were recorded."""


def named(folder: str) -> list[Path]:
    return sorted((FOLDER / folder).glob("*.jsonl"))


def received(file: Path) -> list[Json]:
    return [line["receives"] for line in lines_of(file) if "receives" in line]


def beside(events: list[Json], aside: bool) -> list[Json]:
    return outlines([event for event in events if event["type"].startswith(ASIDE) is aside])


def differences(ours: list[Json], recorded: list[Json]) -> list[str]:
    """To be read where they are not equal."""
    types = [[event["type"] for event in events] for events in (ours, recorded)]
    assert types[0] == types[1]
    return [
        f"{wanted['type']}: {given} for {wanted}"
        for given, wanted in zip(ours, recorded, strict=True)
        if given != wanted
    ]


@pytest.mark.parametrize(
    "file",
    [file for dialect in OURS for file in named(dialect)],
    ids=lambda f: f"{f.parent.name}-{f.stem}",
)
async def test_a_client_of_either_dialect_is_answered_as_ever(file: Path) -> None:
    """Where a change is meant, `python -m tests.realtime.golden` records them anew: see what it changed."""
    assert not differences(await recorded(file), received(file))


@pytest.mark.parametrize("file", named("openai"), ids=lambda file: file.stem)
async def test_a_client_of_openais_server_is_answered_as_there(file: Path) -> None:
    ours = await recorded(file)
    for event in ours:
        for key in OF_NEWER_MODELS & event.get("session", {}).keys():
            del event["session"][key]
    theirs = received(file)
    assert not differences(beside(ours, False), beside(theirs, False))
    transcribed = [event for event in beside(ours, True) if "transcription" in event["type"]]
    assert not differences(transcribed, beside(theirs, True))


def test_both_dialects_are_held_to_the_same_conversations() -> None:
    assert [[file.stem for file in named(dialect)] for dialect in OURS] == [
        ["barge_in", "cancel", "spoken", "tool", "typed"]
    ] * 2
    assert [file.stem for file in named("openai")] == ["seeded", "spoken", "tool", "typed"]


def test_an_outline_tells_a_missing_key_and_another_kind() -> None:
    whole = {"type": "message", "id": "x", "content": [{"type": "text", "text": "a"}]}
    assert outline(whole) == {
        "type": "message",
        "id": None,
        "content": [{"type": "text", "text": None}],
    }
    assert outline(whole) != outline({**whole, "content": []}) != outline({"type": "message"})
