"""One client's conversation: its events to calls on the session, what the session tells to events.

It does no I/O and remembers nothing but the configuration as the client wrote it: what was said, who
speaks and what was heard is the voice's to know.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from airos_edge.errors import BusyError, ProtocolError
from airos_edge.realtime import checks, messages
from airos_edge.realtime.configuration import RATE_HZ, manner_of, rules_of, updated
from airos_edge.realtime.frames import decoded
from airos_edge.realtime.mouth import RealtimeMouth
from airos_edge.realtime.server_events import audio_deltas, server_events
from airos_edge.voice.audio import RATE_HZ as EAR_RATE_HZ
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.events import Event
from airos_edge.voice.floor import Floor
from airos_edge.voice.history import DuplicateItem, Item, UnknownItem
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Prompt, Says
from airos_edge.voice.session import Session

LARGEST_APPEND = 15 * 1024 * 1024
"""Of base64, as OpenAI has it."""
AT_ONCE_BYTES = 2 * RATE_HZ
"""A second of audio; to hear it takes some milliseconds, in which nobody else is served."""
SHORTEST_COMMIT_MS = 100
OF_A_RESPONSE = (
    "instructions",
    "tools",
    "tool_choice",
    "output_modalities",
    "max_output_tokens",
)
"""What `response.create` may set for itself and is set for the session elsewhere."""


class Conversation:
    """`send` takes an event for the client and never waits; `room` waits until the client keeps up."""

    def __init__(
        self,
        configuration: dict[str, Any],
        box_rules: TurnRules,
        send: Callable[[Mapping[str, Any]], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self.session: Session
        self._configuration = configuration
        self._box_rules = box_rules
        self._send_raw = send
        self._room = room
        self._id = new_id("conv")
        self._resampler = _ear_resampler()
        self._odd = b""

    def rules(self) -> TurnRules:
        return rules_of(self._configuration, self._box_rules)

    def begin(self, session: Session) -> None:
        """The first event."""
        self.session = session
        session.manner = self._manner(self._configuration)
        self._send("session.created", session=self._configuration)

    def _manner(self, configuration: Mapping[str, Any]) -> Prompt:
        return manner_of(configuration, self.session.manner, self.session.hints.language)

    def open_mouth(self, says: Says) -> RealtimeMouth:
        return RealtimeMouth(says, self._send_audio, self._room)

    # ---- from the client ----

    def receive(self, text: str) -> Iterator[None]:
        """One frame, to be iterated over: between two steps others may work, as a frame can hold minutes.

        What is wrong with it is told to the client; nothing is raised.
        """
        event_id: str | None = None
        try:
            event = decoded(text)
            event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
            handler = HANDLERS.get(event["type"])
            if handler is None:
                message = f"Invalid value: '{event['type']}'. Supported values are: {', '.join(HANDLERS)}."
                raise ProtocolError(message, code="invalid_value", param="type")
            yield from handler(self, event) or ()
        except ProtocolError as problem:
            self._send(**messages.error(str(problem), problem.code, problem.param, event_id))

    def _session_update(self, event: Mapping[str, Any]) -> None:
        self._configuration = updated(self._configuration, event.get("session"))
        rules = self.rules()
        if rules.detection != self.session.ear.rules.detection:
            self.session.clear()  # what was recorded by other rules would end by none
        self.session.ear.obey(rules)
        self.session.manner = self._manner(self._configuration)
        self._send("session.updated", session=self._configuration)

    def _append(self, event: Mapping[str, Any]) -> Iterator[None]:
        pcm = self._odd + _audio_of(event)
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        for start in range(0, whole, AT_ONCE_BYTES):
            piece = np.frombuffer(pcm[start : min(start + AT_ONCE_BYTES, whole)], "<i2")
            samples = self._resampler.resample_chunk(piece)
            if len(samples):
                self.session.feed(AudioChunk(samples.astype("<i2").tobytes()))
            yield

    def _commit(self, event: Mapping[str, Any]) -> None:
        utterance = self.session.ear.utterance
        recorded_ms = utterance.ms if utterance else 0
        if recorded_ms < SHORTEST_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                f"but buffer only has {recorded_ms:.2f}ms of audio."
            )
            raise ProtocolError(message, code="input_audio_buffer_commit_empty")
        self._odd = b""
        self.session.commit()

    def _clear(self, event: Mapping[str, Any]) -> None:
        self._odd = b""
        self.session.clear()
        self._send("input_audio_buffer.cleared")

    def _item_create(self, event: Mapping[str, Any]) -> None:
        item = messages.item_in(event.get("item"))
        after = checks.nullable(checks.text)("previous_item_id", event.get("previous_item_id"))
        try:
            self.session.add(item, after)
        except DuplicateItem:
            message = f"Error adding item: an item with ID '{item.id}' already exists."
            code = "item_create_duplicate_item_id"
            raise ProtocolError(message, code=code, param="item.id") from None
        except UnknownItem:
            code = "item_create_invalid_previous_item_id"
            raise _no_item(after, code, "previous_item_id") from None

    def _item_retrieve(self, event: Mapping[str, Any]) -> None:
        item = self._item(event, "item_retrieve_invalid_item_id")
        self._send("conversation.item.retrieved", item=messages.item_out(item))

    def _item_truncate(self, event: Mapping[str, Any]) -> None:
        """More than there is to hear is clamped: clients overshoot by some milliseconds."""
        item = self._item(event, "item_truncate_invalid_item_id")
        if item.role != "assistant" or not item.spoken:
            message = "Only model output audio messages can be truncated."
            raise ProtocolError(message, code="invalid_value", param="item_id")
        end_ms = checks.number(0)("audio_end_ms", event.get("audio_end_ms"))
        self.session.truncate(item.id, round(end_ms))

    def _item_delete(self, event: Mapping[str, Any]) -> None:
        self.session.delete(self._item(event, "item_delete_invalid_item_id").id)

    def _item(self, event: Mapping[str, Any], code: str, key: str = "item_id") -> Item:
        item_id = checks.text(key, event.get(key))
        try:
            return self.session.history.get(item_id)
        except UnknownItem:
            raise _no_item(item_id, code, key) from None

    def _response_create(self, event: Mapping[str, Any]) -> None:
        if self._configuration["type"] != "realtime":
            raise ProtocolError("A transcription session has no responses.", code="invalid_event")
        given = checks.nullable(checks.mapping)("response", event.get("response")) or {}
        metadata = checks.nullable(checks.mapping)("response.metadata", given.get("metadata"))
        apart = Floor(self.open_mouth) if given.get("conversation") == "none" else None
        try:
            self.session.respond(self._prompt(given), metadata, apart)
        except BusyError:
            message = (
                "Conversation already has an active response in progress. "
                "Wait until the response is finished before creating a new one."
            )
            raise ProtocolError(message, code="conversation_already_has_active_response") from None

    def _prompt(self, given: Mapping[str, Any]) -> Prompt:
        """The session's own, but for what the response says of itself."""
        changes = {key: given[key] for key in OF_A_RESPONSE if given.get(key) is not None}
        prompt = self._manner(updated(self._configuration, changes, "response"))
        if given.get("input") is None:
            return replace(prompt, items=self.session.prompt().items)
        items = enumerate(checks.sequence("response.input", given["input"]))
        return replace(prompt, items=tuple(self._input(item, place) for place, item in items))

    def _input(self, given: Any, place: int) -> Item:
        path = f"response.input[{place}]"
        if isinstance(given, dict) and given.get("type") == "item_reference":
            return self._item(given, "item_not_found", key="id")
        return messages.item_in(given, path)

    def _response_cancel(self, event: Mapping[str, Any]) -> None:
        reply_id = checks.nullable(checks.text)("response_id", event.get("response_id"))
        if not self.session.interrupt("client_cancelled", reply_id):
            message = "Cancellation failed: no active response found"
            raise ProtocolError(message, code="response_cancel_not_active")

    def _output_clear(self, event: Mapping[str, Any]) -> None:
        message = "output_audio_buffer.clear is for WebRTC and SIP; a WebSocket client holds its audio itself."
        raise ProtocolError(message, code="invalid_event")

    # ---- to the client ----

    def tell(self, event: Event) -> None:
        for type, fields in server_events(event, self._configuration, self._id):
            self._send(type, **fields)

    def _send_audio(self, says: Says, pcm: bytes) -> None:
        for type, fields in audio_deltas(says, pcm):
            self._send(type, **fields)

    def _send(self, type: str, **fields: Any) -> None:
        self._send_raw({"type": type, "event_id": new_id("event"), **fields})


