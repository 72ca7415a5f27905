"""The API as it was in beta: its events to today's where they come in, today's to its own where they go out.

Nothing else knows of it. OpenAI has turned it off, and clients that were never moved on still speak it:
flat session fields, `response.audio.delta`, one `conversation.item.created` in place of `added` and `done`.
Flat fields are understood of every client, as some that have moved on still send one of them.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from airos_edge.voice.ids import new_id

Event = Mapping[str, Any]
Json = dict[str, Any]

FLAT: Mapping[str, tuple[str, ...]] = {
    "modalities": ("output_modalities",),
    "max_response_output_tokens": ("max_output_tokens",),
    "voice": ("audio", "output", "voice"),
    "speed": ("audio", "output", "speed"),
    "output_audio_format": ("audio", "output", "format"),
    "input_audio_format": ("audio", "input", "format"),
    "input_audio_transcription": ("audio", "input", "transcription"),
    "input_audio_noise_reduction": ("audio", "input", "noise_reduction"),
    "turn_detection": ("audio", "input", "turn_detection"),
}
"""Where a field of a beta session, or of a beta `response.create`, is today."""
BETA_ALONE = {"temperature", "client_secret"}
"""What today's sessions have nowhere; `temperature` is echoed, and nothing is done with it."""
TODAYS = {"type", "audio", "output_modalities"}
"""What no client of the beta sends in a session or a response."""
AFTER_BETA = {"parallel_tool_calls", "reasoning", "truncation", "prompt"}
"""What no session of the beta has."""
TEMPERATURE = 0.8
FORMATS: Mapping[str, Json] = {
    "pcm16": {"type": "audio/pcm", "rate": 24_000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
CONTENT = {"output_text": "text", "output_audio": "audio"}
"""The content of an assistant's item, and what it was called."""
RENAMED = {
    "response.output_audio": "response.audio",
    "response.output_audio_transcript": "response.audio_transcript",
    "response.output_text": "response.text",
}
"""But for the `.delta` or `.done` at their end."""
BODIES = {
    "session.update": "session",
    "transcription_session.update": "session",
    "response.create": "response",
}


def asks_for_beta(headers: Mapping[str, str]) -> bool:
    """By its header, or a browser's subprotocol."""
    offered = headers.get("Sec-WebSocket-Protocol", "").split(",")
    return "realtime=v1" in headers.get("OpenAI-Beta", "") or "openai-beta.realtime-v1" in map(
        str.strip, offered
    )


class Dialect:
    """What one connection speaks: today's API, until the client is seen to speak the beta's."""

    def __init__(self, conversation_id: str, beta: bool = False) -> None:
        self.beta = beta
        self._conversation_id = conversation_id
        self._is_known = beta
        self._temperature: Any = TEMPERATURE

    def read(self, event: Event) -> Event:
        """A client's event as today's API has it. What is no such thing is left for others to refuse."""
        key = BODIES.get(event["type"])
        body = event.get(key) if key else None
        if key and isinstance(body, dict):
            self._notice(event["type"], body)
            event = {**event, key: nested(body, BETA_ALONE if self.beta else set())}
        if event["type"] == "transcription_session.update":
            session = event.get("session")
            typed = transcribing(session) if isinstance(session, dict) else session
            return {**event, "type": "session.update", "session": typed}
        if isinstance(event.get("item"), dict):
            return {**event, "item": _item_in(event["item"])}
        return event

    def written(self, event: Event) -> Iterator[Event]:
        """An event of today's API as the client knows it: none, one, or at first two."""
        if not self.beta:
            yield event
            return
        kind = event["type"]
        if kind == "conversation.item.done":
            return
        yield {**event, "type": _renamed(event), **self._parts(event)}
        if kind == "session.created" and event["session"]["type"] == "realtime":
            about = {"id": self._conversation_id, "object": "realtime.conversation"}
            event_id = new_id("event")
            yield {"type": "conversation.created", "event_id": event_id, "conversation": about}

    def _notice(self, kind: str, body: Json) -> None:
        """The first session or response that has a field which is only the one or the other's tells."""
        of_the_beta = FLAT.keys() | BETA_ALONE
        if not self._is_known and kind.startswith("transcription_session"):
            self.beta = self._is_known = True
        if not self._is_known and body.keys() & (of_the_beta | TODAYS):
            self.beta, self._is_known = not body.keys() & TODAYS, True
        if self.beta and kind == "session.update":
            self._temperature = body.get("temperature", self._temperature)

    def _parts(self, event: Event) -> Json:
        """Those of its fields that the beta has otherwise."""
        parts: Json = {}
        if "session" in event:
            parts["session"] = session_out(event["session"], self._temperature)
        if "response" in event:
            parts["response"] = _response_out(event["response"], self._temperature)
        if "item" in event:
            parts["item"] = _item_out(event["item"])
        if event["type"] == "error":
            texts = {key: _flat_names(event["error"][key]) for key in ("message", "param")}
            parts["error"] = {**event["error"], **texts}
        return parts


# ---- in -----------------------------------------------------------------------------------------


def nested(body: Mapping[str, Any], left_out: Collection[str] = BETA_ALONE) -> Json:
    """A session or a response with its flat fields where they are today, unless they are there as well."""
    whole = {key: value for key, value in body.items() if key not in {*FLAT, *left_out}}
    for key in FLAT.keys() & body.keys():
        place, *path = whole, *FLAT[key]
        for step in path[:-1]:
            inner = place.get(step)
            place[step] = dict(inner) if isinstance(inner, dict) else {}
            place = place[step]
        place.setdefault(path[-1], _value_in(key, body[key]))
    if isinstance(whole.get("input"), list):
        whole["input"] = [_item_in(item) for item in whole["input"]]
    return whole


def transcribing(session: Mapping[str, Any]) -> Json:
    """A session of today that only transcribes: in the beta it could have modalities all the same."""
    kept = dict(session)
    if isinstance(kept.get("output_modalities"), list):
        del kept["output_modalities"]
    return {**kept, "type": "transcription"}


def _value_in(key: str, value: Any) -> Any:
    if key.endswith("_format") and isinstance(value, str):
        return FORMATS.get(value, value)
    if key == "modalities" and isinstance(value, list) and "audio" in value:
        return [kind for kind in value if kind != "text"]
    return value


def _item_in(item: Any) -> Any:
    if not isinstance(item, dict) or item.get("role") != "assistant":
        return item
    todays = {old: new for new, old in CONTENT.items()}
    return _with_content(item, todays)


# ---- out ----------------------------------------------------------------------------------------


def session_out(session: Mapping[str, Any], temperature: Any = TEMPERATURE) -> Json:
    """A session, or a transcription session, in the beta's shape."""
    flat = {
        key: value for key, value in session.items() if key not in TODAYS and key not in AFTER_BETA
    }
    for key, path in FLAT.items():
        value: Any = session
        for step in path:
            value = value.get(step, session) if isinstance(value, dict) else session
        if value is not session:
            flat[key] = _value_out(key, value)
    flat.pop("max_output_tokens", None)
    if session["type"] == "realtime":
        flat["temperature"] = temperature
    return {**flat, "client_secret": None}


def _response_out(response: Mapping[str, Any], temperature: Any) -> Json:
    flat = {key: value for key, value in response.items() if key not in TODAYS}
    output = (response.get("audio") or {}).get("output") or {}
    return {
        **flat,
        "output": [_item_out(item) for item in response["output"]],
        "modalities": _value_out("modalities", response["output_modalities"]),
        "voice": output.get("voice"),
        "output_audio_format": _value_out("output_audio_format", output.get("format")),
        "temperature": temperature,
    }


def _value_out(key: str, value: Any) -> Any:
    if key.endswith("_format"):
        kind = value.get("type") if isinstance(value, dict) else None
        return next((name for name, todays in FORMATS.items() if todays["type"] == kind), None)
    if key == "modalities":
        return ["text", "audio"] if "audio" in value else value
    return value


def _item_out(item: Mapping[str, Any]) -> Json:
    return {**_with_content(item, CONTENT), "object": "realtime.item"}


def _with_content(item: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    """The item, its parts of content under other names."""
    if not isinstance(item.get("content"), list):
        return dict(item)
    parts = [
        {**part, "type": names[part["type"]]}
        if isinstance(part, dict) and isinstance(part.get("type"), str) and part["type"] in names
        else part
        for part in item["content"]
    ]
    return {**item, "content": parts}


def _renamed(event: Event) -> str:
    kind = str(event["type"])
    if kind == "conversation.item.added":
        return "conversation.item.created"
    if kind.startswith("session.") and event["session"]["type"] == "transcription":
        return f"transcription_{kind}"
    front, _, end = kind.rpartition(".")
    return f"{RENAMED.get(front, front)}.{end}" if front else kind


def _flat_names(text: Any) -> Any:
    """What an error says of a field, by the name that the client gave it."""
    for flat, path in FLAT.items() if isinstance(text, str) else ():
        text = text.replace(".".join(path), flat)
    return text
