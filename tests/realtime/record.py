"""Makes the files of `recordings/` anew, when the API's events have changed: python -m tests.realtime.record

Look at what has changed in them: what a recording shows must still be in it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from airos_edge.realtime.recording import FORM
from airos_edge.virtual_time import VirtualTimeLoop
from tests.realtime.client import Client
from tests.realtime.test_recordings import ENGINES, FOLDER

A_SAMPLE_OR_TWO = "AAAA"
PUSHED = {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}}


class TapedClient(Client):
    """`lines` are those of a recording."""

    def __init__(self, **engines: Any) -> None:
        self.lines: list[dict[str, Any]] = []
        super().__init__(**engines)

    def at_ms(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000)

    def _receive(self, event: Mapping[str, Any]) -> None:
        super()._receive(event)
        event = dict(self.events[-1])
        if event["type"] == "response.output_audio.delta":
            event["delta"] = A_SAMPLE_OR_TWO
        self.lines.append({"at_ms": self.at_ms(), "from": "server", "event": event})

    def receive(self, frame: str) -> None:
        self.lines.append({"at_ms": self.at_ms(), "from": "client", "event": json.loads(frame)})
        super().receive(frame)


async def asked_before_it_was_heard(client: Client) -> None:
    """A response that was asked for before the words of its question were known was made without them."""
    client.configure(audio=PUSHED)
    await asyncio.sleep(0.05)
    await client.play(100)
    client.send("input_audio_buffer.commit")
    client.send("response.create")
    await client.until("response.done")


async def deleted_while_it_was_spoken(client: Client) -> None:
    """What the client had deleted while it was being spoken went on being sent."""
    client.add("hello")
    client.send("response.create")
    delta = await client.until("response.output_audio.delta")
    await asyncio.sleep(0.2)
    client.send("conversation.item.delete", item_id=delta["item_id"])
    await client.until("response.done")
    client.send("response.create", response={"output_modalities": ["text"]})
    await client.until("response.done", 2)


async def a_voice_that_broke_off(client: Client) -> None:
    """A voice that failed in the middle left words in the history that nobody had heard."""
    client.add("tell me all about it")
    client.send("response.create")
    done = await client.until("response.done")
    item_id = done["response"]["output"][0]["id"]
    client.send("conversation.item.retrieve", item_id=item_id)


SCENARIOS = (asked_before_it_was_heard, deleted_while_it_was_spoken, a_voice_that_broke_off)


async def recorded(scenario: Callable[[Client], Awaitable[None]]) -> list[dict[str, Any]]:
    async with TapedClient(**ENGINES[scenario.__name__]) as client:
        await asyncio.sleep(0.05)
        await scenario(client)
        await asyncio.sleep(0.3)
        header = {"recording": FORM, "query": {"model": "airos"}, "shows": scenario.__doc__}
        return [header, *client.lines, {"at_ms": client.at_ms(), "end": True}]


def main() -> None:
    for scenario in SCENARIOS:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            lines = runner.run(recorded(scenario))
        file = FOLDER / f"{scenario.__name__}.jsonl"
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


if __name__ == "__main__":
    main()
