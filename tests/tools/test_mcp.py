"""A real program at the other end: started when wanted, bounded, watched, started again, gone at the end."""

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator

import pytest

from airos_edge.errors import EngineError
from airos_edge.secret import Secret
from airos_edge.tools import mcp, mcp_program
from airos_edge.tools.mcp import McpServer
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.voice.flow import Scope, abandoned
from tests.tool_servers import Process, Watch, program

pytestmark = pytest.mark.real_time

PART = "mcp parrot"


class Cage:
    """A scope for servers, and the health they report to."""

    def __init__(self, scope: Scope) -> None:
        self.watch = Watch()
        self._scope = scope

    def server(self, settings: ToolServerSettings) -> McpServer:
        return McpServer("parrot", settings, self.watch.health, self._scope)

    @property
    def states(self) -> list[str]:
        return self.watch.states(PART)


@pytest.fixture
async def cage() -> AsyncIterator[Cage]:
    async with Scope(8.0) as scope:
        yield Cage(scope)


async def test_it_is_started_by_the_first_who_wants_its_tools(cage: Cage) -> None:
    server = cage.server(program())
    assert cage.states == ["ok"]
    assert "when a model is first asked" in cage.watch.why(PART)
    tools = await server.listed()
    assert cage.states == ["ok", "starting", "ok"]
    assert [tool.name for tool in tools][:2] == ["echo", "environment"]
    assert "learn" in [tool.name for tool in tools], "of a later page"
    assert await server.call("echo", {"message": "hello"}) == "hello"


async def test_only_what_is_allowed_is_listed(cage: Cage) -> None:
    listed = await cage.server(program(allow=("echo", "hang"))).listed()
    assert [tool.name for tool in listed] == ["echo", "hang"]
    assert await cage.server(program(allow=())).listed() == []


async def test_an_allowed_tool_that_it_does_not_have_is_told_of(cage: Cage) -> None:
    await cage.server(program(allow=("echo", "fly"))).listed()
    assert cage.states[-1] == "degraded"
    assert cage.watch.why(PART).startswith("has no fly; it has echo, ")