HANDLERS: Mapping[str, Callable[[Conversation, Mapping[str, Any]], Iterator[None] | None]] = {
    "session.update": Conversation._session_update,
    "input_audio_buffer.append": Conversation._append,
    "input_audio_buffer.commit": Conversation._commit,
    "input_audio_buffer.clear": Conversation._clear,
    "conversation.item.create": Conversation._item_create,
    "conversation.item.retrieve": Conversation._item_retrieve,
    "conversation.item.truncate": Conversation._item_truncate,
    "conversation.item.delete": Conversation._item_delete,
    "response.create": Conversation._response_create,
    "response.cancel": Conversation._response_cancel,
    "output_audio_buffer.clear": Conversation._output_clear,
}


def _audio_of(event: Mapping[str, Any]) -> bytes:
    audio = checks.text("audio", event.get("audio"))
    if len(audio) > LARGEST_APPEND:
        raise ProtocolError("audio is larger than 15 MiB.", code="invalid_value", param="audio")
    try:
        return base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        message = "Invalid 'audio'. Expected base64-encoded audio bytes."
        raise ProtocolError(message, code="invalid_value", param="audio") from None


def _no_item(item_id: object, code: str, param: str) -> ProtocolError:
    return ProtocolError(f"Item with item_id '{item_id}' not found.", code=code, param=param)


def _ear_resampler() -> Any:
    """QQ lags by 0.1 ms where the better settings lag by 7 to 31; speech below 8 kHz survives it."""
    import soxr

    return soxr.ResampleStream(RATE_HZ, EAR_RATE_HZ, 1, dtype="int16", quality="QQ")
