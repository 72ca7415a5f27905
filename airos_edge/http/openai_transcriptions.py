"""`POST /v1/audio/transcriptions`: a recording to its words, in each of OpenAI's forms."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from airos_edge.errors import AirosError, ProtocolError
from airos_edge.http import transcripts
from airos_edge.http.hearing import OpenHearing, Segment, hear
from airos_edge.http.openai_form import (
    EVENT_STREAM,
    Places,
    TooLarge,
    answering,
    error_body,
    sse,
    while_there,
)
from airos_edge.http.recording import decode
from airos_edge.visitor import VISITOR, Visitor
from airos_edge.voice.audio import BYTES_PER_SAMPLE, RATE_HZ

LARGEST_BYTES = 25 * 1024 * 1024
"""OpenAI's own limit."""
LONGEST_S = 600
MOST_AT_ONCE = 4
UPLOAD_S = 60.0
LARGEST_FIELD = 16 * 1024
MOST_FIELDS = 64
STREAMED = ("json", "text")


@dataclass(slots=True)
class Form:
    """The parts of the request; a field that is a list in OpenAI's API may be there more than once."""

    file: bytes | None = None
    fields: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str, usual: str = "") -> str:
        return self.fields.get(name, [usual])[-1]


def transcription_routes(
    open_hearing: OpenHearing, language: Callable[[], str]
) -> list[web.RouteDef]:
    """Any model is taken: what hears is the box's recogniser."""
    places = Places(MOST_AT_ONCE, "transcriptions")

    async def post_transcription(request: web.Request) -> web.StreamResponse:
        with places.take():
            form = await _form(request)
            form_name, streams = _how(form)
            pcm = await _sound(form)
            seconds = len(pcm) / BYTES_PER_SAMPLE / RATE_HZ
            request.get(VISITOR, Visitor()).meter.spend("audio_s", seconds)
            spoken = form.one("language") or language()
            segments = hear(pcm, open_hearing, spoken)
            if streams:
                return await _stream(request, segments)
            found = await while_there(request, _all(segments))
        recording = transcripts.Recording(seconds, spoken, found)
        return transcripts.response(form_name, recording)

    async def post_translation(request: web.Request) -> web.StreamResponse:
        message = "Nothing is translated here; /v1/audio/transcriptions gives the words as they were said."
        raise ProtocolError(message, code="unsupported_value", param="model")

    return [
        web.post("/v1/audio/transcriptions", answering(post_transcription)),
        web.post("/v1/audio/translations", answering(post_translation)),
    ]


async def _all(segments: AsyncGenerator[Segment, None]) -> Sequence[Segment]:
    async with aclosing(segments):
        return [segment async for segment in segments]


async def _stream(
    request: web.Request, segments: AsyncGenerator[Segment, None]
) -> web.StreamResponse:
    """A delta for each segment, as soon as its words are known."""
    response = web.StreamResponse(headers=EVENT_STREAM)
    await response.prepare(request)

    async def work() -> None:
        text = ""
        try:
            async with aclosing(segments):
                async for segment in segments:
                    delta = f" {segment.text}" if text else segment.text
                    text += delta
                    await response.write(sse({"type": "transcript.text.delta", "delta": delta}))
        except AirosError as error:
            await response.write(sse({"error": error_body(error)}))
            return
        await response.write(sse({"type": "transcript.text.done", "text": text}))

    await while_there(request, work())
    return response


# ---- the request --------------------------------------------------------------------------------


async def _form(request: web.Request) -> Form:
    """Raises ProtocolError, and TooLarge as soon as too much has come."""
    if request.content_type != "multipart/form-data":
        message = f"The body is {request.content_type}; multipart/form-data is wanted."
        raise ProtocolError(message, code="invalid_content_type")
    try:
        async with asyncio.timeout(UPLOAD_S):
            return await _read_form(request)
    except TimeoutError:
        message = f"The upload was not over after {UPLOAD_S:.0f} s."
        raise ProtocolError(message, code="timeout", param="file") from None
    except (
        ValueError,
        HttpProcessingError,
    ) as error:  # aiohttp's, of what is cut off or no multipart
        raise ProtocolError(f"The body cannot be read: {error}", code="invalid_body") from None


async def _read_form(request: web.Request) -> Form:
    form, count = Form(), 0
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        count += 1
        if not isinstance(part, BodyPartReader) or not part.name or count > MOST_FIELDS:
            raise ProtocolError("The form has parts that are no fields.", code="invalid_body")
        name = part.name.removesuffix("[]")
        if name == "file":
            form.file = await _read(part, LARGEST_BYTES)
        else:
            value = (await _read(part, LARGEST_FIELD)).decode(errors="replace")
            form.fields.setdefault(name, []).append(value)
    return form


async def _read(part: BodyPartReader, largest: int) -> bytes:
    data = bytearray()
    while piece := await part.read_chunk():
        data += piece
        if len(data) > largest:
            limit = f"{largest // 1024**2} MiB" if largest >= 1024**2 else f"{largest} bytes"
            raise TooLarge(f"'{part.name}' is larger than {limit}")
    return bytes(data)


def _how(form: Form) -> tuple[str, bool]:
    """The form of the answer, and whether it is streamed. Raises ProtocolError."""
    name = form.one("response_format", "json")
    if name not in transcripts.FORMS:
        message = f"Invalid value: '{name}'. Supported values are: {', '.join(transcripts.FORMS)}."
        raise ProtocolError(message, code="invalid_value", param="response_format")
    if "word" in form.fields.get("timestamp_granularities", []):
        message = "The recogniser tells no times of single words; 'segment' can be had."
        raise ProtocolError(message, code="unsupported_value", param="timestamp_granularities")
    streams = form.one("stream").lower() in ("true", "1")
    if streams and name not in STREAMED:
        message = f"'{name}' is not streamed; {' and '.join(STREAMED)} are."
        raise ProtocolError(message, code="unsupported_value", param="stream")
    return name, streams


async def _sound(form: Form) -> bytes:
    """16 kHz PCM. Raises ProtocolError, RecordingError."""
    if form.file is None:
        message = "Missing required parameter: 'file'."
        raise ProtocolError(message, code="missing_required_parameter", param="file")
    return await asyncio.to_thread(decode, form.file, LONGEST_S)
