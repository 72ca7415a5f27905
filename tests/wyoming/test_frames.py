"""What is an event and what is none: everything that makes the library's own reader die or swell."""

import asyncio
import json

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk
from wyoming.event import Event
from wyoming.info import Info
from wyoming.tts import Synthesize

from airos_edge.errors import ProtocolError
from airos_edge.wyoming.frames import (
    DATA_BYTES,
    HEADER_BYTES,
    PAYLOAD_BYTES,
    frame_of,
    parsed,
    read_event,
    text_of,
)

OF_10_GB = b'{"type": "audio-chunk", "payload_length": 10000000000}\n'


def reader(sent: bytes, is_closed: bool = True) -> asyncio.StreamReader:
    made = asyncio.StreamReader(limit=HEADER_BYTES)
    made.feed_data(sent)
    if is_closed:
        made.feed_eof()
    return made


async def read(sent: bytes, is_closed: bool = True) -> Event | None:
    return await read_event(reader(sent, is_closed))


async def test_what_is_written_is_read() -> None:
    chunk = AudioChunk(16000, 2, 1, b"\x01\x02", timestamp=7)
    both = reader(frame_of(chunk) + frame_of(Transcript("Grüße \ud800")))
    assert await read_event(both) == chunk.event()
    assert await read_event(both) == Transcript("Grüße \ud800").event()
    assert await read_event(both) is None


async def test_data_may_be_in_the_header_in_a_block_of_its_own_or_in_both() -> None:
    block = b'{"b": 2}'
    header = {"type": "x", "data": {"a": 1, "b": 1}, "data_length": len(block)}
    event = await read(json.dumps(header).encode() + b"\n" + block)
    assert event == Event("x", {"a": 1, "b": 2})


@pytest.mark.parametrize(
    "header",
    [b'{"type": "ping"}', b'{"type": "ping", "data": null}', b'{"type":"ping","data_length":0}'],
)
async def test_data_may_be_missing(header: bytes) -> None:
    assert await read(header + b"\n") == Event("ping", {})


async def test_the_end_between_two_events_is_no_error() -> None:
    assert await read(b"") is None


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"hello\n", "not JSON"),
        (b"\n", "not JSON"),
        (b'{"type": "\xff\xfe"}\n', "not JSON in UTF-8"),
        (b"[1,2]\n", "no JSON object"),
        (b"5\n", "no JSON object"),
        (b"{}\n", "no type"),
        (b'{"type": 5}\n', "no type"),
        (b'{"type": "x", "payload_length": "5"}\n', "payload_length is no length"),
        (b'{"type": "x", "payload_length": -5}\n', "payload_length is no length"),
        (b'{"type": "x", "payload_length": true}\n', "payload_length is no length"),
        (b'{"type": "x", "data_length": 1.5}\n', "data_length is no length"),
        (b'{"type": "x", "data": null, "data_length": 2}\n{}', "data is no object"),
        (b'{"type": "x", "data": [1]}\n', "data is no object"),
        (b'{"type": "x", "data_length": 3}\n[1]', "no JSON object"),
        (b'{"type": "x", "data_length": 3}\n\xff\xff\xff', "not JSON"),
        (b'{"type": "x", "data_length": 100000}\n' + b"[" * 100_000, "not JSON"),
        (b"[" * 60_000 + b"\n", "not JSON"),
        (b'{"type": "x"}', "ended within"),
        (b'{"type": "x", "data_length": 9}\n{', "ended within"),
        (b'{"type": "x", "payload_length": 9}\n123', "ended within"),
        (b'{"type": "x", "payload_length": 200000000}\n', f"more than {PAYLOAD_BYTES}"),
        (b'{"type": "x", "data_length": 200000000}\n', f"more than {DATA_BYTES}"),
        (OF_10_GB, f"more than {PAYLOAD_BYTES}"),
    ],
)
async def test_what_is_no_event_is_said_to_be_none(sent: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        await read(sent)


@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_a_header_that_does_not_end_is_not_waited_for(end: bytes) -> None:
    with pytest.raises(ProtocolError, match=f"longer than {HEADER_BYTES}"):
        await read(b"x" * (HEADER_BYTES + 2) + end, is_closed=False)


async def test_a_peer_that_is_reset_within_an_event_is_an_error() -> None:
    for sent in (b'{"type', b'{"type": "x", "payload_length": 9}\n123'):
        broken = reader(sent, is_closed=False)
        broken.set_exception(ConnectionResetError())
        with pytest.raises(ProtocolError, match="ended within"):
            await read_event(broken)


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (Transcript.from_event, Event("transcript", {})),
        (AudioChunk.from_event, Event("audio-chunk", {"rate": 1})),
        (Synthesize.from_event, Event("synthesize", {"text": "a", "voice": 5})),
        (Info.from_event, Event("info", {"asr": [{"name": 5}]})),
        (text_of, Event("transcript", {"text": 5})),
        (text_of, Event("transcript", {"text": "\ud800"})),
    ],
)
def test_odd_data_is_a_protocol_error(kind: object, event: Event) -> None:
    with pytest.raises(ProtocolError, match=event.type):
        parsed(event, kind)  # type: ignore[arg-type]


def test_what_a_message_leaves_open_is_left_open() -> None:
    assert parsed(Event("transcribe", {}), Transcribe.from_event) == Transcribe()
