"""livekit's Realtime plugin, without a room, through the scenario; and with a long context that it edits."""

import asyncio
from typing import Any

from livekit import rtc
from livekit.agents import llm, utils
from livekit.plugins.openai.realtime import RealtimeModel
from talk import FRAME, SCENARIO, Line, frames, report, until

errors: list[str] = []
heard: list[str] = []
said: list[list[str]] = []
calls: list[llm.FunctionCall] = []
counts = {"audio": 0, "started": 0, "reconnected": 0, "done": 0}
tasks: set[asyncio.Task[None]] = set()
generations: list[llm.GenerationCreatedEvent] = []


@llm.function_tool
async def get_weather(city: str) -> str:
    """The weather of a city."""
    return str(SCENARIO["foggy"])


async def consume(generation: llm.GenerationCreatedEvent) -> None:
    generations.append(generation)

    async def message(of: Any) -> None:
        async def listen() -> None:
            async for frame in of.audio_stream:
                counts["audio"] += len(frame.data) * 2

        listening = asyncio.create_task(listen())
        text = "".join([str(piece) async for piece in of.text_stream])
        await listening
        said.append([of.message_id, text.strip()])

    async for of in generation.message_stream:
        await message(of)
    async for call in generation.function_stream:
        calls.append(call)
    counts["done"] += 1


def watch(session: Any) -> None:
    def keep(generation: llm.GenerationCreatedEvent) -> None:
        task = asyncio.create_task(consume(generation))
        tasks.add(task)

    def transcribed(event: Any) -> None:
        if event.is_final:
            heard.append(event.transcript)

    def count(name: str) -> Any:
        def add(_: Any) -> None:
            counts[name] += 1

        return add

    session.on("generation_created", keep)
    session.on("input_audio_transcription_completed", transcribed)
    session.on("input_speech_started", count("started"))
    session.on("session_reconnected", count("reconnected"))
    session.on("error", lambda event: errors.append(str(event.error)))


async def say(session: Any, file: str) -> None:
    for pcm in frames(file):
        session.push_audio(rtc.AudioFrame(pcm, 24_000, 1, FRAME // 2))
        await asyncio.sleep(0.02)


async def ask(session: Any, text: str, **options: Any) -> None:
    context = session.chat_ctx.copy()
    context.add_message(role="user", content=text)
    await session.update_chat_ctx(context)
    await session.generate_reply(**options)


async def long_context(session: Any) -> list[str]:
    """Put in, cut in the middle and changed at an end; gives the ids as the session has them then."""
    context = llm.ChatContext()
    for place in range(60):
        role = "assistant" if place % 2 else "user"
        context.add_message(role=role, content=f"Line {place}. " + "word " * 40, id=f"line_{place}")
    await session.update_chat_ctx(context)
    fewer = llm.ChatContext(
        [item for item in context.items if item.id not in ("line_7", "line_30")]
    )
    fewer.insert(
        llm.ChatMessage(
            role="user", content=["Between."], id="between", created_at=fewer.items[3].created_at
        )
    )
    await session.update_chat_ctx(fewer)
    return [[item.id for item in fewer.items], [item.id for item in session.chat_ctx.items]]


async def main() -> None:
    async with utils.http_context.open(), Line(SCENARIO["port"]) as line:
        model = RealtimeModel(
            base_url=f"http://127.0.0.1:{line.port}/v1", api_key="any", model=SCENARIO["model"]
        )
        session = model.session()
        watch(session)
        await session.update_instructions("Be brief.")
        await session.update_tools([get_weather])
        await say(session, "command_file")
        await until("the first answer", lambda: counts["done"] == 1)

        await ask(session, SCENARIO["ask_weather"])
        await until("the call", lambda: calls)
        await until("its end", lambda: counts["done"] == 2)
        context = session.chat_ctx.copy()
        output = llm.FunctionCallOutput(
            call_id=calls[0].call_id, name="get_weather", output=SCENARIO["foggy"], is_error=False
        )
        context.items.append(output)
        await session.update_chat_ctx(context)
        await session.generate_reply()
        await until("the weather", lambda: counts["done"] == 3)

        before = counts["audio"]
        await ask(session, SCENARIO["ask_story"], instructions="Make it long.")
        await until("the story", lambda: counts["audio"] > before + 24_000)
        await asyncio.sleep(0.8)
        await say(session, "over_file")
        await until("noon", lambda: counts["done"] == 5)
        story = said[2][0]
        session.truncate(message_id=story, modalities=["audio"], audio_end_ms=900)

        line.cut()
        await until("the line again", lambda: counts["reconnected"])
        await until("the context again", lambda: len(session.chat_ctx.items) > 5)
        await ask(session, SCENARIO["ask_again"])
        await until("welcome", lambda: counts["done"] == 6)
        await session.aclose()

        other = model.session()
        watch(other)
        wanted, held = await long_context(other)
        await other.generate_reply(instructions="Sum it up.", tool_choice="none")
        await until("an answer after the long context", lambda: counts["done"] == 7)
        other.interrupt()
        await other.aclose()
        for task in tasks:
            task.cancel()
    report(
        errors=errors, heard=heard, said=[text for _, text in said], calls=[c.arguments for c in calls],
        wanted=wanted, held=held, **counts,
        user_initiated=[generation.user_initiated for generation in generations],
    )  # fmt: skip


asyncio.run(main())
