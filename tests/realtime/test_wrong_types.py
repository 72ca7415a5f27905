"""Every field of every client event, as OpenAI's SDK declares it, with what it must not be; and frames
that are JSON, and no event that anyone would send."""

import asyncio
import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.realtime import RealtimeClientEvent

from tests.realtime.client import Client, Json
from tests.realtime.oracle import types_of

EVENTS = types_of(RealtimeClientEvent)
DEEPEST = 6
WRONG: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 0.5, 10**40, -1e300),
    *("", "x", "root", "null", "\u0000", "😀" * 1000, "item_" + "9" * 100_000),
    *([], [None], [[[]]], {}, {"type": "x"}, {"type": {}}, {"": {"": ""}}),
)


def example(schema: Json, defs: Json, depth: int = 0) -> Any:
    """A value that the schema allows, with every field that it knows."""
    if "$ref" in schema:
        return example(defs[schema["$ref"].rpartition("/")[2]], defs, depth)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            # The last that is not null: what is first is often a plain string.
            members = [one for one in schema[several] if one.get("type") != "null"]
            return example(members[-1], defs, depth)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {}).items() if depth < DEEPEST else ()
            return {name: example(field, defs, depth + 1) for name, field in fields}
        case "array":
            return [example(schema.get("items", {}), defs, depth + 1)]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    return "AAAA"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        yield (*path, key)
        if isinstance(part, dict | list):
            yield from places(part, (*path, key))


def with_value(event: Json, path: tuple[Any, ...], value: Any) -> Json:
    event = copy.deepcopy(event)
    place: Any = event
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return event


def examples(kind: str) -> Iterator[Json]:
    """For each member of a union at the top, one event: all kinds of items, of sessions."""
    schema = EVENTS[kind].model_json_schema()
    defs = schema.get("$defs", {})
    for name, field in schema["properties"].items():
        for member in field.get("anyOf", field.get("oneOf", [])):
            if member.get("type") != "null":
                one = {**schema, "properties": {**schema["properties"], name: member}}
                yield {**example(one, defs), "type": kind}
    yield {**example(schema, defs), "type": kind}


@pytest.mark.parametrize("kind", EVENTS)
async def test_a_field_of_a_wrong_type_is_refused_or_taken_and_the_session_lives(kind: str) -> None:
    tried = 0
    async with Client() as client:
        for event in examples(kind):
            for path in places(event):
                for wrong in WRONG:
                    spoiled = with_value(event, path, wrong)
                    before = len(client.events)
                    client.receive(json.dumps(spoiled))
                    tried += 1
                    for told in client.events[before:]:
                        if told["type"] == "error":
                            about, sent = told["error"]["event_id"], spoiled.get("event_id")
                            assert about == (sent if isinstance(sent, str) else None)
            await asyncio.sleep(0.1)
        assert tried >= 20
        await is_alive(client)


async def is_alive(client: Client) -> None:
    client.add("still there", id="item_last")
    assert client.send("conversation.item.retrieve", item_id="item_last")["item"]["id"]
    if client.conversation.configuration["type"] != "realtime":
        return  # a session may be made one that only transcribes
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    response = {
        "conversation": "none",
        "input": [item],
        "tools": [],
        "tool_choice": "auto",
        "output_modalities": ["text"],
        "metadata": {"is": "alive"},
    }
    client.send("response.create", response=response)
    assert client.events[-1]["type"] == "response.created", client.events[-1]
    done = client.events[-1]
    while done["type"] != "response.done" or done["response"]["metadata"] != {"is": "alive"}:
        done = await client.until("response.done", len(client.of("response.done")) + 1)


FRAMES = {
    "a number of 5000 digits": '{"type": "conversation.item.truncate", "audio_end_ms": %s}'
    % ("9" * 5000),
    "a number that is infinite": '{"type": "session.update", "session": {"audio": '
    '{"input": {"turn_detection": {"threshold": 1e999}}}}}',
    "the same key twice": '{"type": "response.cancel", "type": "response.pause"}',
    "half a surrogate pair in a key": '{"type": "response.cancel", "\\udc00": 1}',
    "half a pair in the type": '{"type": "\\ud83d"}',
    "half a pair in the event's id": '{"type": "response.cancel", "event_id": "\\ud83d"}',
    "a megabyte of id": '{"type": "conversation.item.delete", "item_id": "%s"}' % ("i" * 1_000_000),
    "forty brackets and one": '{"type": "response.create", "response": %s}' % ("[" * 40 + "]" * 40),
    "brackets that are text": '{"type": "response.pause", "text": "%s"}' % ("[{" * 1000),
    "a byte order mark": '\ufeff{"type": "response.cancel"}',
    "two events in one": '{"type": "response.cancel"}{"type": "response.cancel"}',
    "trailing comma": '{"type": "response.cancel",}',
    "nul": "\x00",
    "a quarter of a million empty lists": '{"type": "session.update", "session": [[]'
    + ", []" * 250_000
    + "]}",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
async def test_a_frame_that_nobody_would_send_is_an_error_and_the_session_lives(frame: str) -> None:
    async with Client() as client:
        client.receive(frame)
        assert client.events[-1]["type"] == "error"
        await is_alive(client)


async def test_an_item_may_have_any_id_that_is_text() -> None:
    async with Client() as client:
        for own_id in ("ü", "a b", "root ", "x" * 512, "../..", "\u202e"):
            client.add("hello", id=own_id)
            assert client.events[-1]["item"]["id"] == own_id
            assert client.send("conversation.item.delete", item_id=own_id)["item_id"] == own_id


async def test_base64_is_the_standard_one() -> None:
    async with Client() as client:
        for audio in ("AA-_", "AAA", "AAA=A", "A A=", "=", "AAAA\n", "ÄÄÄÄ"):
            assert client.send("input_audio_buffer.append", audio=audio)["type"] == "error"
        audio = base64.b64encode(bytes(960)).decode()
        assert client.send("input_audio_buffer.append", audio=audio)["type"] == "error", "the last"
        assert len(client.of("error")) == 7
