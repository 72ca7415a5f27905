"""The MCP servers that everybody knows, from npm: over a program's input and output, and over HTTP."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from airos_edge.errors import EngineError
from airos_edge.router.approval import Approving
from airos_edge.tools.servers import ToolServers
from airos_edge.tools.settings import ToolServerSettings
from airos_edge.voice.history import Item
from airos_edge.voice.ports import Call, Done, Place, Prompt, Text
from tests.e2e.conftest import free_port
from tests.fakes import FakeResponder, Step
from tests.room import Room
from tests.tool_servers import Watch

pytestmark = pytest.mark.real_time

MODULES = Path(__file__).parents[2] / ".venv" / "npm" / "node_modules" / "@modelcontextprotocol"
START_LIMIT_S = 10.0
ON_LOOPBACK = """
import net from "node:net";
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ready) {
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, ready);
};
"""
"""The server itself listens everywhere."""


def script(name: str) -> str:
    """Skips where it cannot be run."""
    node = shutil.which("node")
    version = subprocess.run([node, "--version"], capture_output=True, text=True) if node else None
    if version is None or int(version.stdout.lstrip("v").partition(".")[0]) < 20:
        pytest.skip("node is absent, or older than 20")
    path = MODULES / f"server-{name}" / "dist" / "index.js"
    if not path.exists():
        pytest.skip(f"{name} of tests/npm is absent; `make test` installs it where there is npm")
    return str(path)


def program(name: str, *args: str, allow: tuple[str, ...] = ("*",)) -> ToolServerSettings:
    return ToolServerSettings("node", (script(name), *args), allow=allow)


@pytest.fixture
async def servers() -> AsyncIterator[ToolServers]:
    async with ToolServers(Watch().health) as servers:
        yield servers


def children() -> set[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return set(map(int, listed.split()))


async def eventually(call: Callable[[], Awaitable[object]]) -> None:
    """Until it raises no EngineError."""
    async with asyncio.timeout(START_LIMIT_S):
        while True:
            with suppress(EngineError):
                await call()
                return
            await asyncio.sleep(0.05)


# ---- a program ----------------------------------------------------------------------------------


async def test_files_are_read_and_what_is_not_allowed_is_not_written(
    servers: ToolServers, tmp_path: Path
) -> None:
    (tmp_path / "milk.txt").write_text("two litres")
    allowed = ("read_text_file", "list_directory")
    servers.use({"files": program("filesystem", str(tmp_path), allow=allowed)}, Place.LOCAL)
    offered = [tool.name for tool in await servers.offered(Place.LOCAL)]
    assert sorted(offered) == ["files__list_directory", "files__read_text_file"]
    read = Call("files__read_text_file", {"path": str(tmp_path / "milk.txt")})
    assert await servers.call(read) == "two litres"
    with pytest.raises(EngineError, match="files: Access denied"):
        await servers.call(Call("files__read_text_file", {"path": "/etc/passwd"}))
    written = {"path": str(tmp_path / "new.txt"), "content": "x"}
    with pytest.raises(EngineError, match="there is no tool 'files__write_file'"):
        await servers.call(Call("files__write_file", written))
    assert not (tmp_path / "new.txt").exists()


async def test_everything_that_a_server_may_answer_becomes_text(servers: ToolServers) -> None:
    servers.use({"all": program("everything", "stdio")}, Place.LOCAL)
    names = [tool.name for tool in await servers.offered(Place.LOCAL)]
    assert {"all__echo", "all__get-sum", "all__get-tiny-image"} <= set(names)
    assert await servers.call(Call("all__get-sum", {"a": 2, "b": 3})) == "The sum of 2 and 3 is 5."
    assert "(image, image/png)" in await servers.call(Call("all__get-tiny-image"))
    links = await servers.call(Call("all__get-resource-links", {"count": 1}))
    assert "demo://resource" in links
    with pytest.raises(EngineError, match="all: "):
        await servers.call(Call("all__get-sum", {"a": "two"}))


async def test_a_server_that_is_killed_comes_back(servers: ToolServers, tmp_path: Path) -> None:
    servers.use({"files": program("filesystem", str(tmp_path))}, Place.LOCAL)
    before = children()
    await servers.offered(Place.LOCAL)
    (pid,) = children() - before
    os.kill(pid, 9)
    look = Call("files__list_directory", {"path": str(tmp_path)})
    await eventually(lambda: servers.call(look))
    (again,) = children() - before
    assert again != pid


async def test_a_file_is_written_after_a_yes_and_not_without(
    servers: ToolServers, tmp_path: Path
) -> None:
    servers.use({"files": program("filesystem", str(tmp_path))}, Place.LOCAL)
    await servers.offered(Place.LOCAL)

    def model(prompt: Prompt) -> list[Step]:
        path = str(tmp_path / prompt.question)
        if prompt.items[-1].kind == "function_call_output":
            return [Text("It is noted."), Done("model")]
        arguments = {"path": path, "content": "milk"}
        return [Call("files__write_file", arguments, waits_for_yes=True), Done("model")]

    asking = Approving(FakeResponder(model), servers)
    async with Room(manner=Prompt(), responder=asking, tools=servers.call) as talk:
        for count, (said, answer) in enumerate(
            [("a", "Shall I"), ("no", "Okay."), ("b", "Shall I"), ("yes", "It is noted.")], start=1
        ):
            talk.session.add(Item(f"user_{count}", role="user", text=said))
            talk.session.respond()
            assert (await talk.answered(count)).startswith(answer)
    assert os.listdir(tmp_path) == ["b"]


# ---- over HTTP ----------------------------------------------------------------------------------


@contextmanager
def listening(port: int) -> Iterator[None]:
    command = ["node", "--import", f"data:text/javascript,{ON_LOOPBACK}", script("everything")]
    process = subprocess.Popen(
        [*command, "streamableHttp"],
        env={**os.environ, "PORT": str(port)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_a_server_elsewhere_is_called_lost_and_found_again(servers: ToolServers) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    servers.use({"all": ToolServerSettings(url=url, allow=("echo",))}, Place.LOCAL)
    echo = Call("all__echo", {"message": "hello"})
    with listening(port):
        await eventually(lambda: servers.call(echo))
        assert [tool.name for tool in await servers.offered(Place.LOCAL)] == ["all__echo"]
        assert await servers.call(echo) == "Echo: hello"
    with pytest.raises(EngineError, match="all: "):
        await servers.call(echo)
    assert await servers.offered(Place.LOCAL) == []
    with listening(port):
        await eventually(lambda: servers.call(echo))
