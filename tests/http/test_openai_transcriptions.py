"""`/v1/audio/transcriptions`: the request's form, the streamed answer, and a client that goes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Middleware
from openai.types.audio import (
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
)

from airos_edge.errors import EngineUnavailable
from airos_edge.http import openai_transcriptions
from airos_edge.http.guard import guard
from airos_edge.http.keys import Keys
from airos_edge.http.openai_transcriptions import MOST_AT_ONCE, transcription_routes
from airos_edge.http.settings import Settings
from airos_edge.quota import Allowance, Limits, Quotas
from airos_edge.voice.audio import encode_wav
from tests.fakes import FakeAsr, Fault, Said
from tests.http.hearing import Box, sound
from tests.pulse import wait_until

pytestmark = pytest.mark.real_time

TWICE = encode_wav(sound(500, 1000, 2000, 1000, 1000), 16_000)
Client = TestClient[web.Request, web.Application]


@asynccontextmanager
async def listening(box: Box, *middlewares: Middleware) -> AsyncIterator[Client]:
    app = web.Application(middlewares=middlewares)
    app.add_routes(transcription_routes(box.open_hearing, lambda: "en"))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client


async def ask(client: Client, file: bytes | None = TWICE, **fields: Any) -> aiohttp.ClientResponse:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("model", "whisper-1")
    for name, value in fields.items():
        form.add_field(name, value)
    if file is not None:
        form.add_field("file", file, filename="a.wav", content_type="audio/wav")
    return await client.post("/v1/audio/transcriptions", data=form)


async def error_of(response: aiohttp.ClientResponse) -> tuple[int, str, str]:
    error = (await response.json())["error"]
    return response.status, error["code"], error["param"]


async def test_the_words_of_a_recording_come_as_the_sdk_reads_them() -> None:
    async with listening(Box(asr=FakeAsr("hello", "again"))) as client:
        said = await (await ask(client)).json()
        assert said["text"] == "hello again"
        long = await (await ask(client, response_format="verbose_json")).json()
        assert len(TranscriptionVerbose.model_validate(long).segments or []) == 2


async def test_the_language_asked_for_is_the_recognisers() -> None:
    asr = FakeAsr("bonjour")
    async with listening(Box(asr=asr)) as client:
        said = await (await ask(client, language="fr", response_format="verbose_json")).json()
    assert asr.hints[0].language == "fr"
    assert said["language"] == "fr"


async def test_what_is_heard_counts_as_sound_of_the_day() -> None:
    quotas = Quotas(Limits(per_address=Allowance(audio_s=5)))
    door = guard(Settings(), Keys(), quotas)
    async with listening(Box(asr=FakeAsr("hello", "again")), door) as client:
        assert (await ask(client)).status == 200
        again = await ask(client)
        assert again.status == 429
        assert "seconds of audio" in (await again.json())["error"]["message"]


async def test_each_segment_is_streamed() -> None:
    async with listening(Box(asr=FakeAsr("hello", "again"))) as client:
        response = await ask(client, stream="true", include="logprobs", temperature="0")
        frames = (await response.text()).strip().split("\n\n")
        *deltas, done = [json.loads(frame.removeprefix("data: ")) for frame in frames]
        told = [TranscriptionTextDeltaEvent.model_validate(delta).delta for delta in deltas]
        assert told == ["hello", " again"]
        assert TranscriptionTextDoneEvent.model_validate(done).text == "hello again"


async def test_a_recogniser_that_fails_is_told_in_the_stream_and_by_the_status() -> None:
    async with listening(Box(asr=FakeAsr(Said(Fault.RAISE)))) as client:
        response = await ask(client, stream="true")
        assert '"code": "engine_failed"' in await response.text()
        assert (await error_of(await ask(client)))[:2] == (503, "engine_failed")


async def test_without_a_recogniser_it_is_out_of_service() -> None:
    box = Box()
    box.fault = EngineUnavailable("asr", "its model is missing")
    async with listening(box) as client:
        assert (await error_of(await ask(client)))[0] == 503


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"file": None}, "missing_required_parameter", "file"),
        ({"file": b""}, "invalid_value", "file"),
        ({"file": b"\x1a\x45\xdf\xa3 webm"}, "invalid_value", "file"),
        ({"response_format": "diarized_json"}, "invalid_value", "response_format"),
        ({"timestamp_granularities[]": "word"}, "unsupported_value", "timestamp_granularities"),
        ({"stream": "true", "response_format": "srt"}, "unsupported_value", "stream"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_parameter(
    fields: dict[str, Any], code: str, param: str
) -> None:
    async with listening(Box()) as client:
        assert await error_of(await ask(client, **fields)) == (400, code, param)


async def test_a_file_that_is_too_large_is_refused_before_it_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openai_transcriptions, "LARGEST_BYTES", 100_000)
    async with listening(Box()) as client:
        response = await ask(client, bytes(100_001))
        assert response.status == 413
        assert "larger than 100000 bytes" in (await response.json())["error"]["message"]
        response = await ask(client, prompt="a" * 20_000)
        assert response.status == 413


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {"Content-Type": "application/json"}),
        (b"no parts", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"--x\r\nContent-Disp", {"Content-Type": "multipart/form-data; boundary=x"}),
        (b"", {"Content-Type": "multipart/form-data"}),
        (b"--x\r\n\r\nno name\r\n--x--", {"Content-Type": "multipart/form-data; boundary=x"}),
    ],
)
async def test_a_body_that_is_no_form_is_refused(body: bytes, headers: dict[str, str]) -> None:
    async with listening(Box()) as client:
        response = await client.post("/v1/audio/transcriptions", data=body, headers=headers)
        assert response.status == 400
        assert (await response.json())["error"]["type"] == "invalid_request_error"


async def test_an_upload_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_transcriptions, "UPLOAD_S", 0.05)
    over = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        await over.wait()

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with listening(Box()) as client:
        response = await client.post("/v1/audio/transcriptions", data=body(), headers=headers)
        assert (await error_of(response))[1] == "timeout"
        over.set()


@pytest.mark.parametrize("stream", ["true", "false"])
async def test_a_client_that_goes_ends_the_recogniser(stream: str) -> None:
    box = Box(asr=FakeAsr(Said("hello", takes_ms=60_000)))
    async with listening(box) as client:
        asking = asyncio.create_task(ask(client, stream=stream))
        await until(lambda: box.lease.running == 1)
        if stream == "true":
            (await asking).close()
        asking.cancel()
        await until(lambda: box.lease.running == 0)


async def test_more_than_a_few_at_once_are_told_to_come_again() -> None:
    box = Box(asr=FakeAsr(Said("hello", takes_ms=60_000)))
    async with listening(box) as client:
        asking = [asyncio.create_task(ask(client)) for _ in range(MOST_AT_ONCE)]
        await until(lambda: box.lease.running == MOST_AT_ONCE)
        refused = await ask(client)
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "1"
        for task in asking:
            task.cancel()
        await until(lambda: box.lease.running == 0)


async def test_nothing_is_translated() -> None:
    async with listening(Box()) as client:
        response = await client.post("/v1/audio/translations")
        assert (await error_of(response))[:2] == (400, "unsupported_value")


async def until(is_so: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, is_so)
