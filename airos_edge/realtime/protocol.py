"""One client's conversation: its events to calls on the session, what the session tells to events.

It does no I/O and remembers nothing but the configuration as the client wrote it: what was said, who
speaks and what was heard is the voice's to know.
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from airos_edge.errors import BusyError, ProtocolError
from airos_edge.realtime import messages
from airos_edge.realtime.configuration import RATE_HZ, manner_of, rules_of, updated
from airos_edge.realtime.mouth import RealtimeMouth
from airos_edge.voice import events
from airos_edge.voice.audio import RATE_HZ as EAR_RATE_HZ
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.endpoint import TurnRules
from airos_edge.voice.floor import Floor
from airos_edge.voice.history import ROOT, DuplicateItem, Item, UnknownItem
from airos_edge.voice.ids import new_id
from airos_edge.voice.ports import Prompt, Says
from airos_edge.voice.session import Session

LARGEST_APPEND = 15 * 1024 * 1024
"""Of base64, as OpenAI has it."""
SHORTEST_COMMIT_MS = 100
AUDIO_PER_FRAME = 240_000
"""Bytes of PCM in one event, so that every frame stays under 1 MiB."""


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
        session.manner = manner_of(self._configuration, session.manner)
        self._send("session.created", session=self._configuration)

    def open_mouth(self, says: Says) -> RealtimeMouth:
        return RealtimeMouth(says, self._send_audio, self._room)

    # ---- from the client ----

    def receive(self, text: str) -> None:
        """One frame. What is wrong with it is told to the client; nothing is raised."""
        event_id: str | None = None
        try:
            event = _decoded(text)
            event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
            handler = HANDLERS.get(event["type"])
            if handler is None:
                message = f"Invalid value: '{event['type']}'. Supported values are: {', '.join(HANDLERS)}."
                raise ProtocolError(message, code="invalid_value", param="type")
            handler(self, event)
        except ProtocolError as problem:
            self._send(**messages.error(str(problem), problem.code, problem.param, event_id))

    def _session_update(self, event: Mapping[str, Any]) -> None:
        self._configuration = updated(self._configuration, event.get("session"))
        self.session.ear.obey(self.rules())
        self.session.manner = manner_of(self._configuration, self.session.manner)
        self._send("session.updated", session=self._configuration)

    def _append(self, event: Mapping[str, Any]) -> None:
        pcm = self._odd + _audio_of(event)
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        samples = self._resampler.resample_chunk(np.frombuffer(pcm[:whole], "<i2"))
        if len(samples):
            self.session.feed(AudioChunk(samples.astype("<i2").tobytes()))

    def _commit(self, event: Mapping[str, Any]) -> None:
        utterance = self.session.ear.utterance
        recorded_ms = utterance.ms if utterance else 0
        if recorded_ms < SHORTEST_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                f"but buffer only has {recorded_ms:.2f}ms of audio."
            )
            raise ProtocolError(message, code="input_audio_buffer_commit_empty")
        self.session.commit()

    def _clear(self, event: Mapping[str, Any]) -> None:
        self.session.clear()
        self._send("input_audio_buffer.cleared")

    def _item_create(self, event: Mapping[str, Any]) -> None:
        item = messages.item_in(event.get("item"))
        after = event.get("previous_item_id")
        try:
            self.session.add(item, ROOT if after == "root" else after)
        except DuplicateItem:
            message = f"Error adding item: an item with ID '{item.id}' already exists."
            raise ProtocolError(
                message, code="item_create_duplicate_item_id", param="item.id"
            ) from None
        except UnknownItem:
            raise _no_item(
                after, "item_create_invalid_previous_item_id", "previous_item_id"
            ) from None

    def _item_retrieve(self, event: Mapping[str, Any]) -> None:
        item = self._item(event, "item_retrieve_invalid_item_id")
        self._send("conversation.item.retrieved", item=messages.item_out(item))

    def _item_truncate(self, event: Mapping[str, Any]) -> None:
        """More than there is to hear is clamped: clients overshoot by some milliseconds."""
        item = self._item(event, "item_truncate_invalid_item_id")
        if item.role != "assistant" or not item.spoken:
            message = "Only model output audio messages can be truncated."
            raise ProtocolError(message, code="invalid_value", param="item_id")
        end_ms = event.get("audio_end_ms")
        if isinstance(end_ms, bool) or not isinstance(end_ms, int | float) or end_ms < 0:
            raise ProtocolError(
                "audio_end_ms wants milliseconds.", code="invalid_value", param="audio_end_ms"
            )
        self.session.truncate(item.id, round(end_ms))

    def _item_delete(self, event: Mapping[str, Any]) -> None:
        self.session.delete(self._item(event, "item_delete_invalid_item_id").id)

    def _item(self, event: Mapping[str, Any], code: str) -> Item:
        item_id = event.get("item_id")
        if not isinstance(item_id, str):
            raise ProtocolError(
                "item_id is missing.", code="missing_required_parameter", param="item_id"
            )
        try:
            return self.session.history.get(item_id)
        except UnknownItem:
            raise _no_item(item_id, code, "item_id") from None

    def _response_create(self, event: Mapping[str, Any]) -> None:
        if self._configuration["type"] != "realtime":
            raise ProtocolError("A transcription session has no responses.", code="invalid_event")
        given = event.get("response") or {}
        apart = given.get("conversation") == "none"
        metadata = given.get("metadata")
        prompt = self._prompt(given)
        floor = Floor(self.open_mouth) if apart else None
        try:
            self.session.respond(prompt, metadata, floor)
        except BusyError:
            message = (
                "Conversation already has an active response in progress. "
                "Wait until the response is finished before creating a new one."
            )
            raise ProtocolError(message, code="conversation_already_has_active_response") from None

    def _prompt(self, given: Any) -> Prompt:
        """The session's own, but for what the response says of itself."""
        if not isinstance(given, dict):
            raise ProtocolError(
                "response must be an object", code="invalid_value", param="response"
            )
        keys = ("instructions", "tools", "tool_choice", "output_modalities", "max_output_tokens")
        changes = {key: given[key] for key in keys if given.get(key) is not None}
        if "modalities" in given:
            changes.setdefault("output_modalities", given["modalities"])
        configuration = updated(self._configuration, changes)
        prompt = manner_of(configuration, self.session.manner)
        items = given.get("input")
        if items is None:
            return replace(prompt, items=self.session.prompt().items)
        if not isinstance(items, list):
            raise ProtocolError(
                "response.input must be a list", code="invalid_value", param="response.input"
            )
        return replace(prompt, items=tuple(self._input(item, n) for n, item in enumerate(items)))

    def _input(self, given: Any, place: int) -> Item:
        path = f"response.input[{place}]"
        if isinstance(given, dict) and given.get("type") == "item_reference":
            return self._item({"item_id": given.get("id")}, "item_not_found")
        return messages.item_in(given, path)

    def _response_cancel(self, event: Mapping[str, Any]) -> None:
        if not self.session.interrupt("client_cancelled", event.get("response_id")):
            message = "Cancellation failed: no active response found"
            raise ProtocolError(message, code="response_cancel_not_active")

    def _output_clear(self, event: Mapping[str, Any]) -> None:
        message = "output_audio_buffer.clear is for WebRTC and SIP; a WebSocket client holds its audio itself."
        raise ProtocolError(message, code="invalid_event")

    # ---- to the client ----

    def tell(self, event: events.Event) -> None:
        teller = TELLERS.get(type(event))
        if teller is not None:
            teller(self, event)

    def _speech_started(self, event: events.SpeechStarted) -> None:
        if event.opened_by != "push":
            self._send(
                "input_audio_buffer.speech_started",
                audio_start_ms=event.start_ms,
                item_id=event.item_id,
            )

    def _speech_stopped(self, event: events.SpeechStopped) -> None:
        if event.opened_by != "push":
            self._send(
                "input_audio_buffer.speech_stopped",
                audio_end_ms=event.end_ms,
                item_id=event.item_id,
            )

    def _question_ended(self, event: events.QuestionEnded) -> None:
        self._send(
            "input_audio_buffer.committed",
            item_id=event.item.id,
            previous_item_id=event.previous_id,
        )

    def _item_added(self, event: events.ItemAdded) -> None:
        item = messages.item_out(event.item)
        for kind in ("added", "done"):
            self._send(f"conversation.item.{kind}", item=item, previous_item_id=event.previous_id)

    def _item_deleted(self, event: events.ItemDeleted) -> None:
        self._send("conversation.item.deleted", item_id=event.item_id)

    def _item_truncated(self, event: events.ItemTruncated) -> None:
        self._send(
            "conversation.item.truncated",
            item_id=event.item_id,
            content_index=0,
            audio_end_ms=event.heard_ms,
        )

    def _transcribed(self, event: events.Transcribed) -> None:
        if self._configuration["audio"]["input"]["transcription"] is None:
            return
        kind, place = (
            "conversation.item.input_audio_transcription",
            {
                "item_id": event.item_id,
                "content_index": 0,
            },
        )
        if event.text:
            self._send(f"{kind}.delta", **place, delta=event.text)
        usage = {"type": "duration", "seconds": event.audio_ms / 1000}
        self._send(f"{kind}.completed", **place, transcript=event.text, usage=usage)

    def _transcription_failed(self, event: events.TranscriptionFailed) -> None:
        if self._configuration["audio"]["input"]["transcription"] is not None:
            self._send(
                "conversation.item.input_audio_transcription.failed",
                item_id=event.item_id,
                content_index=0,
                error={
                    "type": "server_error",
                    "code": "engine_failed",
                    "message": event.message,
                    "param": None,
                },
            )

    def _reply_started(self, event: events.ReplyStarted) -> None:
        self._send("response.created", response=self._response(event, None))

    def _item_started(self, event: events.ItemStarted) -> None:
        item = messages.item_out(event.item, with_content=False)
        self._send(
            "response.output_item.added",
            response_id=event.reply_id,
            output_index=event.output_index,
            item=item,
        )
        if not event.apart:
            self._send("conversation.item.added", item=item, previous_item_id=event.previous_id)
        if event.item.kind == "message":
            self._send(
                "response.content_part.added",
                **_place(event.reply_id, event.item.id, event.output_index),
                part=messages.part(event.item, with_content=False),
            )

    def _text_said(self, event: events.TextSaid) -> None:
        kind = "output_audio_transcript" if event.spoken else "output_text"
        place = _place(event.reply_id, event.item_id, event.output_index)
        self._send(f"response.{kind}.delta", **place, delta=event.text)

    def _item_ended(self, event: events.ItemEnded) -> None:
        item, place = event.item, _place(event.reply_id, event.item.id, event.output_index)
        if item.kind == "function_call":
            del place["content_index"]
            call = {**place, "call_id": item.call_id}
            self._send("response.function_call_arguments.delta", **call, delta=item.arguments)
            self._send(
                "response.function_call_arguments.done",
                **call,
                name=item.name,
                arguments=item.arguments,
            )
        elif item.spoken:
            self._send("response.output_audio.done", **place)
            self._send("response.output_audio_transcript.done", **place, transcript=item.text or "")
            self._send("response.content_part.done", **place, part=messages.part(item))
        else:
            self._send("response.output_text.done", **place, text=item.text or "")
            self._send("response.content_part.done", **place, part=messages.part(item))
        out = messages.item_out(item)
        if not event.apart:
            self._send("conversation.item.done", item=out, previous_item_id=event.previous_id)
        self._send(
            "response.output_item.done",
            response_id=event.reply_id,
            output_index=event.output_index,
            item=out,
        )

    def _reply_ended(self, event: events.ReplyEnded) -> None:
        self._send("response.done", response=self._response(event, event.outcome))
        self._send("rate_limits.updated", rate_limits=[])

    def _response(
        self, event: events.ReplyStarted | events.ReplyEnded, outcome: events.Outcome | None
    ) -> dict[str, Any]:
        return messages.response(
            event.reply_id,
            self._configuration,
            event.prompt.speaking is not None,
            outcome,
            None if event.apart else self._id,
            event.metadata,
        )

    def _send_audio(self, says: Says, pcm: bytes) -> None:
        place = _place(says.reply_id, says.item_id, says.output_index)
        for start in range(0, len(pcm), AUDIO_PER_FRAME):
            audio = base64.b64encode(pcm[start : start + AUDIO_PER_FRAME]).decode()
            self._send("response.output_audio.delta", **place, delta=audio)

    def _send(self, type: str, **fields: Any) -> None:
        self._send_raw({"type": type, "event_id": new_id("event"), **fields})


