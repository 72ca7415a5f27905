"""A Realtime client inside the machine, which says how its one answer went: answering, then its status and
how the connection was closed."""

import asyncio

import aiohttp


async def main() -> None:
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect("http://127.0.0.1:8765/v1/realtime") as socket,
    ):
        content = [{"type": "input_text", "text": "which lights are on"}]
        item = {"type": "message", "role": "user", "content": content}
        await socket.send_json({"type": "conversation.item.create", "item": item})
        await socket.send_json({"type": "response.create"})
        is_answering = False
        async for message in socket:
            event = message.json()
            if event["type"] == "response.output_audio.delta" and not is_answering:
                is_answering = True
                print("answering", flush=True)
            if event["type"] == "response.done":
                print("done", event["response"]["status"], flush=True)
        print("closed", socket.close_code, flush=True)


asyncio.run(main())
