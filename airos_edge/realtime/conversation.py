"""One client's conversation: what a client may do works on it, and what its session tells goes out by it.

It does no I/O and remembers nothing but the configuration as the client wrote it: what was said, who
speaks and what was heard is the voice's to know.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from airos_edge.realtime.configuration import manner_of, rules_of
from airos_edge.realtime.dialect import Dialect
from airos_edge.realtime.formats import InputAudio
from airos_edge.realtime.mouth import RealtimeMouth
from airos_edge.realtime.server_events import audio_deltas, obfuscated, server_events
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Prompt, Says
from airos_edge.voice.session import Session


class Conversation:
    """`write` takes an event for the client and never waits; `room` waits until the client keeps up."""

    def __init__(
        self,
        configuration: dict[str, Any],
        box_rules: TurnRules,
        write: Callable[[Mapping[str, Any]], None],
        room: Callable[[], Awaitable[None]],
        beta: bool = False,
    ) -> None:
        self.id = new_id("conv")
        self.dialect = Dialect(self.id, beta)
        self.session: Session
        self.configuration = configuration
        self.input = InputAudio()
        self._box_rules = box_rules
        self._write = write
        self._room = room

    def begin(self, session: Session) -> None:
        """The first event."""
        self.session = session
        session.manner = self.manner(self.configuration)
        self.send("session.created", session=self.configuration)

    def rules(self) -> TurnRules:
        return rules_of(self.configuration, self._box_rules)

    def manner(self, configuration: Mapping[str, Any]) -> Prompt:
        """How replies are made by this configuration."""
        return manner_of(configuration, self.session.manner, self.session.hints.language)

    def open_mouth(self, says: Says) -> RealtimeMouth:
        return RealtimeMouth(says, self._send_audio, self._room)

    # ---- to the client ----

    def tell(self, event: Event) -> None:
        for type, fields in map(obfuscated, server_events(event, self.configuration, self.id)):
            self.send(type, **fields)

    def send(self, type: str, **fields: Any) -> None:
        event = {"type": type, "event_id": new_id("event"), **fields}
        for told in self.dialect.written(event):
            self._write(told)

    def _send_audio(self, says: Says, pcm: bytes) -> None:
        for type, fields in audio_deltas(says, pcm):
            self.send(type, **fields)