HANDLERS: Mapping[str, Callable[[Conversation, Mapping[str, Any]], None]] = {
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
TELLERS: Mapping[type[events.Event], Callable[[Conversation, Any], None]] = {
    events.SpeechStarted: Conversation._speech_started,
    events.SpeechStopped: Conversation._speech_stopped,
    events.QuestionEnded: Conversation._question_ended,
    events.ItemAdded: Conversation._item_added,
    events.ItemDeleted: Conversation._item_deleted,
    events.ItemTruncated: Conversation._item_truncated,
    events.Transcribed: Conversation._transcribed,
    events.TranscriptionFailed: Conversation._transcription_failed,
    events.ReplyStarted: Conversation._reply_started,
    events.ItemStarted: Conversation._item_started,
    events.TextSaid: Conversation._text_said,
    events.ItemEnded: Conversation._item_ended,
    events.ReplyEnded: Conversation._reply_ended,
}


def _decoded(text: str) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except ValueError:
        raise ProtocolError("The event is not valid JSON.", code="invalid_json") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        message = "The event has no 'type'."
        raise ProtocolError(message, code="missing_required_parameter", param="type")
    return event


def _audio_of(event: Mapping[str, Any]) -> bytes:
    audio = event.get("audio")
    if not isinstance(audio, str):
        raise ProtocolError("audio is missing.", code="missing_required_parameter", param="audio")
    if len(audio) > LARGEST_APPEND:
        raise ProtocolError("audio is larger than 15 MiB.", code="invalid_value", param="audio")
    try:
        return base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        message = "Invalid 'audio'. Expected base64-encoded audio bytes."
        raise ProtocolError(message, code="invalid_value", param="audio") from None


def _no_item(item_id: object, code: str, param: str) -> ProtocolError:
    return ProtocolError(f"Item with item_id '{item_id}' not found.", code=code, param=param)


def _place(reply_id: str, item_id: str, output_index: int) -> dict[str, Any]:
    return {
        "response_id": reply_id,
        "item_id": item_id,
        "output_index": output_index,
        "content_index": 0,
    }


def _ear_resampler() -> Any:
    """QQ lags by 0.1 ms where the better settings lag by 7 to 31; speech below 8 kHz survives it."""
    import soxr

    return soxr.ResampleStream(RATE_HZ, EAR_RATE_HZ, 1, dtype="int16", quality="QQ")
