"""What a session tells, as the API's server events: values to values, in the order the API promises."""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from airos_edge.realtime import mcp_items, messages
from airos_edge.voice import events
from airos_edge.voice.ids import chance
from airos_edge.voice.ports import Says

AUDIO_PER_EVENT = 240_000
"""Bytes of PCM in one event: with base64, every frame stays under the 1 MiB that pipecat reads."""
PADDED_TO = 16
"""The length of a delta and its obfuscation together is a multiple of this, as in OpenAI's own."""

ServerEvent = tuple[str, dict[str, Any]]
"""Its type and its fields, but for the event's own id."""
HistoryChanged = (
    events.ItemAdded
    | events.ItemDeleted
    | events.ItemTruncated
    | events.WorkStarted
    | events.WorkEnded
)


def server_events(
    event: events.Event,
    configuration: Mapping[str, Any],
    conversation_id: str,
    rate_limits: Callable[[], list[dict[str, Any]]] = list,
) -> Iterator[ServerEvent]:
    """Nothing for what the API has no words for, such as a wake word."""
    match event:
        case events.SpeechStarted() | events.SpeechStopped() if event.opened_by == "push":
            return  # the client knows when it began and ended
        case (
            events.SpeechStarted()
            | events.SpeechStopped()
            | events.QuestionEnded()
            | events.IdleTimedOut()
        ):
            yield _heard(event)
        case events.TranscriptChanged() | events.Transcribed() | events.TranscriptionFailed():
            if configuration["audio"]["input"]["transcription"] is not None:
                yield from _transcription(event)
        case _ if isinstance(event, HistoryChanged):
            yield from _history(event)
        case events.ReplyStarted() | events.ReplyEnded():
            yield from _reply(event, configuration, conversation_id, rate_limits)
        case events.ItemStarted():
            yield from _item_started(event)
        case events.TextSaid():
            kind = "output_audio_transcript" if event.spoken else "output_text"
            place = _place(event.reply_id, event.item_id, event.output_index)
            yield f"response.{kind}.delta", {**place, "delta": event.text}
        case events.ItemEnded():
            yield from _item_ended(event)


def obfuscated(event: ServerEvent) -> ServerEvent:
    """Words get letters of chance beside them, as from OpenAI: who sees only how long the encrypted frames
    are learns less of what is said."""
    type, fields = event
    if not type.endswith(".delta"):
        return event
    missing = PADDED_TO - len(fields["delta"]) % PADDED_TO
    return type, {**fields, "obfuscation": chance(missing)}


def audio_deltas(says: Says, pcm: bytes) -> Iterator[ServerEvent]:
    """The sound of a reply, in the client's format."""
    place = _place(says.reply_id, says.item_id, says.output_index)
    for start in range(0, len(pcm), AUDIO_PER_EVENT):
        delta = base64.b64encode(pcm[start : start + AUDIO_PER_EVENT]).decode()
        yield "response.output_audio.delta", {**place, "delta": delta}


def _heard(
    event: events.SpeechStarted | events.SpeechStopped | events.QuestionEnded | events.IdleTimedOut,
) -> ServerEvent:
    kind = "input_audio_buffer"
    match event:
        case events.SpeechStarted():
            start = {"audio_start_ms": event.start_ms, "item_id": event.item_id}
            return f"{kind}.speech_started", start
        case events.SpeechStopped():
            end = {"audio_end_ms": event.end_ms, "item_id": event.item_id}
            return f"{kind}.speech_stopped", end
        case events.QuestionEnded():
            item = {"item_id": event.item.id, "previous_item_id": event.previous_id}
            return f"{kind}.committed", item
    silence = {"audio_start_ms": event.start_ms, "audio_end_ms": event.end_ms}
    return f"{kind}.timeout_triggered", {**silence, "item_id": event.item_id}


