"""The daemon with a model that uses tools: the house's, and a tool server's; what needs a yes, and the end."""

import json
import os
import signal
import sys
from typing import Any

import pytest
from openai import AsyncOpenAI

from tests.e2e.conftest import StartDaemon
from tests.e2e.test_models import ask, config, health, model
from tests.model_server import calls, model_server, says
from tests.tool_servers import PROGRAM, Process

pytestmark = pytest.mark.real_time


def with_tools(models: str, **options: Any) -> str:
    settings = {"command": sys.executable, "args": ["-IS", str(PROGRAM)], **options}
    return f"{models}tools: {{parrot: {json.dumps(settings)}}}\n"


class Chat:
    """A client of the Realtime API that types and reads."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def say(self, text: str) -> list[Any]:
        """The items of the answer."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self._connection.conversation.item.create(item=item)
        await self._connection.response.create(response={"output_modalities": ["text"]})
        async for event in self._connection:
            if event.type == "response.done":
                return list(event.response.output)
        raise AssertionError


async def test_a_model_switches_the_house(start_daemon: StartDaemon) -> None:
    script = calls("HassTurnOn", '{"name": ', '"desk lamp"}'), says("It is bright now.")
    with model_server(*script) as server:
        daemon = start_daemon("--demo", config=config(model(server)))
        assert ask(daemon, "it is dark at my desk")["answer"] == "It is bright now."
        assert ask(daemon, "is the desk lamp on")["answer"].startswith("Yes")
        offered = [tool["function"]["name"] for tool in server.requests[0]["tools"]]
        assert "HassTurnOff" in offered
        assert server.requests[1]["messages"][-1]["content"] == "desk lamp"


async def test_a_tool_server_is_called_and_goes_with_the_daemon(start_daemon: StartDaemon) -> None:
    script = calls("parrot__child", "{}"), says("It has one.")
    with model_server(*script) as server:
        written = with_tools(config(model(server)), allow=["child"])
        daemon = start_daemon("--demo", config=written)
        assert "when a model is first asked" in health(daemon)["parts"]["mcp parrot"]["why"]
        assert ask(daemon, "has it a child")["answer"] == "It has one."
        assert health(daemon)["parts"]["mcp parrot"] == {"state": "ok"}
        child = int(server.requests[1]["messages"][-1]["content"])
        processes = [Process(child), Process(os.getpgid(child))]
        assert daemon.stop(signal.SIGTERM) == 0
        for process in processes:
            await process.gone()


@pytest.mark.parametrize(
    ("tool", "arguments", "question"),
    [
        ("parrot__echo", '{"message": "hi"}', "Shall I use echo of parrot, with message hi?"),
        ("HassTurnOff", '{"domain": "light"}', "Shall I turn off all the lights?"),
    ],
)
async def test_what_needs_a_yes_is_done_after_one(
    start_daemon: StartDaemon, tool: str, arguments: str, question: str
) -> None:
    script = [calls(tool, arguments), says("It is done.")]
    with model_server(*script) as server:
        written = with_tools(config(model(server)), allow=["echo"], approval="always")
        daemon = start_daemon("--demo", config=written)
        client = AsyncOpenAI(api_key="any", base_url=daemon.url)
        async with client, client.realtime.connect(model="airos") as connection:
            chat = Chat(connection)
            message, request = await chat.say("please do it")
            assert message.content[0].text == question
            assert request.type == "mcp_approval_request"
            assert len(server.requests) == 1
            (answer,) = await chat.say("yes")
            assert answer.content[0].text == "It is done."
            roles = [told["role"] for told in server.requests[1]["messages"]]
            assert roles[-2:] == ["assistant", "tool"]
