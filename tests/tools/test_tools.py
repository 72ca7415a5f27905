"""The house's tools and the servers' as one box, and a model that calls both."""

import pytest

from airos_edge.errors import EngineError
from airos_edge.home.tools import HouseTools
from airos_edge.router.approval import Approving
from airos_edge.tools.servers import ToolServers
from airos_edge.tools.tools import Tools
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call, Done, Place, Prompt, Text
from tests.fakes import Do, FakeResponder
from tests.home.people import NOW, People
from tests.phrases import SAYS
from tests.tool_servers import Watch, program

pytestmark = pytest.mark.real_time


def joined(people: People, servers: ToolServers) -> Tools:
    house = HouseTools(people.house, people.timers, people.commands.call, lambda: NOW)
    return Tools(house, servers)


class Acts:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def __call__(self, call: Call) -> str:
        return await self._tools.call(call)

    async def committed(self) -> None:
        return

    def goes(self, place: Place) -> None:
        assert place is Place.LOCAL


async def test_both_are_offered_and_called() -> None:
    async with People() as people, ToolServers(Watch().health) as servers:
        servers.use({"parrot": program(allow=("echo",))}, Place.LOCAL)
        tools = joined(people, servers)
        names = [tool.name for tool in await tools.offered(Place.LOCAL)]
        assert (names[0], names[-1]) == ("HassGetCurrentTime", "parrot__echo")
        steps = [
            Do(Call("HassTurnOn", {"name": "floor lamp"})),
            Do(Call("parrot__echo", {"message": "hello"})),
            Done("model"),
        ]
        model = FakeResponder(lambda prompt: steps)
        async for _ in model.reply(Prompt(), Acts(tools)):
            pass
        assert model.results == ["floor lamp", "hello"]
        assert people.on() == ["floor lamp"]


async def test_a_yes_is_asked_for_in_the_words_of_whose_tool_it_is() -> None:
    async with People() as people, ToolServers(Watch().health) as servers:
        servers.use({"parrot": program(allow=("echo",), approval="always")}, Place.LOCAL)
        tools = joined(people, servers)
        off, echo = (
            Call("HassTurnOff", {"domain": "light"}),
            Call("parrot__echo", {"message": "hi"}),
        )
        for call, question in (
            (off, "Shall I turn off all the lights?"),
            (echo, "Shall I use echo of parrot, with message hi?"),
        ):
            assert tools.needs_yes(call)
            waiting = Call(call.name, call.arguments, "call_1", waits_for_yes=True)
            model = FakeResponder(lambda prompt, waiting=waiting: [waiting, Done("model")])
            asking = Approving(model, tools).reply(Prompt(), Acts(tools))
            assert await anext(asking) == Text(question)
            await asking.aclose()


async def test_a_yes_to_a_servers_tool_calls_it() -> None:
    async with People() as people, ToolServers(Watch().health) as servers:
        servers.use({"parrot": program(allow=("echo",), approval="always")}, Place.LOCAL)
        tools = joined(people, servers)
        model = FakeResponder(
            lambda prompt: [Text(f"It said {prompt.items[-1].text}."), Done("model")]
        )
        items = (
            Item("1", role="assistant", text="Shall I use echo of parrot?"),
            Item("2", kind="approval_request", name="parrot__echo", arguments='{"message": "hi"}'),
            Item("3", role="user", text="Yes."),
        )
        parts = Approving(model, tools).reply(Prompt(items), Acts(tools))
        assert await anext(parts) == Text("It said hi.")
        await parts.aclose()


@pytest.mark.parametrize("name", ["HassOpenSesame", "parrot__echo"])
async def test_what_there_is_not_is_said_to_be_none(name: str) -> None:
    async with People() as people, ToolServers(Watch().health) as servers:
        tools = joined(people, servers)
        assert not tools.needs_yes(Call(name))
        with pytest.raises(EngineError, match="there is no tool"):
            await tools.call(Call(name))
        with pytest.raises(EngineError, match="there is no tool"):
            tools.in_words(Call(name), SAYS)