def _transcription(
    event: events.TranscriptChanged | events.Transcribed | events.TranscriptionFailed,
) -> Iterator[ServerEvent]:
    kind = "conversation.item.input_audio_transcription"
    place = {"item_id": event.item_id, "content_index": 0}
    if isinstance(event, events.TranscriptionFailed):
        error = {**messages.engine_failed(event.message), "param": None}
        yield f"{kind}.failed", {**place, "error": error}
        return
    more = event.agreed if isinstance(event, events.TranscriptChanged) else event.rest
    if more:
        yield f"{kind}.delta", {**place, "delta": more}
    if isinstance(event, events.TranscriptChanged):
        return
    usage = {"type": "duration", "seconds": event.audio_ms / 1000}
    yield f"{kind}.completed", {**place, "transcript": event.text, "usage": usage}


def _history(event: HistoryChanged) -> Iterator[ServerEvent]:
    match event:
        case events.WorkStarted() | events.WorkEnded():
            yield from mcp_items.work_events(event)
        case events.ItemAdded():
            item = messages.item_out(event.item)
            fields = {"item": item, "previous_item_id": event.previous_id}
            yield "conversation.item.added", fields
            yield "conversation.item.done", fields
        case events.ItemDeleted():
            yield "conversation.item.deleted", {"item_id": event.item_id}
        case events.ItemTruncated():
            cut = {"content_index": 0, "audio_end_ms": event.heard_ms}
            yield "conversation.item.truncated", {"item_id": event.item_id, **cut}


def _reply(
    event: events.ReplyStarted | events.ReplyEnded,
    configuration: Mapping[str, Any],
    conversation_id: str,
    rate_limits: Callable[[], list[dict[str, Any]]],
) -> Iterator[ServerEvent]:
    response = messages.response(event, configuration, conversation_id)
    if isinstance(event, events.ReplyStarted):
        yield "response.created", {"response": response}
    else:
        yield "response.done", {"response": response}
        yield "rate_limits.updated", {"rate_limits": rate_limits()}


def _item_started(event: events.ItemStarted) -> Iterator[ServerEvent]:
    item = messages.item_out(event.item, with_content=False)
    index = {"response_id": event.reply_id, "output_index": event.output_index}
    yield "response.output_item.added", {**index, "item": item}
    if not event.apart:
        added = {"item": item, "previous_item_id": event.previous_id}
        yield "conversation.item.added", added
    if event.item.kind == "mcp_call":
        yield from mcp_items.call_begins(event)
    elif event.item.kind == "message":
        place = _place(event.reply_id, event.item.id, event.output_index)
        part = messages.part(event.item, with_content=False)
        yield "response.content_part.added", {**place, "part": part}


def _item_ended(event: events.ItemEnded) -> Iterator[ServerEvent]:
    item, out = event.item, messages.item_out(event.item)
    place = _place(event.reply_id, item.id, event.output_index)
    text = item.text or ""
    if item.kind == "function_call":
        del place["content_index"]
        call = {**place, "call_id": item.call_id}
        kind = "response.function_call_arguments"
        yield f"{kind}.delta", {**call, "delta": item.arguments}
        yield f"{kind}.done", {**call, "name": item.name, "arguments": item.arguments}
    elif item.kind == "mcp_call":
        yield from mcp_items.call_ends(event)
    elif item.kind != "message":
        pass
    elif item.spoken:
        yield "response.output_audio.done", place
        yield "response.output_audio_transcript.done", {**place, "transcript": text}
        yield "response.content_part.done", {**place, "part": messages.part(item)}
    else:
        yield "response.output_text.done", {**place, "text": text}
        yield "response.content_part.done", {**place, "part": messages.part(item)}
    if not event.apart:
        yield "conversation.item.done", {"item": out, "previous_item_id": event.previous_id}
    index = {"response_id": event.reply_id, "output_index": event.output_index}
    yield "response.output_item.done", {**index, "item": out}


def _place(reply_id: str, item_id: str, output_index: int) -> dict[str, Any]:
    return {
        "response_id": reply_id,
        "item_id": item_id,
        "output_index": output_index,
        "content_index": 0,
    }
