"""What messages are made of, as the Realtime API writes it and back: texts, recordings, pictures."""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airos_edge.errors import ProtocolError
from airos_edge.realtime import checks
from airos_edge.voice.history import Item, Part, Role, words_of

TEXTS = ("input_text", "output_text", "text")
LARGEST_PICTURE = 4 * 1024 * 1024
"""Characters of its data URI: 3 MB of picture."""
MOST_SHOWN = 960_000
"""Characters of one item's text, or of its sound and pictures, in one event: every frame stays under the
1 MiB that pipecat reads."""
SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}
"""What the files of each kind begin with."""


@dataclass(frozen=True, slots=True)
class Given:
    """An item that a client brings, and the sound of its recording, in the session's input format."""

    item: Item
    audio: bytes = b""


# ---- from a client ------------------------------------------------------------------------------


def message_in(given: Mapping[str, Any], path: str, item_id: str) -> Given:
    """Raises ProtocolError, with `unsupported_content_type` for what may not be in such a message."""
    role: Role = checks.one_of("user", "assistant", "system")(f"{path}.role", given.get("role"))
    pieces = [
        (f"{path}.content[{place}]", piece)
        for place, piece in enumerate(checks.sequence(f"{path}.content", given.get("content")))
    ]
    parts = tuple(_part_in(checks.mapping(at, piece), at, role) for at, piece in pieces)
    recorded = [(at, piece) for at, piece in pieces if piece["type"] == "input_audio"]
    for at, _ in recorded[1:]:
        raise _unsupported(at, "a message has one recording at most")
    audio = _audio_of(*recorded[0]) if recorded else b""
    if len(parts) == 1 and parts[0].kind != "image":
        return Given(Item(item_id, role=role, text=parts[0].text, spoken=bool(recorded)), audio)
    text = words_of(parts)
    return Given(Item(item_id, role=role, text=text, spoken=bool(recorded), parts=parts), audio)


def _part_in(piece: Mapping[str, Any], path: str, role: Role) -> Part:
    kind = piece.get("type")
    if kind in TEXTS:
        return Part("text", checks.text(f"{path}.text", piece.get("text")))
    if kind == "input_audio" and role == "user":
        transcript = checks.nullable(checks.text)(f"{path}.transcript", piece.get("transcript"))
        return Part("audio", transcript)
    if kind == "input_image" and role == "user":
        url = _picture(f"{path}.image_url", piece.get("image_url"))
        detail = checks.one_of("auto", "low", "high")
        return Part("image", url=url, detail=detail(f"{path}.detail", piece.get("detail", "auto")))
    wanted = "input_text, input_audio or input_image" if role == "user" else "text"
    raise _unsupported(path, f"a message of the {role} has {wanted}, not '{kind}'")


def _unsupported(path: str, why: str) -> ProtocolError:
    message = f"Unsupported content: {why}."
    return ProtocolError(message, code="unsupported_content_type", param=f"{path}.type")


def _audio_of(path: str, piece: Mapping[str, Any]) -> bytes:
    """A recording may be left out where its transcript says what was in it."""
    if piece.get("audio") is None and piece.get("transcript") is not None:
        return b""
    return decoded(f"{path}.audio", piece.get("audio"))


def _picture(path: str, value: Any) -> str:
    """A data URI; nothing is fetched for a client."""
    url = checks.text(path, value)
    head, comma, data = url.partition(";base64,")
    kind = head.removeprefix("data:").lower().replace("image/jpg", "image/jpeg")
    if not comma or not head.startswith("data:") or kind not in SIGNATURES:
        raise checks.invalid(
            path, "a data URI of a PNG, JPEG, WebP or GIF: data:image/png;base64,…"
        )
    if len(url) > LARGEST_PICTURE:
        raise checks.invalid(path, f"a picture of {LARGEST_PICTURE // 4 * 3 // 1024} KiB or less")
    if not decoded(path, data).startswith(SIGNATURES[kind]):
        raise checks.invalid(path, f"a picture that is {kind}, as its data URI says")
    return f"data:{kind};base64,{data}"


def decoded(path: str, value: Any) -> bytes:
    """Base64. Raises ProtocolError."""
    try:
        return binascii.a2b_base64(checks.text(path, value), strict_mode=True)
    except ValueError:
        message = f"Invalid '{path}'. Expected base64-encoded bytes."
        raise ProtocolError(message, code="invalid_value", param=path) from None


# ---- to a client --------------------------------------------------------------------------------


def content_out(item: Item, audio: str | None = None) -> list[dict[str, Any]]:
    """`audio`: its sound as base64, for who retrieves it; None: an announcement, without bytes of sound or
    pictures. Pictures that would make the event too large for a frame are left out of both."""
    if not item.parts:
        return [_own_part(item, audio)]
    shown, room = [], MOST_SHOWN - len(audio or "")
    for part in item.parts:
        match part.kind:
            case "text":
                side = "output" if item.role == "assistant" else "input"
                shown.append({"type": f"{side}_text", "text": part.text})
            case "audio":
                sound = {"audio": audio} if audio else {}
                shown.append({"type": "input_audio", **sound, "transcript": part.text})
            case "image":
                is_shown = audio is not None and len(part.url) <= room
                room -= len(part.url) if is_shown else 0
                picture = {"image_url": part.url} if is_shown else {}
                shown.append({"type": "input_image", **picture, "detail": part.detail})
    return shown


def _own_part(item: Item, audio: str | None) -> dict[str, Any]:
    side = "output" if item.role == "assistant" else "input"
    if item.spoken:
        sound = {"audio": audio} if audio else {}
        return {"type": f"{side}_audio", **sound, "transcript": item.text}
    return {"type": f"{side}_text", "text": item.text or ""}
