"""One client's conversation: what a client may do works on it, and what its session tells goes out by it.

It does no I/O. What was said, who speaks and what was heard is the voice's to know; here is remembered what
only this client has: how it wants the session and each response, its tool servers, its sound's format.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from airos_edge.realtime import messages
from airos_edge.realtime.dialect import Dialect
from airos_edge.realtime.effects import hints_of, manner_of, rules_of
from airos_edge.realtime.formats import InputAudio, wire_of
from airos_edge.realtime.mouth import RealtimeMouth
from airos_edge.realtime.server_events import audio_deltas, obfuscated, server_events
from airos_edge.realtime.servers import ClientServers
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event, ReplyEnded, ReplyStarted
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Hints, Prompt, Says
from airos_edge.voice.session import Session

MOST_SOUND = 4 * 1024 * 1024
"""Bytes of sound that are kept for who retrieves it: two minutes of recordings. Clients ask at once."""


class Conversation:
    """`write` takes an event for the client and never waits; `room` waits until the client keeps up.

    `voices` are the names that the box's voices have; None: only who speaks knows them.
    """

    def __init__(
        self,
        configuration: dict[str, Any],
        box_rules: TurnRules,
        write: Callable[[Mapping[str, Any]], None],
        room: Callable[[], Awaitable[None]],
        servers: ClientServers | None = None,
        voices: Callable[[], Collection[str] | None] = lambda: None,
        beta: bool = False,
    ) -> None:
        self.id = new_id("conv")
        self.dialect = Dialect(self.id, beta)
        self.session: Session
        self.configuration = configuration
        self.input = InputAudio(wire_of(configuration["audio"]["input"]["format"]))
        self.servers = servers or ClientServers()
        self.of_reply: dict[str, dict[str, Any]] = {}
        """The configuration that each reply that goes on was begun with."""
        self.settling: set[asyncio.Task[None]] = set()
        """Calls that the client has just said yes or no to."""
        self.rate_limits: Callable[[], list[dict[str, Any]]] = list
        """What is told of them after each reply."""
        self._box_rules = box_rules
        self._voices = voices
        self._usual_hints = Hints()
        self._knows_it_is_deaf = False
        self._write = write
        self._room = room

    def recorded(self, audio: bytes) -> list[AudioChunk]:
        """A recording that the client brings whole, in the session's format."""
        return list(InputAudio(self.input.wire).decoded(audio))

    def begin(self, session: Session) -> None:
        """The first event."""
        self.session = session
        session.history.recordings.most_bytes = MOST_SOUND
        self._usual_hints = session.hints
        self.obey(self.configuration)
        self.send("session.created", session=self.configuration)

    def obey(self, configuration: dict[str, Any]) -> None:
        """From now on. Raises ProtocolError, and then changes nothing."""
        manner = self.manner(configuration)
        self.configuration = configuration
        self.session.manner = manner
        self.session.hints = hints_of(configuration, self.session.hints, self._usual_hints)
        self.session.obey(self.rules())
        wire = wire_of(configuration["audio"]["input"]["format"])
        if wire != self.input.wire:
            self.input = InputAudio(wire)

    def rules(self) -> TurnRules:
        return rules_of(self.configuration, self._box_rules)

    def manner(self, configuration: Mapping[str, Any]) -> Prompt:
        """How replies are made by this configuration."""
        language = self._usual_hints.language
        return manner_of(configuration, self.session.manner, language, self._voices())

    def end(self) -> None:
        """What is only this client's ends with it."""
        self.servers.end()

    def open_mouth(self, says: Says) -> RealtimeMouth:
        output = self.of_reply.get(says.reply_id, self.configuration)["audio"]["output"]
        return RealtimeMouth(says, self._send_audio, self._room, wire_of(output["format"]))

    # ---- to the client ----

    def tell(self, event: Event) -> None:
        configuration = self.configuration
        if isinstance(event, ReplyStarted):
            configuration = self.of_reply.setdefault(event.reply_id, self.configuration)
        elif isinstance(event, ReplyEnded):
            configuration = self.of_reply.pop(event.reply_id, self.configuration)
        told = server_events(event, configuration, self.id, self.rate_limits)
        for type, fields in map(obfuscated, told):
            self.send(type, **fields)

    def tell_if_deaf(self) -> None:
        """Once, since a client that waits for its speech to be noticed would wait for ever."""
        ear = self.session.ear
        if ear.deaf is None or ear.rules.detection == "push" or self._knows_it_is_deaf:
            return
        self._knows_it_is_deaf = True
        message = (
            f"This box cannot tell when someone speaks ({ear.deaf}). With turn_detection null it hears "
            "what you commit."
        )
        self.send(
            "error", error={**messages.engine_failed(message), "param": None, "event_id": None}
        )

    def send(self, type: str, **fields: Any) -> None:
        event = {"type": type, "event_id": new_id("event"), **fields}
        for told in self.dialect.written(event):
            self._write(told)

    def _send_audio(self, says: Says, pcm: bytes) -> None:
        for type, fields in audio_deltas(says, pcm):
            self.send(type, **fields)
