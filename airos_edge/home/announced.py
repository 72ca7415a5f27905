"""The devices that announce themselves by MQTT discovery: found, followed, and switched."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from airos_edge.errors import AirosError, EngineError
from airos_edge.home.announcement import Announcement
from airos_edge.home.discovery import Unusable, read_device, read_single
from airos_edge.home.house import DeviceSettings, State

log = logging.getLogger(__name__)

COMPONENTS = ("light", "switch", "device")
MOST = 500
"""Devices; what announces itself then is not taken in."""
SETTLED_S = 0.5
"""When none has come or gone for so long, the house is made anew: they come by the hundred."""
MOST_PATIENCE = 20
"""How many times that is waited for, where they never end."""


class Message(Protocol):
    @property
    def topic(self) -> str: ...

    @property
    def text(self) -> str: ...


class Broker(Protocol):
    """What is needed of `mqtt.broker`."""

    def listen(self, topics: Iterable[str], receive: Callable[[Any], None]) -> None: ...

    def forget(self, topics: Iterable[str], receive: Callable[[Any], None]) -> None: ...

    async def publish(self, topic: str, text: str, retain: bool = False) -> None: ...


@dataclass(slots=True, eq=False)
class Thing:
    """A device that announced itself. `receive` is how it is told what came on its topics."""

    announcement: Announcement
    receive: Callable[[Message], None] = lambda message: None
    state: State = field(default_factory=State)
    reached: dict[str, bool] = field(default_factory=dict)
    """What each topic of its availability said, the latest last."""

    @property
    def name(self) -> str:
        return self.announcement.device.name

    @property
    def is_available(self) -> bool:
        """Where nothing was said yet, it is not, as in Home Assistant."""
        topics = [one.reading.topic for one in self.announcement.availability]
        match self.announcement.availability_mode:
            case _ if not topics:
                return True
            case "all":
                return all(self.reached.get(topic, False) for topic in topics)
            case "any":
                return any(self.reached.values())
        return bool(self.reached) and list(self.reached.values())[-1]


class Announced:
    """A `Source` of devices for the house. `tell` hears which device is in another state."""

    def __init__(self, broker: Broker, prefix: str, tell: Callable[[str], None]) -> None:
        self._broker = broker
        self._tell = tell
        self._things: dict[str, dict[str, Thing]] = {}
        """By the topic of the announcement, and within it by the component's key."""
        self._named: dict[str, Thing] = {}
        self._changed = asyncio.Event()
        for component in COMPONENTS:
            topics = [f"{prefix}/{component}/{place}/config" for place in ("+", "+/+")]
            broker.listen(topics, partial(self._announced, component))

    # ---- for the house ----

    def found(self) -> Sequence[DeviceSettings]:
        return [thing.announcement.device for thing in self._all()]

    def state_of(self, name: str) -> State:
        return self._named[name].state if name in self._named else State()

    async def call(
        self, device: DeviceSettings, before: State, service: str, data: Mapping[str, Any]
    ) -> State:
        """Says so to the device. Its new state is told when it tells it, unless nothing would.

        Raises EngineError when it is not available, or the broker is not there.
        """
        thing = self._named.get(device.name)
        if thing is None or not thing.is_available:
            raise EngineError("mqtt", f"{device.name} says that it is not there")
        announcement = thing.announcement
        wanted = announcement.wanted(thing.state, service, data)
        for topic, text in announcement.commands(wanted, "brightness_pct" in data):
            await self._broker.publish(topic, text, announcement.retain)
        if announcement.is_optimistic:
            thing.state = wanted
        return thing.state

    async def follow(self, rebuild: Callable[[], Awaitable[None]]) -> None:
        """Calls `rebuild` when devices have come or gone and all is settled, until it is cancelled. Where it
        fails the house stays as it was, until the next has come or gone."""
        while True:
            await self._changed.wait()
            for _ in range(MOST_PATIENCE):
                self._changed.clear()
                await asyncio.sleep(SETTLED_S)
                if not self._changed.is_set():
                    break
            try:
                await rebuild()
            except AirosError as error:
                log.error("The house stays without what was found: %s", error)

    # ---- what the broker brings ----

    def _announced(self, component: str, message: Message) -> None:
        before = self._things.get(message.topic, {})
        after: dict[str, Thing] = {}
        for key, announcement in _read(component, message):
            known = before.get(key)
            if known is not None and known.announcement == announcement:
                after[key] = known
            elif known is not None or sum(map(len, self._things.values())) + len(after) < MOST:
                after[key] = self._taken_in(announcement)
            else:
                log.warning("%s is not taken in: there are %d devices", message.topic, MOST)
        for key, thing in before.items():
            if after.get(key) is not thing:
                self._broker.forget(thing.announcement.topics, thing.receive)
        devices = self.found()
        self._things[message.topic] = after  # in its old place, if it had one
        if not after:
            del self._things[message.topic]
        self._named = {thing.name: thing for thing in reversed([*self._all()])}
        if self.found() != devices:
            self._changed.set()
        for key, thing in after.items():
            if before.get(key) is not thing:
                self._broker.listen(thing.announcement.topics, thing.receive)

    def _taken_in(self, announcement: Announcement) -> Thing:
        thing = Thing(announcement)
        thing.receive = partial(self._told, thing)
        return thing

    def _told(self, thing: Thing, message: Message) -> None:
        announcement = thing.announcement
        is_there = announcement.availability_after(message.topic, message.text)
        if is_there is not None:
            thing.reached.pop(message.topic, None)
            thing.reached[message.topic] = is_there
        state = announcement.state_after(message.topic, message.text, thing.state)
        if state != thing.state:
            thing.state = state
            if self._named.get(thing.name) is thing:
                self._tell(thing.name)

    def _all(self) -> Iterator[Thing]:
        for things in self._things.values():
            yield from things.values()


def _read(component: str, message: Message) -> Iterator[tuple[str, Announcement]]:
    """The lights and switches of an announcement, by their key in it; none of an empty one."""
    if not message.text:
        return
    try:
        if component != "device":
            single = read_single(component, message.text)
            if single is not None:
                yield "", single
            return
        for key, found in read_device(message.text):
            if isinstance(found, Announcement):
                yield key, found
            else:
                log.warning("%.80r of %s is left out: %s", key, message.topic, found)
    except Unusable as error:
        log.warning("%s is left out: %s", message.topic, error)
