"""Wyoming's frames: a line of JSON, then a block of JSON and a payload of the lengths that it declares.

The `wyoming` package has the messages; its reader has no limits and dies of what is malformed.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wyoming.event import Event, Eventable
from wyoming.version import __version__ as version

from airos_edge.errors import ProtocolError

HEADER_BYTES = 64 * 1024
"""The limit that a reader's StreamReader is to be made with."""
DATA_BYTES = 1024 * 1024
PAYLOAD_BYTES = 1024 * 1024
"""32 s of sound at 16 kHz. What is declared to be more is not waited for."""

T = TypeVar("T")


async def read_event(reader: asyncio.StreamReader) -> Event | None:
    """The next event; its `data` is a dict. None when the peer has closed the connection between two.

    Raises ProtocolError for what is no event or exceeds the limits, and for a connection that
    ends or breaks within one; nothing that follows can be read then. Cancelled within an event, it
    loses the event's beginning.
    """
    header = await _header(reader)
    if header is None:
        return None
    data_bytes = _length(header, "data_length", DATA_BYTES)
    payload_bytes = _length(header, "payload_length", PAYLOAD_BYTES)
    data = header.get("data", {})
    if data is None and not data_bytes:
        data = {}  # what some servers send for no data
    _must(isinstance(data, dict), "data is no object")
    if data_bytes:
        data |= _object(await _exactly(reader, data_bytes), "the data block")
    payload = await _exactly(reader, payload_bytes) if payload_bytes else None
    return Event(header["type"], data, payload)


async def _header(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise _broken() from error
    except asyncio.LimitOverrunError as error:
        raise ProtocolError(f"a header is longer than {HEADER_BYTES} bytes") from error
    except OSError as error:
        raise _broken() from error
    header = _object(line, "the header")
    _must(isinstance(header.get("type"), str), "an event has no type")
    return header


async def _exactly(reader: asyncio.StreamReader, length: int) -> bytes:
    try:
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise _broken() from error


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{what} is not JSON in UTF-8") from error
    _must(isinstance(found, dict), f"{what} is no JSON object")
    return dict(found)


def _length(header: Mapping[str, Any], key: str, limit: int) -> int:
    length = header.get(key)
    if length is None:
        return 0
    _must(type(length) is int and length >= 0, f"{key} is no length")
    _must(length <= limit, f"{key} is more than {limit}")
    return int(length)


def _must(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise ProtocolError(otherwise)


def _broken() -> ProtocolError:
    return ProtocolError("the connection ended within an event")


def frame_of(message: Eventable) -> bytes:
    """The message as it is sent."""
    event = message.event()
    data = json.dumps(event.data).encode() if event.data else b""
    header: dict[str, Any] = {"type": event.type, "version": version}
    if data:
        header["data_length"] = len(data)
    if event.payload:
        header["payload_length"] = len(event.payload)
    return b"".join((json.dumps(header).encode(), b"\n", data, event.payload or b""))


def parsed(event: Event, kind: Callable[[Event], T]) -> T:
    """The event as a message of the package, by its `from_event`.

    Raises ProtocolError where a field is missing or is of another type than it has to be.
    """
    try:
        return kind(event)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(f"{event.type}: {error!r} in its data") from error


def text_of(event: Event) -> str:
    """The text that the event has to have. Raises ProtocolError."""
    return a_text(event, "text", event.data.get("text"))


def a_text(event: Event, key: str, value: object) -> str:
    """The package takes whatever a field holds. Raises ProtocolError unless it is a text."""
    if not isinstance(value, str) or any("\ud800" <= char <= "\udfff" for char in value):
        raise ProtocolError(f"{event.type}: {key} is no text")
    return value


def reason(error: OSError) -> str:
    """asyncio says it with the address, which is said anyway."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
