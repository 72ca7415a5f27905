"""Which tools of which servers are offered, by what names, within what reach, and what of them needs a yes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from airos_edge.errors import EngineError
from airos_edge.tools.servers import ToolServers, offered_name
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.voice.ports import Call, Place
from airos_edge.voice.served import ServedTool
from tests.phrases import SAYS
from tests.tool_servers import Watch, program

pytestmark = pytest.mark.real_time

ELSEWHERE = ToolServerSettings(url="https://tools.example.com/mcp", allow=("*",))


class Servers(ToolServers):
    """With the health that they report to."""

    def __init__(self) -> None:
        self.watch = Watch()
        super().__init__(self.watch.health)

    async def names(self, reach: Place = Place.LOCAL) -> list[str]:
        return [tool.name for tool in await self.offered(reach)]


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    async with Servers() as servers:
        yield servers


async def test_allowed_tools_are_offered_under_their_servers_name(servers: Servers) -> None:
    first, second = program(allow=("echo", "fail")), program(allow=("echo",))
    servers.use({"parrot": first, "my cat": second, "nobody": program(allow=())}, Place.LOCAL)
    assert await servers.names() == ["parrot__echo", "parrot__fail", "my_cat__echo"]
    assert await servers.call(Call("my_cat__echo", {"message": "miau"})) == "miau"
    tool = (await servers.offered(Place.LOCAL))[0]
    assert tool.description == "It can echo."
    assert tool.parameters["properties"] == {"message": {"type": "string"}}


@pytest.mark.parametrize("name", ["parrot__hang", "parrot__", "cat__echo", "parrot__*", "echo"])
async def test_what_is_not_allowed_is_not_called(servers: Servers, name: str) -> None:
    servers.use({"parrot": program(allow=("echo",))}, Place.LOCAL)
    with pytest.raises(EngineError, match="there is no tool"):
        await servers.call(Call(name))
    assert "starting" not in servers.watch.states("mcp parrot")


async def test_a_call_of_before_a_restart_finds_its_server(servers: Servers) -> None:
    servers.use({"parrot": program(allow=("echo",))}, Place.LOCAL)
    assert await servers.call(Call("parrot__echo", {"message": "yes"})) == "yes"


@pytest.mark.parametrize(
    ("approval", "needing"),
    [("never", []), ("always", ["echo", "fail"]), (("fail",), ["fail"])],
)
async def test_what_needs_a_yes_is_for_the_owner_to_say(
    servers: Servers, approval: Any, needing: list[str]
) -> None:
    servers.use({"parrot": program(allow=("echo", "fail"), approval=approval)}, Place.LOCAL)
    asked = [tool for tool in ("echo", "fail") if servers.needs_yes(Call(f"parrot__{tool}"))]
    assert asked == needing


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "use write file of notes"),
        ({"path": "milk.txt"}, "use write file of notes, with path milk.txt"),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, "use write file of notes, with a 1, b 2, c 3, more"),
        ({"text": "a\n b " + "c" * 100}, f"use write file of notes, with text a b {'c' * 36}…"),
    ],
)
async def test_a_call_is_asked_for_in_words(
    servers: Servers, arguments: dict[str, Any], words: str
) -> None:
    servers.use({"notes": program(allow=("write_file",))}, Place.LOCAL)
    assert servers.in_words(Call("notes__write_file", arguments), SAYS) == words


async def test_what_lies_beyond_reach_is_never_connected(servers: Servers) -> None:
    servers.use({"far": ELSEWHERE, "parrot": program(allow=("echo",))}, Place.EDGE)
    assert servers.watch.states("mcp far") == ["failed"]
    assert servers.watch.why("mcp far") == "is cloud, and reach is edge"
    assert await servers.names(Place.CLOUD) == ["parrot__echo"]
    with pytest.raises(EngineError, match="there is no tool"):
        await servers.call(Call("far__search"))


async def test_one_beyond_reach_that_is_taken_out_is_no_part_of_the_box_any_more(
    servers: Servers,
) -> None:
    servers.use({"far": ELSEWHERE}, Place.EDGE)
    servers.use({}, Place.EDGE)
    assert servers.watch.health.parts() == {}


async def test_a_conversation_may_reach_less_far_than_the_box(servers: Servers) -> None:
    servers.use({"web": program(allow=("echo",), place=Place.CLOUD)}, Place.CLOUD)
    assert await servers.names(Place.EDGE) == []
    (tool,) = await servers.offered(Place.CLOUD)
    assert tool.place is servers.place_of(Call("web__echo")) is Place.CLOUD
    assert servers.place_of(Call("web__search")) is Place.LOCAL


async def test_a_reload_ends_what_is_gone_and_leaves_what_stays(servers: Servers) -> None:
    stays, changes, goes = program(), program(allow=("echo",)), program()
    servers.use({"stays": stays, "changes": changes, "goes": goes}, Place.LOCAL)
    await servers.names()
    servers.use({"stays": stays, "changes": program(allow=("fail",))}, Place.LOCAL)
    assert "changes__echo" not in await servers.names()
    assert servers.watch.states("mcp stays") == ["ok", "starting", "ok"]
    assert servers.watch.states("mcp changes").count("starting") == 2
    assert set(servers.watch.health.parts()) == {"mcp stays", "mcp changes"}


async def test_one_that_does_not_start_keeps_no_other_from_being_offered(servers: Servers) -> None:
    broken = ToolServerSettings("no-such-program", allow=("*",))
    servers.use({"broken": broken, "parrot": program(allow=("echo",))}, Place.LOCAL)
    assert await servers.names() == ["parrot__echo"]


def test_names_are_such_as_makers_of_models_take() -> None:
    assert offered_name("files", "read_text-file") == "files__read_text-file"
    assert offered_name("küche", "an.aus") == "k_che__an_aus"
    assert len(offered_name("s", "t" * 100)) == 64


async def test_a_lent_server_is_known_to_who_has_its_key_and_to_nobody_else(
    servers: Servers,
) -> None:
    servers.use({}, Place.LOCAL)
    servers.lend("mcp_1", "parrot", program(), Place.LOCAL)
    assert "echo" in [tool.name for tool in await servers.listed("mcp_1")]
    assert await servers.names() == []
    tool = ServedTool("parrot__echo", "echo", "parrot", "mcp_1")
    call = Call("parrot__echo", {"message": "hi"}, served=tool)
    assert await servers.call(call) == "hi"
    with pytest.raises(EngineError, match="there is no tool"):
        await servers.call(Call("parrot__echo", {"message": "hi"}))
    servers.take_back("mcp_1")
    with pytest.raises(EngineError, match="there is no tool"):
        await servers.call(call)
    assert not servers.watch.told


async def test_why_a_server_has_no_tools_is_said(servers: Servers) -> None:
    servers.use({"parrot": program("crash")}, Place.LOCAL)
    with pytest.raises(EngineError, match="this will never work"):
        await servers.listed("parrot")
    with pytest.raises(EngineError, match="no such tool server"):
        await servers.listed("nobody")
