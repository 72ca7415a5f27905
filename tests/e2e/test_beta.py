"""Clients that never moved on: the beta of OpenAI's own SDK, and one that speaks first and knows no path."""

import asyncio
import base64
import json
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI

from airos_edge.voice.audio import AudioChunk
from tests.e2e.conftest import Daemon, StartDaemon
from tests.e2e.scenario import (
    ASK_AGAIN,
    ASK_STORY,
    ASK_WEATHER,
    COMMAND,
    FOGGY,
    HELLO,
    MODEL,
    NOON,
    OVER,
    RATE_HZ,
    WEATHER,
    WELCOME,
    scripted,
    voice,
    was_cut,
)
from tests.e2e.test_realtime import Talk
from tests.realtime import oracle

pytestmark = pytest.mark.real_time

WEATHER_TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class OldTalk(Talk):
    """Its events are held to the SDK's types of the beta."""

    def check(self, event: Any) -> None:
        oracle.check(event.model_dump(exclude_unset=True), beta=True)

    async def say_aloud(self, text: str) -> None:
        await self.say(AudioChunk(voice(text), RATE_HZ))

    async def answer(self) -> str:
        """What is said in the next response."""
        return str((await self.until("response.audio_transcript.done")).transcript).strip()


def connect(daemon: Daemon) -> Any:
    address = daemon.url.replace("http", "ws")
    client = AsyncOpenAI(api_key="any", base_url=daemon.url, websocket_base_url=address)
    return client.beta.realtime.connect(model=MODEL)


async def test_the_beta_of_the_sdk_goes_through_it_all(start_daemon: StartDaemon) -> None:
    with scripted(start_daemon) as (daemon, server):
        async with connect(daemon) as connection:
            talk = OldTalk(connection)
            await talk.until("conversation.created")
            await connection.session.update(
                session={
                    "modalities": ["text", "audio"],
                    "voice": "alloy",
                    "input_audio_transcription": {"model": "whisper-1"},
                    "turn_detection": {"type": "server_vad"},
                    "temperature": 0.7,
                    "tools": [WEATHER_TOOL],
                }
            )
            session = (await talk.until("session.updated")).session
            assert (session.modalities, session.temperature) == (["text", "audio"], 0.7)
            await talk.say_aloud(COMMAND)
            assert await talk.answer() == HELLO
            await talk.until("response.done")
            heard = [e for e in talk.events if e.type.endswith("transcription.completed")]
            assert [event.transcript for event in heard] == [COMMAND]

            await talk.type(ASK_WEATHER)
            await connection.response.create()
            call = await talk.until("response.function_call_arguments.done")
            assert json.loads(call.arguments) == {"city": "London"}
            await talk.until("response.done")
            output = {"type": "function_call_output", "call_id": call.call_id, "output": FOGGY}
            await connection.conversation.item.create(item=output)
            await connection.response.create()
            assert await talk.answer() == WEATHER
            await talk.until("response.done")
            assert server.requests[2]["messages"][-1]["content"] == FOGGY

            await talk.type(ASK_STORY)
            await connection.response.create()
            story = await talk.until("response.audio.delta")
            speaking = asyncio.create_task(talk.say_aloud(OVER))
            done = await talk.until("response.done")
            assert done.response.status_details.reason == "turn_detected"
            await connection.conversation.item.truncate(
                item_id=story.item_id, content_index=0, audio_end_ms=900
            )
            await talk.until("conversation.item.truncated")
            await connection.conversation.item.retrieve(item_id=story.item_id)
            item = (await talk.until("conversation.item.retrieved")).item
            assert was_cut(item.content[0].transcript)
            assert await talk.answer() == NOON
            await speaking
            assert not [event for event in talk.events if event.type == "error"]
        async with connect(daemon) as connection:
            talk = OldTalk(connection)
            await talk.type(ASK_AGAIN)
            await connection.response.create(response={"modalities": ["text"]})
            assert (await talk.until("response.text.done")).text == WELCOME


async def test_one_that_knows_no_path_and_speaks_first_is_answered_in_its_own_words(
    start_daemon: StartDaemon,
) -> None:
    """As clients of dora's WebSocket server do it."""
    daemon = start_daemon("--demo")
    address = f"ws://127.0.0.1:{daemon.port}/"
    async with aiohttp.ClientSession() as http, http.ws_connect(address) as socket:
        session = {
            "modalities": ["text", "audio"],
            "instructions": "Be brief.",
            "voice": "alloy",
            "input_audio_format": "pcm16",
            "output_audio_format": "pcm16",
            "input_audio_transcription": {"model": "whisper-1"},
            "turn_detection": None,
            "temperature": 0.8,
        }
        await socket.send_json({"type": "session.update", "session": session})
        assert (await socket.receive_json(timeout=10))["type"] == "session.created"
        told = await socket.receive_json(timeout=10)
        assert (told["type"], told["session"]["modalities"]) == (
            "session.updated",
            ["text", "audio"],
        )
        audio = base64.b64encode(voice(COMMAND)).decode()
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})
        await socket.send_json({"type": "input_audio_buffer.commit"})
        await socket.send_json({"type": "response.create"})
        events = [told]
        while events[-1]["type"] != "response.done":
            events.append(await socket.receive_json(timeout=10))
            oracle.check(events[-1], beta=True)
    said = {event["type"]: event for event in events}
    assert "response.audio.delta" in said
    transcript = said["response.audio_transcript.done"]["transcript"]
    assert transcript == "Turned on the light, in the demo house"
