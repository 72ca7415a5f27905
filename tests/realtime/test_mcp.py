"""MCP tools in a session: a real tool server, a scripted model, and every frame as the SDK wants it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from airos_edge.languages.phrases import Phrases
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

    def in_words(self, call: Call, says: Phrases) -> str:
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


SAYS_HI = calls_once(ECHO)


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
async def session(script: Script = SAYS_HI, **how: Any) -> AsyncIterator[Session]:
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


async def test_a_call_that_waits_for_a_yes_is_made_after_one_and_nothing_is_said_by_itself() -> (
    None
):
    async with session() as client:
        await client.begin({**PARROT, "require_approval": "always"})
        response = await client.ask()
        shown, request = response["output"]
        assert response["status"] == "completed"
        assert request["type"] == "mcp_approval_request"
        assert (request["server_label"], request["name"]) == ("parrot", "echo")
        told = client.of("response.mcp_call_arguments.done")[0]
        assert (told["item_id"], told["arguments"]) == (shown["id"], request["arguments"])
        assert client.of("response.mcp_call.in_progress") == []
        await client.answer(request, approve=True)
        await client.until("response.mcp_call.completed")
        assert client.since("response.mcp_call.in_progress") == [
            "response.mcp_call.in_progress",
            "response.mcp_call.completed",
            "conversation.item.done",
        ]
        call = client.events[-1]["item"]
        assert (call["id"], call["approval_request_id"]) == (shown["id"], request["id"])
        assert call["output"] == "hi"
        assert len(client.of("response.created")) == 1
        answer = await client.respond()
        assert answer["output"][0]["content"][0]["text"] == "It says: hi."


@pytest.mark.parametrize(("approve", "said"), [(True, "It says: hi."), (False, "not allowed")])
async def test_a_response_that_is_asked_for_at_once_knows_what_came_of_the_answer(
    approve: bool, said: str
) -> None:
    async with session() as client:
        await client.begin({**PARROT, "require_approval": "always"})
        request = (await client.ask())["output"][-1]
        await client.answer(request, approve)
        answer = await client.respond()
        assert said in answer["output"][0]["content"][0]["text"]


async def test_a_no_is_told_to_the_model_and_nothing_is_called() -> None:
    async with session() as client:
        await client.begin({**PARROT, "require_approval": "always"})
        request = (await client.ask())["output"][-1]
        await client.answer(request, approve=False, reason="Too loud.")
        await client.until("response.mcp_call.failed")
        call = client.of("conversation.item.done")[-1]["item"]
        assert call["error"]["message"] == "It was not allowed. Too loud."
        answer = await client.respond()
        assert "Too loud" in answer["output"][0]["content"][0]["text"]


async def test_only_what_waits_can_be_answered_and_only_once() -> None:
    async with session() as client:
        await client.begin({**PARROT, "require_approval": "always"})
        request = (await client.ask())["output"][-1]
        await client.answer({"id": "item_nobody"}, approve=True)
        error = client.of("error")[-1]["error"]
        assert error["param"] == "item.approval_request_id"
        assert "'item_nobody' not found" in error["message"]
        await client.answer(request, approve=True)
        await client.answer(request, approve=True)
        assert "waits for no answer any more" in client.of("error")[-1]["error"]["message"]
        await client.answer(client.of("conversation.item.done")[0]["item"], approve=True)
        assert "is not an approval request" in client.of("error")[-1]["error"]["message"]
        await client.until("response.mcp_call.completed")
        assert len(client.of("response.mcp_call.in_progress")) == 1


async def test_what_the_box_asks_aloud_can_be_answered_by_an_item_or_a_word() -> None:
    async with session(calls_once(Call("HassTurnOff"))) as client:
        client.configure(output_modalities=["text"])
        message, request = (await client.ask())["output"]
        assert message["content"][0]["text"] == "Shall I turn off all the lights?"
        assert (request["server_label"], request["name"]) == ("airos", "HassTurnOff")
        await client.answer(request, approve=True)
        await client.until("response.mcp_call.completed")
        assert len(client.house.calls) == 1
        await client.respond()
    async with session(calls_once(Call("HassTurnOff"))) as client:
        client.configure(output_modalities=["text"])
        _, request = (await client.ask())["output"]
        await client.ask("yes")
        assert len(client.house.calls) == 1
        await client.answer(request, approve=True)
        assert "waits for no answer any more" in client.of("error")[-1]["error"]["message"]
        assert len(client.house.calls) == 1


async def test_a_client_can_narrow_what_the_owner_allows_and_not_widen_it() -> None:
    owner = program(allow=("echo", "fail"), approval="always")
    async with session(parrot=owner) as client:
        item = await client.begin({**PARROT, "allowed_tools": ["echo", "hang"]})
        assert [tool["name"] for tool in item["tools"]] == ["echo"]
        assert (await client.ask())["output"][-1]["type"] == "mcp_approval_request"
        offered = [tool["name"] for tool in client.model.prompts[-1].tools]
        assert offered == ["parrot__echo", "HassTurnOff"]


async def test_calls_of_tools_that_nobody_asked_for_stay_unseen() -> None:
    async with session() as client:
        client.configure(output_modalities=["text"])
        (message,) = (await client.ask())["output"]
        assert message["content"][0]["text"] == "It says: hi."
        assert not [kind for kind in client.types if "mcp" in kind]


async def test_the_house_can_be_asked_for_by_name() -> None:
    async with session(calls_once(Call("HassTurnOff"))) as client:
        item = await client.begin({**PARROT, "server_label": "airos"})
        assert [tool["name"] for tool in item["tools"]] == ["HassTurnOff"]
        request = (await client.ask())["output"][-1]
        await client.answer(request, approve=True)
        await client.until("response.mcp_call.completed")
        assert [call.name for call in client.house.calls] == ["HassTurnOff"]


async def test_a_server_that_does_not_start_is_told_of_and_the_session_lives() -> None:
    async with session(parrot=program("crash")) as client:
        client.configure(output_modalities=["text"], tools=[PARROT])
        await client.until("mcp_list_tools.failed")
        item = client.events[-1]["item"]
        assert item["tools"] == []
        assert "this will never work" in item["error"]["message"]
        client.configure(tools=[PARROT])
        await client.until("mcp_list_tools.failed", 2)
        assert (await client.ask())["status"] == "completed"


async def test_a_server_that_a_response_has_brought_in_vain_is_tried_again_by_the_next() -> None:
    async with session(parrot=program("crash")) as client:
        client.configure(output_modalities=["text"])
        for count in (1, 2):
            await client.ask(tools=[PARROT])
            await client.until("mcp_list_tools.failed", count)


@pytest.mark.parametrize(
    ("tool", "type", "message"),
    [
        ("fail", "tool_execution_error", "parrot: the disk is full"),
        ("die", "protocol_error", "parrot: die failed: Connection closed"),
    ],
)
async def test_a_call_that_fails_says_why(tool: str, type: str, message: str) -> None:
    async with session(calls_once(Call(f"parrot__{tool}"))) as client:
        await client.begin(PARROT)
        response = await client.ask()
        assert response["status"] == "completed"
        await client.until("response.mcp_call.failed")
        error = response["output"][0]["error"]
        assert (error["type"], error["message"]) == (type, message)
        answer = await client.respond()
        assert message in answer["output"][0]["content"][0]["text"]


async def test_cancelling_in_a_call_closes_all_that_is_open() -> None:
    async with session(calls_once(Call("parrot__hang"))) as client:
        await client.begin(PARROT)
        client.add("hang")
        client.send("response.create")
        await client.until("response.mcp_call.in_progress")
        client.send("response.cancel")
        assert client.since("response.mcp_call.in_progress") == [
            "response.mcp_call.in_progress",
            "response.mcp_call.failed",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
        ]
        response = client.of("response.done")[-1]["response"]
        assert response["status"] == "cancelled"
        assert response["output"][0]["status"] == "incomplete"
        answer = await client.respond()
        assert "broken off" in answer["output"][0]["content"][0]["text"]


async def test_a_function_of_the_client_comes_before_a_tool_of_a_server() -> None:
    async with session() as client:
        await client.begin(PARROT, {"type": "function", "name": "parrot__echo"})
        (call,) = (await client.ask())["output"]
        assert call["type"] == "function_call"


@pytest.mark.parametrize("name", ["echo", None])
async def test_a_tool_choice_names_a_server_or_one_tool_of_it(name: str | None) -> None:
    async with session() as client:
        await client.begin(PARROT, {"type": "function", "name": "mine"})
        await client.ask(tool_choice={"type": "mcp", "server_label": "parrot", "name": name})
        prompt = client.model.prompts[-1]
        assert prompt.tool_choice == "required"
        names = [tool["name"] for tool in prompt.tools]
        assert names == ["parrot__echo"] if name else "mine" not in names


async def test_a_response_may_bring_a_server_and_waits_for_its_tools() -> None:
    async with session() as client:
        client.configure(output_modalities=["text"])
        (call,) = (await client.ask(tools=[PARROT]))["output"]
        assert (call["type"], call["output"]) == ("mcp_call", "hi")
        assert (await client.ask(tools=[]))["output"][0]["type"] == "message"


@pytest.mark.parametrize(
    ("tool", "param", "message"),
    [
        ({"server_label": "x", "connector_id": "connector_gmail"}, "connector_id", "OpenAI's"),
        ({"server_label": "x", "tunnel_id": "t"}, "tunnel_id", "OpenAI's"),
        ({"server_label": "x"}, "server_url", "which has: airos, parrot"),
        ({"server_label": ""}, "server_label", "Missing"),
        ({"server_label": "x", "server_url": "stdio:rm"}, "server_url", "http:// or https://"),
        ({"server_label": "x", "server_url": "http://8.8.8.8/"}, "server_url", "beyond the reach"),
        ({**PARROT, "require_approval": "often"}, "require_approval", "'always' and 'never'"),
        ({**PARROT, "allowed_tools": [1]}, "allowed_tools[0]", "text"),
        ({**PARROT, "authorization": "a\nb"}, "authorization", "HTTP header"),
    ],
)
async def test_what_cannot_be_had_here_is_refused_with_its_place(
    tool: Json, param: str, message: str
) -> None:
    async with session() as client:
        client.configure(instructions="Sing.", tools=[{"type": "mcp", **tool}])
        error = client.of("error")[-1]["error"]
        assert error["param"] == f"session.tools[0].{param}"
        assert message in error["message"]
        assert client.conversation.configuration["instructions"] == ""


async def test_two_servers_of_one_name_are_refused() -> None:
    async with session() as client:
        client.configure(tools=[PARROT, PARROT])
        assert client.of("error")[-1]["error"]["param"] == "session.tools[1].server_label"


@pytest.mark.parametrize(
    ("client_place", "url", "is_refused"),
    [
        (Place.LOCAL, "http://127.0.0.1:1/mcp", False),
        (Place.EDGE, "http://127.0.0.1:1/mcp", True),
        (Place.EDGE, "http://[::ffff:127.0.0.1]:1/mcp", True),
        (Place.EDGE, "http://0.0.0.0:1/mcp", True),
        (Place.EDGE, "http://2130706433:1/mcp", True),
    ],
)
async def test_a_client_does_not_reach_by_the_box_what_is_nearer_to_it(
    client_place: Place, url: str, is_refused: bool
) -> None:
    async with session() as client:
        client.conversation.servers._client = client_place
        client.configure(tools=[{"type": "mcp", "server_label": "x", "server_url": url}])
        errors = [event["error"]["message"] for event in client.of("error")]
        assert bool(errors) == is_refused
        assert all("nearer to this box than you" in error for error in errors)


async def test_secrets_are_not_shown_again() -> None:
    async with session() as client:
        secrets = {"authorization": "sk-hidden", "headers": {"X-Key": "hidden-too"}}
        url = {"server_url": "http://127.0.0.1:1/mcp", "server_label": "x"}
        client.configure(tools=[{"type": "mcp", **url, **secrets}])
        (tool,) = client.of("session.updated")[-1]["session"]["tools"]
        assert tool == {"type": "mcp", **url}
        await client.until("mcp_list_tools.failed")
        assert "hidden" not in str(client.events)
