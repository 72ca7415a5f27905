"""MCP tools in a session: a real tool server, a scripted model, and every frame as the SDK wants it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from airos_edge.realtime.servers import ClientServers
from airos_edge.router.approval import Approving
from airos_edge.router.breaker import Breaker
from airos_edge.router.router import Router
from airos_edge.router.tiers import Tier
from airos_edge.tools.servers import ToolServers
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.tools.tools import Tools
from airos_edge.voice.ports import Call, Done, Place, Prompt, Text
from tests.fakes import FakeResponder, Step
from tests.realtime.client import Client, Json
from tests.tool_servers import Watch, program

pytestmark = pytest.mark.real_time

Script = Callable[[Prompt], Iterable[Step]]
ECHO = Call("parrot__echo", {"message": "hi"}, "call_1")
PARROT = {"type": "mcp", "server_label": "parrot", "require_approval": "never"}


class FakeHouse:
    """One tool, which is grave."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def described(self) -> Iterable[Mapping[str, Any]]:
        return [{"name": "HassTurnOff", "description": "Off.", "parameters": {"type": "object"}}]

    def needs_yes(self, call: Call) -> bool:
        return True

    def in_words(self, call: Call) -> str:
        return "turn off all the lights"

    async def call(self, call: Call) -> str:
        self.calls.append(call)
        return "all the lights"


def calls_once(*calls: Call) -> Script:
    """A model that calls, and then says what came of it."""

    def script(prompt: Prompt) -> Iterable[Step]:
        results = [item.text for item in prompt.items if item.kind == "function_call_output"]
        if results:
            return [Text(f"It says: {results[-1]}."), Done("model")]
        return [*calls, Done("model")]

    return script


class Session(Client):
    """A client of a box with a model, a house and the configured servers."""

    def __init__(self, script: Script, servers: ToolServers) -> None:
        self.model = FakeResponder(script, name="model")
        self.house = FakeHouse()
        self.servers = servers
        tools = Tools(self.house, servers)
        models = {"model": Tier(self.model, Breaker("model"))}
        router = Router(FakeResponder(name="commands"), models, ["model"], "Be brief.", tools)
        super().__init__(responder=Approving(router, tools), tools=tools.call)
        self.conversation.servers = ClientServers(lambda: tools)

    async def begin(self, *tools: Json) -> Json:
        """The item that lists the tools of the first."""
        self.configure(output_modalities=["text"], tools=list(tools))
        await self.until("mcp_list_tools.completed")
        return self.of("conversation.item.done")[0]["item"]

    async def ask(self, text: str = "say hi", **response: Any) -> Json:  # type: ignore[override]
        """The response."""
        self.add(text)
        return await self.respond(**response)

    async def respond(self, **response: Any) -> Json:
        count = len(self.of("response.done"))
        self.send("response.create", response=response)
        return (await self.until("response.done", count + 1))["response"]

    async def answer(self, request: Json, approve: bool, **fields: Any) -> None:
        item = {"type": "mcp_approval_response", "approval_request_id": request["id"]}
        self.send("conversation.item.create", item={**item, "approve": approve, **fields})

    def since(self, type: str) -> list[str]:
        types = self.types
        return types[len(types) - types[::-1].index(type) - 1 :]


@asynccontextmanager
async def session(script: Script = calls_once(ECHO), **how: Any) -> AsyncIterator[Session]:
    settings: dict[str, ToolServerSettings] = how or {"parrot": program()}
    async with ToolServers(Watch().health) as servers:
        servers.use(settings, Place.LOCAL)
        async with Session(script, servers) as client:
            yield client


async def test_the_tools_of_a_server_of_the_box_are_listed() -> None:
    async with session() as client:
        item = await client.begin({**PARROT, "allowed_tools": ["echo", "fail"]})
        assert client.types[1:] == [
            "session.updated",
            "conversation.item.added",
            "mcp_list_tools.in_progress",
            "mcp_list_tools.completed",
            "conversation.item.done",
        ]
        assert item["type"] == "mcp_list_tools"
        assert item["server_label"] == "parrot"
        assert [tool["name"] for tool in item["tools"]] == ["echo", "fail"]
        assert item["tools"][0]["description"] == "It can echo."


async def test_a_call_is_shown_and_ends_its_response_and_the_next_one_knows_of_it() -> None:
    async with session() as client:
        await client.begin(PARROT)
        response = await client.ask()
        assert client.since("response.created")[:-1] == [
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.mcp_call_arguments.delta",
            "response.mcp_call_arguments.done",
            "response.mcp_call.in_progress",
            "response.mcp_call.completed",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
        ]
        (call,) = response["output"]
        assert (call["server_label"], call["name"], call["output"]) == ("parrot", "echo", "hi")
        assert call["arguments"] == '{"message": "hi"}'
        assert call["error"] is None
        answer = await client.respond()
        assert answer["output"][0]["content"][0]["text"] == "It says: hi."
