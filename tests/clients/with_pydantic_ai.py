"""pydantic-ai's realtime session through the scenario: its own barge-in, and a line that breaks."""

import asyncio
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import SpeechPart, TextPart, UserPromptPart
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime.openai import OpenAIRealtimeModel
from talk import SCENARIO, Line, frames, report, until

events: list[Any] = []
heard = 0


def count(kind: str) -> int:
    return sum(event.event_kind == kind for event in events)


async def listen(session: Any) -> None:
    async for event in session:
        events.append(event)


async def play(session: Any) -> None:
    """A loudspeaker: it takes as long as there is to hear."""
    global heard
    async for chunk in session.stream_audio():
        heard += len(chunk)
        await asyncio.sleep(len(chunk) / 48_000)


def spoken(messages: list[Any]) -> list[list[str]]:
    told = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, SpeechPart):
                told.append([part.speaker, (part.transcript or "").strip()])
            elif isinstance(part, UserPromptPart):
                told.append(["user", str(part.content)])
            elif isinstance(part, TextPart):
                told.append(["assistant", part.content.strip()])
    return told


async def main() -> None:
    agent = Agent(instructions="Be brief.")
    tools = []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather of a city."""
        tools.append(city)
        return str(SCENARIO["foggy"])

    async with Line(SCENARIO["port"]) as line:
        provider = OpenAIProvider(base_url=f"http://127.0.0.1:{line.port}/v1", api_key="any")
        model = OpenAIRealtimeModel(SCENARIO["model"], provider=provider)
        realtime = agent.realtime(model, model_settings={"reconnect": {"max_attempts": 3}})
        async with realtime.session(handle_barge_in=True) as session:
            tasks = [asyncio.create_task(work(session)) for work in (listen, play)]
            for frame in frames("command_file"):
                await session.send_audio(frame)
                await asyncio.sleep(0.02)
            await until("the first answer", lambda: count("realtime_turn_complete") == 1)
            await session.send(SCENARIO["ask_weather"])
            await until("the weather", lambda: count("realtime_turn_complete") == 2)
            before = heard
            await session.send(SCENARIO["ask_story"])
            await until("the story", lambda: heard > before + 24_000)
            for frame in frames("over_file"):
                await session.send_audio(frame)
                await asyncio.sleep(0.02)
            await until(
                "noon", lambda: ["assistant", SCENARIO["noon"]] in spoken(session.all_messages())
            )
            await until("its end", lambda: count("realtime_turn_complete") >= 3)
            await asyncio.sleep(0.5)
            line.cut()
            await until("the line again", lambda: count("realtime_session_reconnect"))
            await session.send(SCENARIO["ask_again"])
            await until(
                "welcome",
                lambda: ["assistant", SCENARIO["welcome"]] in spoken(session.all_messages()),
            )
            said = spoken(session.all_messages())
            for task in tasks:
                task.cancel()
    report(
        said=said,
        tools=tools,
        audio=heard,
        errors=[e.message for e in events if e.event_kind == "realtime_session_error"],
        interrupted=count("realtime_response_interrupted"),
    )


asyncio.run(main())
