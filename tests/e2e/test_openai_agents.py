"""OpenAI's Agents SDK for Python, unmodified: it checks every event against its types, and keeps a history."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession

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
    WEATHER,
    WELCOME,
    scripted,
    voice,
    was_cut,
)

pytestmark = pytest.mark.real_time

FRAME = 960
"""Bytes of 20 ms."""


class Caller:
    """Somebody with a microphone and a loudspeaker at the SDK's session; `events` are all that it told."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self.events: list[Any] = []
        self._changed = asyncio.Event()

    async def listen(self) -> None:
        async for event in self.session:
            self.events.append(event)
            self._changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    async def say(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), FRAME):
            await self.session.send_audio(pcm[start : start + FRAME])
            await asyncio.sleep(0.02)

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.type == kind]

    def said(self, role: str) -> list[str]:
        """What the SDK's history has of one side."""
        told = []
        for event in self.of("history_updated")[-1:]:
            for item in event.history:
                if item.type == "message" and item.role == role:
                    parts = (
                        getattr(part, "transcript", None) or getattr(part, "text", None)
                        for part in item.content
                    )
                    told.append("".join(part or "" for part in parts).strip())
        return told


@asynccontextmanager
async def calling(daemon: Daemon) -> AsyncIterator[Caller]:
    @function_tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return FOGGY

    agent = RealtimeAgent(name="host", instructions="Be brief.", tools=[get_weather])
    url = f"{daemon.url.replace('http', 'ws')}/realtime?model={MODEL}"
    session = await RealtimeRunner(agent).run(model_config={"api_key": "any", "url": url})
    async with session:
        caller = Caller(session)
        listening = asyncio.create_task(caller.listen())
        yield caller
        listening.cancel()
        await asyncio.wait([listening])


async def test_hello_by_voice_a_tool_an_interruption_and_back_again(
    start_daemon: StartDaemon,
) -> None:
    with scripted(start_daemon) as (daemon, server):
        async with calling(daemon) as caller:
            await caller.say(voice(COMMAND))
            await caller.until(
                lambda: HELLO in caller.said("assistant") and COMMAND in caller.said("user")
            )
            assert sum(len(event.audio.data) for event in caller.of("audio")) > 24_000
            await caller.until(lambda: bool(caller.of("audio_end")))

            await caller.session.send_message(ASK_WEATHER)
            await caller.until(lambda: WEATHER in caller.said("assistant"))
            assert [event.output for event in caller.of("tool_end")] == [FOGGY]
            assert server.requests[2]["messages"][-1]["content"] == FOGGY
            await caller.until(lambda: len(caller.of("audio_end")) == 2)

            told = len(caller.of("audio"))
            await caller.session.send_message(ASK_STORY)
            await caller.until(lambda: len(caller.of("audio")) > told)
            await asyncio.sleep(0.8)
            await caller.say(voice(OVER))
            await caller.until(lambda: NOON in caller.said("assistant"))
            assert caller.of("audio_interrupted")
            await caller.until(lambda: was_cut(caller.said("assistant")[2]))
            assert [e.error for e in caller.of("error")] == []
        async with calling(daemon) as caller:
            await caller.session.send_message(ASK_AGAIN)
            await caller.until(lambda: caller.said("assistant") == [WELCOME])
            assert caller.of("error") == []
