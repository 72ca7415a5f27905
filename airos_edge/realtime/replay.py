"""A recorded session once more, against a server of today: each client event after what it followed."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal, Protocol

from airos_edge.realtime.recording import Line, Recording
from airos_edge.voice.flow import Scope

Event = Mapping[str, Any]
Key = tuple[str, int]
"""An event by its type and number. Of deltas there may be any number: all of one item have one."""
Speed = Literal["real", "max"]

PATIENCE_S = 20.0
"""How long nothing may come before what is still expected is given up."""
APPEND_S = 1.0
"""A microphone waits for nobody: its sound goes on when nothing has come for so long."""
SETTLE_S = 1.0
"""How long it is looked at most whether more comes than was recorded."""


class Wire(Protocol):
    async def send_frame(self, frame: str) -> None: ...
    def __aiter__(self) -> AsyncIterator[dict[str, Any]]: ...


class Numbering:
    """Gives each event of one stream its key."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._items: dict[tuple[str, str], int] = {}

    def key(self, event: Event) -> Key:
        kind = event["type"]
        if not kind.endswith(".delta"):
            self._counts[kind] += 1
            return kind, self._counts[kind]
        whose = kind, str(event.get("item_id"))
        if whose not in self._items:
            self._counts[kind] += 1
            self._items[whose] = self._counts[kind]
        return kind, self._items[whose]


async def replay(
    recording: Recording, wire: Wire, speed: Speed = "real", patience_s: float = PATIENCE_S
) -> list[Event]:
    """What the server says this time.

    A client event goes out when the server event before it in the recording has come, and at real speed
    not sooner after it than it did. Ids that the server gave are those of today in what the client sends.
    Ends when all that was recorded has come, the server has closed, or nothing comes any more. Raises
    DaemonError where the connection is lost.
    """
    came = Came(recording)
    async with Scope() as scope:
        reading = scope.start(came.read(wire), "replay reader")
        await _play(recording, wire, came, speed, patience_s)
        for key in came.expected:
            if not await came.wait(key, patience_s):
                break
        last_ms = max((line.at_ms for line in recording.of("server")), default=0)
        await came.quiet(min((recording.end_ms - last_ms) / 1000, SETTLE_S))
        if reading.done():
            await reading
    return came.events


async def _play(
    recording: Recording, wire: Wire, came: "Came", speed: Speed, patience_s: float
) -> None:
    loop = asyncio.get_running_loop()
    began, numbering = loop.time(), Numbering()
    cause: tuple[Key, int] | None = None
    for line in recording.lines:
        if line.side == "server":
            cause = numbering.key(line.event), line.at_ms
            continue
        is_sound = line.event.get("type") == "input_audio_buffer.append"
        due = began + line.at_ms / 1000
        if cause is not None:
            key, at_ms = cause
            if not await came.wait(key, APPEND_S if is_sound else patience_s) and not is_sound:
                return
            if not is_sound:
                due = max(due, came.at(key) + (line.at_ms - at_ms) / 1000)
        if speed == "real":
            await asyncio.sleep(max(0.0, due - loop.time()))
        if came.is_over:
            return
        await wire.send_frame(_frame(line, came.ids))


def _frame(line: Line, ids: Mapping[str, str]) -> str:
    return line.text if line.text is not None else json.dumps(_translated(line.event, ids))


def _translated(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, list):
        return [_translated(part, ids) for part in value]
    if isinstance(value, dict):
        return {key: _translated(part, ids) for key, part in value.items()}
    return value


class Came:
    """What has come of what is expected; `ids` are those of the recording with those of today."""

    def __init__(self, recording: Recording) -> None:
        self.events: list[Event] = []
        self.ids: dict[str, str] = {}
        self.expected: dict[Key, Event] = {}
        numbering = Numbering()
        for line in recording.of("server"):
            self.expected.setdefault(numbering.key(line.event), line.event)
        self.is_over = False
        self._times: dict[Key, float] = {}
        self._numbering = Numbering()
        self._changed = asyncio.Event()

    async def read(self, wire: Wire) -> None:
        """Until the server closes the connection. Raises DaemonError."""
        try:
            async for event in wire:
                self._take(event)
                self._notice()
        finally:
            self.is_over = True
            self._notice()

    def at(self, key: Key) -> float:
        """The loop time at which it came."""
        return self._times[key]

    async def wait(self, key: Key, quiet_s: float) -> bool:
        """Until it has come. False: nothing came for so long, or nothing will any more."""
        while key not in self._times:
            if self.is_over or not await self._next(quiet_s):
                return False
        return True

    async def quiet(self, seconds: float) -> None:
        """Until so much time has gone by."""
        until = asyncio.get_running_loop().time() + seconds
        while not self.is_over and (left_s := until - asyncio.get_running_loop().time()) > 0:
            await self._next(left_s)

    async def _next(self, limit_s: float) -> bool:
        try:
            async with asyncio.timeout(limit_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _notice(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        key = self._numbering.key(event)
        self._times.setdefault(key, asyncio.get_running_loop().time())
        if key in self.expected:
            self._learn(self.expected[key], event)

    def _learn(self, recorded: Any, now: Any) -> None:
        """Which id of today stands for which of the recording."""
        if isinstance(recorded, dict) and isinstance(now, dict):
            for name in recorded.keys() & now.keys():
                before, after = recorded[name], now[name]
                if is_id(name) and isinstance(before, str) and isinstance(after, str):
                    self.ids.setdefault(before, after)
                else:
                    self._learn(before, after)
        elif isinstance(recorded, list) and isinstance(now, list):
            for before, after in zip(recorded, now, strict=False):
                self._learn(before, after)


def is_id(name: str) -> bool:
    return name == "id" or (name.endswith("_id") and name != "event_id")
