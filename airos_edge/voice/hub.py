"""Who may watch: events out to observers, who are never waited for."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from airos_edge.voice.events import Event


class Watch:
    """One observer's view: the newest events of `kinds`, oldest dropped. Iterate over it; `dropped` counts."""

    def __init__(self, size: int, kinds: tuple[type[Event], ...] = (Event,)) -> None:
        self.kinds = kinds
        self._events: deque[Event] = deque(maxlen=size)
        self._arrived = asyncio.Event()
        self.dropped = 0

    def put(self, event: Event) -> None:
        self.dropped += len(self._events) == self._events.maxlen
        self._events.append(event)
        self._arrived.set()

    def __aiter__(self) -> "Watch":
        return self

    async def __anext__(self) -> Event:
        """Waits for an event; never ends. Safe to cancel."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        return self._events.popleft()

    def take(self) -> list[Event]:
        """What has come since it was last asked, without waiting."""
        events = list(self._events)
        self._events.clear()
        return events


class Hub:
    """Everything that happens, in the order it happened, to whoever is watching now."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._dropped = 0
        """By those who have gone."""

    @property
    def dropped(self) -> int:
        """How many events were not read in time, by all who ever watched."""
        return self._dropped + sum(watch.dropped for watch in self._watches)

    def is_watched_for(self, kind: type[Event]) -> bool:
        """Whether what is costly to say is worth saying."""
        return any(issubclass(kind, watch.kinds) for watch in self._watches)

    def publish(self, event: Event) -> None:
        """Never waits and never fails."""
        for watch in self._watches:
            if isinstance(event, watch.kinds):
                watch.put(event)

    @contextmanager
    def watch(self, size: int = 256, *kinds: type[Event]) -> Iterator[Watch]:
        """Without kinds, of every event. Who watches for long names those it wants: what each frame of
        sound is thought to be is published only while somebody wants it."""
        watch = Watch(size, kinds or (Event,))
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            self._dropped += watch.dropped
