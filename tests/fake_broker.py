"""A broker that keeps what is published, and gives what is said to whoever listens."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from paho.mqtt.client import topic_matches_sub

from airos_edge.errors import EngineError
from airos_edge.mqtt.broker import Message


class FakeBroker:
    def __init__(self) -> None:
        self.published: list[tuple[str, str, bool]] = []
        self.is_there = True
        self._listening: list[tuple[str, Callable[[Any], None]]] = []
        self._greetings: list[Callable[[], Awaitable[None]]] = []

    def on_connect(self, greet: Callable[[], Awaitable[None]]) -> None:
        self._greetings.append(greet)

    async def greet(self) -> None:
        for greet in self._greetings:
            await greet()

    def listen(self, topics: Iterable[str], receive: Callable[[Any], None]) -> None:
        self._listening += [(topic, receive) for topic in topics]

    def forget(self, topics: Iterable[str], receive: Callable[[Any], None]) -> None:
        for topic in topics:
            self._listening.remove((topic, receive))

    async def publish(self, topic: str, text: str, retain: bool = False) -> None:
        if not self.is_there:
            raise EngineError("mqtt", "the broker is not there")
        self.published.append((topic, text, retain))

    def say(self, topic: str, text: str, retained: bool = False) -> None:
        for wanted, receive in list(self._listening):
            if topic_matches_sub(wanted, topic):
                receive(Message(topic, text, retained))

    def on(self, topic: str) -> list[str]:
        return [text for where, text, _ in self.published if where == topic]

    @property
    def topics(self) -> set[str]:
        return {topic for topic, _ in self._listening}
