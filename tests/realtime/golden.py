"""Recordings of whole conversations, as far as a server can be held to them: types, order and keys.

A line of a recording is an event that the client sent, or the outline of one that it received. Runs of deltas
are one line for each kind. `python -m tests.realtime.golden` records our own anew, from what their first lines
have the client do; those in `openai/` are outlines of traffic with OpenAI's own server, and stay as they are.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airos_edge.virtual_time import VirtualTimeLoop
from airos_edge.voice.ports import Call, Done, Prompt, Text
from tests.fakes import FakeAsr, FakeResponder, Step
from tests.realtime.client import Client, Json

FOLDER = Path(__file__).with_name("golden")
OURS = ("ga", "beta")
KEPT = ("type", "object", "role", "status", "reason", "code")
"""Whose values an outline has; of all others it says only that they are there."""
ASIDE = ("rate_limits.updated", "conversation.item.input_audio_transcription.")
"""What comes when it comes, between all others."""
LONG = "One two three four five six seven eight nine ten."
"""2500 ms of speech."""
LOOK = Call("get_weather", {"city": "London"}, "call_1")


def answer(prompt: Prompt) -> Iterator[Step]:
    """A tool is called where there is one; who is asked by voice has much to say."""
    last = prompt.items[-1]
    if prompt.tools and last.kind != "function_call_output":
        yield LOOK
    else:
        yield Text(LONG)
    yield Done("fake", input_tokens=7, output_tokens=3)


def client(dialect: str) -> Client:
    return Client(
        beta=dialect == "beta", asr=FakeAsr("first", "second"), responder=FakeResponder(answer)
    )


def outline(value: Any) -> Any:
    """Keys, and the values of those that say what it is. Lists hold one of each."""
    if isinstance(value, dict):
        return {
            key: part if key in KEPT and isinstance(part, str) else outline(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        parts: list[Any] = []
        for part in map(outline, value):
            if part not in parts:
                parts.append(part)
        return parts
    return None


def outlines(events: list[Json]) -> list[Json]:
    """Of what was received, in order: a kind of delta again and again, or between others, is there once."""
    shown: list[Json] = []
    deltas: set[str] = set()
    for event in events:
        kind = event["type"]
        if not kind.endswith(".delta") and not kind.startswith(ASIDE):
            deltas.clear()
        elif kind in deltas:
            continue
        else:
            deltas.add(kind)
        shown.append(outline(event))
    return shown


async def play(line: Json, client: Client) -> None:
    """Something that a client does. What no event is: audio, or some milliseconds, by their length."""
    for key, value in line.items():
        match key:
            case "speaks_ms":
                await client.play(value)
            case "is_quiet_ms":
                await client.play(value, 0)
            case "waits_ms":
                await asyncio.sleep(value / 1000)
            case "waits_for":
                await client.until(*value)
            case "sends":
                client.receive(json.dumps(_with_ids(value, client)))


def _with_ids(event: Json, client: Client) -> Json:
    """`item_id: "answer"` is the item of the newest answer."""
    if event.get("item_id") != "answer":
        return event
    added = [e for e in client.events if e["type"] == "response.output_item.added"]
    return {**event, "item_id": added[-1]["item"]["id"]}


def lines_of(file: Path) -> list[Json]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def frames(file: Path) -> list[Json]:
    """What our server answers to what the client of this recording does."""
    async with client(file.parent.name) as player:
        for line in lines_of(file):
            if "receives" not in line:
                await play(line, player)
        await asyncio.sleep(5)
    return player.events


async def recorded(file: Path) -> list[Json]:
    return outlines(await frames(file))


def main() -> None:
    for dialect in OURS:
        for file in sorted((FOLDER / dialect).glob("*.jsonl")):
            does = [line for line in lines_of(file) if "receives" not in line]
            loop = VirtualTimeLoop(3600)
            received = loop.run_until_complete(recorded(file))
            loop.close()
            lines = [*does, *({"receives": line} for line in received)]
            file.write_text("".join(json.dumps(line) + "\n" for line in lines))


if __name__ == "__main__":
    main()