async def test_its_environment_is_what_it_is_given(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIROS_SERVER__API_KEYS", "[secret]")
    server = cage.server(program(env={"TOKEN": Secret("abc")}))
    environment = json.loads(await server.call("environment", {}))
    assert environment["TOKEN"] == "abc"
    assert environment["PATH"] == os.environ["PATH"]
    assert not [name for name in environment if name.startswith("AIROS")]


async def test_what_fails_is_said_in_its_words_and_nothing_is_restarted(cage: Cage) -> None:
    server = cage.server(program())
    with pytest.raises(EngineError, match="parrot: the disk is full"):
        await server.call("fail", {})
    assert cage.states == ["ok", "starting", "ok"]


async def test_a_long_result_is_cut_off(cage: Cage) -> None:
    result = await cage.server(program()).call("long", {})
    assert len(result) < 9000
    assert result.endswith("… (cut off: it has 100000 characters)")


async def test_one_that_dies_in_a_call_says_so_and_the_next_call_finds_it_alive(
    cage: Cage,
) -> None:
    server = cage.server(program())
    with pytest.raises(EngineError, match="parrot: die failed: Connection closed"):
        await server.call("die", {})
    assert await server.call("echo", {"message": "again"}) == "again"
    assert cage.states == ["ok", "starting", "ok", "failed", "starting", "ok"]


async def test_one_that_is_killed_is_started_again_by_itself(cage: Cage) -> None:
    server = cage.server(program())
    child = int(await server.call("child", {}))
    group = os.getpgid(child)
    os.killpg(group, 9)
    await cage.watch.until(lambda: cage.states.count("ok") == 3)
    assert cage.states == ["ok", "starting", "ok", "failed", "starting", "ok"]
    assert await server.call("echo", {"message": "back"}) == "back"


async def test_one_that_cannot_start_is_tried_more_and_more_seldom(
    cage: Cage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mcp, "FIRST_WAIT_S", 0.2)
    server = cage.server(program("crash"))
    began = time.monotonic()
    assert await server.listed() == []
    await cage.watch.until(lambda: cage.states.count("failed") == 3)
    assert time.monotonic() - began > 0.2 + 0.4
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1, "the log is not filled with it"
    assert await server.listed() == [], "a question is not kept waiting for it"


async def test_a_program_that_does_not_exist_is_named(cage: Cage) -> None:
    server = cage.server(ToolServerSettings("no-such-program", allow=("*",)))
    with pytest.raises(EngineError, match="No such file or directory: 'no-such-program'"):
        await server.call("echo", {})
    assert "no-such-program" in cage.watch.why(PART)


async def test_a_question_does_not_wait_for_a_slow_start_but_a_later_one_has_it(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "PATIENCE_S", 0.1)
    server = cage.server(program("slow"))
    assert await server.listed() == []
    with pytest.raises(EngineError, match="still starting"):
        await server.call("echo", {"message": "now"})
    await cage.watch.until(lambda: cage.states[-1] == "ok")
    assert len(await server.listed()) > 5
    assert cage.states == ["ok", "starting", "ok"]


async def test_a_start_that_takes_for_ever_is_given_up(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "START_LIMIT_S", 1.5)
    assert await cage.server(program("deaf")).listed() == []
    await cage.watch.until(lambda: cage.states[-1] == "failed")
    assert cage.watch.why(PART) == "did not start within 1.5 s"


async def test_while_one_that_did_not_start_is_tried_again_no_question_waits(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "START_LIMIT_S", 1.0)
    monkeypatch.setattr(mcp, "FIRST_WAIT_S", 0.05)
    server = cage.server(program("deaf"))
    assert await server.listed() == []
    await cage.watch.until(lambda: cage.states.count("starting") == 2)
    assert await server.listed() == []
    assert cage.states.count("failed") == 1, "it did not wait for what comes of the second start"


async def test_a_call_that_hangs_is_given_up_and_the_server_goes_on(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "CALL_LIMIT_S", 0.2)
    server = cage.server(program())
    await server.listed()
    with pytest.raises(EngineError, match="parrot: hang gave no answer within"):
        await server.call("hang", {})
    assert await server.call("echo", {"message": "still here"}) == "still here"
    assert "failed" not in cage.states


async def test_a_server_that_hangs_altogether_is_started_again(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "CALL_LIMIT_S", 0.2)
    monkeypatch.setattr(mcp, "CHECK_LIMIT_S", 0.2)
    monkeypatch.setattr(mcp_program, "GRACE_S", 0.2)
    server = cage.server(program())
    group = os.getpgid(int(await server.call("child", {})))
    os.killpg(group, 19)  # SIGSTOP
    with pytest.raises(EngineError, match="gave no answer"):
        await server.call("echo", {"message": "?"})
    await cage.watch.until(lambda: cage.states[-1] == "failed")
    assert cage.watch.why(PART) == "did not answer within 0.2 s"
    await cage.watch.until(lambda: cage.states[-1] == "ok")
    assert await server.call("echo", {"message": "new"}) == "new"


async def test_calls_at_once_do_not_wait_for_each_other(
    cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp, "CALL_LIMIT_S", 5.0)
    server = cage.server(program())
    hanging = asyncio.ensure_future(server.call("hang", {}))
    assert await server.call("echo", {"message": "quick"}) == "quick"
    hanging.cancel()
    await asyncio.wait([hanging])
    assert hanging.cancelled()
    assert await server.call("echo", {"message": "fine"}) == "fine"


async def test_tools_that_it_learns_are_listed(cage: Cage) -> None:
    server = cage.server(program())
    await server.call("learn", {})
    async with asyncio.timeout(5):
        while "sing" not in server.tools:
            await server.call("echo", {"message": ""})


async def test_what_is_no_message_on_its_output_does_no_harm(cage: Cage) -> None:
    server = cage.server(program("chatty"))
    assert await server.call("echo", {"message": "hello"}) == "hello"


async def test_its_complaints_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "airos_edge.tools.mcp_program")
    async with Scope(8.0) as scope:
        await McpServer("parrot", program(), Watch().health, scope).call("grumble", {})
    assert "parrot: no coffee left" in caplog.messages


@pytest.mark.parametrize("how", ["", "stubborn"])
async def test_at_the_end_it_goes_with_all_that_it_started(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_program, "GRACE_S", 0.5)
    async with Scope(8.0) as scope:
        server = McpServer("parrot", program(how), Watch().health, scope)
        child = int(await server.call("child", {}))
        processes = [Process(child), Process(os.getpgid(child))]
    for process in processes:
        await process.gone()


async def test_ended_it_is_no_part_of_the_box_any_more() -> None:
    watch = Watch()
    async with Scope(8.0) as scope:
        server = McpServer("parrot", program(), watch.health, scope)
        child = Process(int(await server.call("child", {})))
        server.end()
        assert PART not in watch.health.parts()
        await child.gone()


async def test_cancelled_over_and_over_it_still_leaves_nothing() -> None:
    async with Scope(0.01) as scope:
        server = McpServer("parrot", program("stubborn"), Watch().health, scope)
        child = Process(int(await server.call("child", {})))
    await child.gone()
    await asyncio.wait([*abandoned, asyncio.create_task(asyncio.sleep(0.1))])  # its pipes, too
