"""A client brings a tool server: the one that everybody knows, over HTTP, and OpenAI's own client, unmodified."""

import asyncio
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from tests.e2e.conftest import StartDaemon, free_port
from tests.e2e.test_mcp_servers import MODULES, listening
from tests.e2e.test_models import config, health, model
from tests.model_server import calls, model_server, says

pytestmark = pytest.mark.real_time

PACKAGES = MODULES.parent
SCRIPT = Path(__file__).parents[1] / "npm" / "mcp.mjs"
LIMIT_S = 60


async def answers(url: str) -> None:
    """Until the server does."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                await asyncio.to_thread(urllib.request.urlopen, url, None, 1.0)
            except urllib.error.HTTPError:
                return
            except OSError:
                await asyncio.sleep(0.05)


async def test_agents_of_openai_approve_one_call_and_reject_the_next(
    start_daemon: StartDaemon,
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    if not (PACKAGES / "@openai" / "agents-realtime").exists():
        pytest.skip("@openai/agents-realtime of tests/npm is absent; `make test` installs it")
    call = calls("all__echo", '{"message": "hello"}')
    script = call, says("It said hello."), call, says("Then I will not.")
    with listening(port), model_server(*script) as server:
        await answers(url)
        daemon = start_daemon("--demo", config=config(model(server)))
        told = {"url": f"ws://127.0.0.1:{daemon.port}/v1/realtime", "server": url}
        result = await asyncio.to_thread(
            subprocess.run,
            ["node", str(SCRIPT), json.dumps({**told, "packages": str(PACKAGES)})],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        assert result.returncode == 0, result.stderr
        held = json.loads(result.stdout.splitlines()[-1])
        assert held["errors"] == []
        assert held["tools"] == ["echo"]
        assert held["asked"] == ["echo", "echo"]
        assert held["calls"] == ["Echo: hello", None]
        assert held["said"] == ["It said hello.", "Then I will not."]
        results = [request["messages"][-1]["content"] for request in server.requests]
        assert "Echo: hello" in results[1]
        assert "Not twice." in results[3]


async def test_a_server_that_a_client_brings_is_none_of_the_box(start_daemon: StartDaemon) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    tool = {"type": "mcp", "server_label": "all", "server_url": url, "require_approval": "never"}
    with listening(port), model_server(calls("all__echo", '{"message": "hi"}')) as server:
        await answers(url)
        daemon = start_daemon("--demo", config=config(model(server)))
        client = AsyncOpenAI(api_key="any", base_url=daemon.url)
        async with client, client.realtime.connect(model="fast") as connection:
            session = {"type": "realtime", "output_modalities": ["text"], "tools": [tool]}
            await connection.session.update(session=session)  # type: ignore[arg-type]
            async for event in connection:
                if event.type == "mcp_list_tools.completed":
                    await connection.response.create()
                if event.type == "response.done":
                    break
            assert event.response.output[0].output == "Echo: hi"  # type: ignore[union-attr]
        assert "mcp all" not in health(daemon)["parts"]
