"""`/v1/audio/speech`: sent while it is made, refused in OpenAI's form, ended when the client goes."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from airos_edge.errors import EngineError, EngineUnavailable
from airos_edge.http import openai_speech
from airos_edge.http.limits import LONGEST_TEXT
from airos_edge.http.openai_speech import MOST_AT_ONCE, speech_routes
from airos_edge.voice.audio import AudioChunk
from airos_edge.voice.ports import Speaking, Speech

pytestmark = pytest.mark.real_time

SECOND = AudioChunk(b"\x01\x02" * 24_000, 24_000)
Client = TestClient[web.Request, web.Application]


class Voice:
    """Says a second; then waits for `go`, and says another, or fails."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Speaking]] = []
        self.go = asyncio.Event()
        self.closed = asyncio.Event()
        self.fault: EngineError | None = None
        self.fault_later: EngineError | None = None

    async def speak(self, texts: AsyncIterable[str], how: Speaking) -> AsyncGenerator[Speech, None]:
        try:
            self.said.append(("".join([text async for text in texts]), how))
            if self.fault:
                raise self.fault
            yield Speech(SECOND)
            await self.go.wait()
            if self.fault_later:
                raise self.fault_later
            yield Speech(SECOND)
        finally:
            self.closed.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Client]:
        app = web.Application()
        app.add_routes(speech_routes(self.speak, lambda: "en", lambda: ["en-gb"]))
        async with TestClient(TestServer(app, host="127.0.0.1")) as client:
            yield client


async def ask(client: Client, **fields: Any) -> aiohttp.ClientResponse:
    asked = {"model": "tts-1", "input": "Hello.", "response_format": "pcm", "voice": "alloy"}
    return await client.post("/v1/audio/speech", json={**asked, **fields})


async def test_the_first_sound_comes_before_the_last_is_made() -> None:
    voice = Voice()
    async with voice.open() as client:
        response = await ask(client)
        assert response.headers["Content-Type"] == "audio/pcm"
        assert await response.content.readexactly(len(SECOND.pcm)) == SECOND.pcm
        voice.go.set()
        assert await response.read() == SECOND.pcm
        assert voice.closed.is_set()


async def test_as_events_it_is_told_when_it_is_over() -> None:
    voice = Voice()
    voice.go.set()
    async with voice.open() as client:
        response = await ask(client, stream_format="sse")
        frames = (await response.text()).strip().split("\n\n")
        events = [json.loads(frame.removeprefix("data: ")) for frame in frames]
        assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
        sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
        assert sound == SECOND.pcm * 2
        assert events[-1]["type"] == "speech.audio.done"


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ({}, Speaking(None, "en", 1.0)),
        ({"voice": "en-gb"}, Speaking("en-gb", "en", 1.0)),
        ({"voice": {"id": "voice_1234"}, "speed": 4}, Speaking(None, "en", 4.0)),
        ({"voice": None, "instructions": "Kindly."}, Speaking(None, "en", 1.0)),
    ],
)
async def test_openais_voices_are_the_boxs_own(asked: dict[str, Any], spoken: Speaking) -> None:
    voice = Voice()
    voice.go.set()
    async with voice.open() as client:
        assert (await ask(client, **asked)).status == 200
    assert voice.said == [("Hello.", spoken)]


@pytest.mark.parametrize(
    ("asked", "code", "param"),
    [
        ({"input": None}, "missing_required_parameter", "input"),
        ({"input": 7}, "invalid_type", "input"),
        ({"input": " "}, "invalid_value", "input"),
        ({"input": "a" * (LONGEST_TEXT + 1)}, "invalid_value", "input"),
        ({"input": "\ud800"}, "invalid_value", "input"),
        ({"response_format": "aac"}, "invalid_value", "response_format"),
        ({"response_format": ["wav"]}, "invalid_value", "response_format"),
        ({"stream_format": "video"}, "invalid_value", "stream_format"),
        ({"speed": 0.1}, "invalid_value", "speed"),
        ({"speed": True}, "invalid_value", "speed"),
        ({"speed": "fast"}, "invalid_value", "speed"),
        ({"voice": 7}, "invalid_type", "voice"),
    ],
)
async def test_what_cannot_be_said_is_refused_with_the_parameter(
    asked: dict[str, Any], code: str, param: str
) -> None:
    async with Voice().open() as client:
        response = await ask(client, **asked)
        assert response.status == 400
        error = (await response.json())["error"]
        assert (error["type"], error["code"], error["param"]) == (
            "invalid_request_error",
            code,
            param,
        )


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
async def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    async with Voice().open() as client:
        response = await client.post("/v1/audio/speech", data=body)
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "invalid_json"


async def test_without_a_voice_it_is_out_of_service() -> None:
    voice = Voice()
    voice.fault = EngineUnavailable("tts", "there is no voice")
    async with voice.open() as client:
        response = await ask(client)
        assert response.status == 503
        assert (await response.json())["error"]["type"] == "server_error"


async def test_a_file_that_ends_early_does_not_look_whole() -> None:
    voice = Voice()
    voice.fault_later = EngineError("tts", "broke")
    voice.go.set()
    async with voice.open() as client:
        response = await ask(client)
        with pytest.raises(aiohttp.ClientError):
            await response.read()
        response = await ask(client, stream_format="sse")
        assert '"error": {"message": "tts: broke"' in await response.text()


async def test_a_voice_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_speech, "STALL_S", 0.05)
    voice = Voice()
    async with voice.open() as client:
        response = await ask(client)
        with pytest.raises(aiohttp.ClientError):
            await response.read()
        await asyncio.wait_for(voice.closed.wait(), 10)


async def test_a_client_that_goes_ends_its_speech() -> None:
    voice = Voice()
    async with voice.open() as client:
        response = await ask(client)
        response.close()
        voice.go.set()
        await asyncio.wait_for(voice.closed.wait(), 10)


async def test_more_than_a_few_at_once_are_told_to_come_again() -> None:
    voice = Voice()
    async with voice.open() as client:
        open_ones = [await ask(client) for _ in range(MOST_AT_ONCE)]
        refused = await ask(client)
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "1"
        voice.go.set()
        for response in open_ones:
            await response.read()
        assert (await ask(client)).status == 200
