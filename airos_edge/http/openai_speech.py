"""`POST /v1/audio/speech`: a text to the box's voice, sent while it is made."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from airos_edge.errors import AirosError, EngineError, ProtocolError
from airos_edge.http.encoding import FORMATS, Encoder
from airos_edge.http.limits import text_within
from airos_edge.http.openai_form import EVENT_STREAM, Places, answering, error_body, sse
from airos_edge.voice.flow import only
from airos_edge.voice.ports import Speaking, Speech

MOST_AT_ONCE = 8
STALL_S = 30.0
"""How long a voice may take for its next sound, and a client to take what it was sent."""
SLOWEST, FASTEST = 0.25, 4.0

Speak = Callable[[AsyncIterable[str], Speaking], AsyncGenerator[Speech, None]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for."""

    text: str
    how: Speaking
    format: str
    as_events: bool


def speech_routes(
    speak: Speak, language: Callable[[], str], voices: Callable[[], Collection[str]]
) -> list[web.RouteDef]:
    """`voices`: the names that the engine knows; any other is spoken by the box's own voice."""
    places = Places(MOST_AT_ONCE, "speeches")

    async def post_speech(request: web.Request) -> web.StreamResponse:
        wanted = await _wanted(request, language(), voices())
        with places.take():
            speech = speak(only(wanted.text), wanted.how)
            async with aclosing(_pieces(speech, Encoder(wanted.format))) as pieces:
                first = await anext(
                    pieces
                )  # an engine that fails at once is still told by a status
                return await _send(request, wanted, first, pieces)

    return [web.post("/v1/audio/speech", answering(post_speech))]


async def _send(
    request: web.Request, wanted: Wanted, first: bytes, rest: AsyncIterable[bytes]
) -> web.StreamResponse:
    content_type = {hdrs.CONTENT_TYPE: FORMATS[wanted.format].content_type}
    response = web.StreamResponse(headers=EVENT_STREAM if wanted.as_events else content_type)
    await response.prepare(request)
    frame = _event if wanted.as_events else bytes
    try:
        await _write(response, frame(first))
        async for piece in rest:
            if piece:
                await _write(response, frame(piece))
        if wanted.as_events:
            usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
            await _write(response, sse({"type": "speech.audio.done", "usage": usage}))
    except TimeoutError:
        _break_off(request)
    except AirosError as error:
        if wanted.as_events:
            await _write(response, sse({"error": error_body(error)}))
        else:  # a file that ends early must not look like a whole one
            _break_off(request)
    return response


def _break_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _event(sound: bytes) -> bytes:
    return sse({"type": "speech.audio.delta", "audio": base64.b64encode(sound).decode()})


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(STALL_S):
        await response.write(data)


async def _pieces(
    speech: AsyncGenerator[Speech, None], encoder: Encoder
) -> AsyncGenerator[bytes, None]:
    """The file as it is made; its first piece holds sound. Raises EngineError."""
    async with aclosing(speech):
        while True:
            try:
                async with asyncio.timeout(STALL_S):
                    said = await anext(speech)
            except StopAsyncIteration:
                break
            except TimeoutError:
                raise EngineError("tts", f"said nothing for {STALL_S:g} s") from None
            made = encoder.feed(said.chunk)
            if made:
                yield made
    yield encoder.end()


# ---- the request --------------------------------------------------------------------------------


async def _wanted(request: web.Request, language: str, voices: Collection[str]) -> Wanted:
    """Raises ProtocolError, with the parameter that is wrong."""
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ProtocolError("The request's body is not a JSON object.", code="invalid_json")
    kind = _one_of(body, "response_format", "mp3", FORMATS)
    stream = _one_of(body, "stream_format", "audio", ("audio", "sse"))
    name = _voice(body.get("voice"))
    how = Speaking(name if name in voices else None, language, _speed(body.get("speed", 1.0)))
    return Wanted(_input(body.get("input")), how, kind, stream == "sse")


def _input(text: Any) -> str:
    if not isinstance(text, str):
        message = "Missing required parameter: 'input'." if text is None else "'input' is no text."
        code = "missing_required_parameter" if text is None else "invalid_type"
        raise ProtocolError(message, code=code, param="input")
    try:
        return text_within(text, "say")
    except AirosError as error:
        raise ProtocolError(str(error), code="invalid_value", param="input") from None


def _voice(voice: Any) -> str | None:
    """A name, or an object with one as its `id`."""
    name = voice.get("id") if isinstance(voice, dict) else voice
    if name is not None and not isinstance(name, str):
        raise ProtocolError("'voice' is no name.", code="invalid_type", param="voice")
    return name


def _speed(speed: Any) -> float:
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not is_number or not SLOWEST <= speed <= FASTEST:
        message = f"'speed' wants a number from {SLOWEST} to {FASTEST}."
        raise ProtocolError(message, code="invalid_value", param="speed")
    return float(speed)


def _one_of(body: Mapping[str, Any], key: str, usual: str, known: Collection[str]) -> str:
    value = body.get(key) or usual
    if not isinstance(value, str) or value not in known:
        message = f"Invalid value: {value!r}. Supported values are: {', '.join(known)}."
        raise ProtocolError(message, code="invalid_value", param=key)
    return value
