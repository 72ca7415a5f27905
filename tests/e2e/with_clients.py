"""`make test-clients`: Realtime clients of other frameworks, each unmodified, in an environment of their own.

Not among the tests of `make test`, as they bring some hundred packages. $CLIENTS_PYTHON is their interpreter.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import scenario
from tests.e2e.conftest import StartDaemon
from tests.e2e.scenario import scripted, was_cut
from tests.model_server import says

pytestmark = [pytest.mark.real_time, pytest.mark.timeout(120)]

PYTHON = os.environ["CLIENTS_PYTHON"]
PROGRAMS = Path(__file__).parents[1] / "clients"
LIMIT_S = 45


def plays(program: str, folder: Path, environment: dict[str, str], port: int) -> dict[str, Any]:
    """What this client holds when it has gone through the scenario."""
    told = json.dumps({**scenario.told(folder), "port": port})
    result = subprocess.run(
        [PYTHON, str(PROGRAMS / program), told],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env=environment,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-6000:]
    return dict(json.loads(result.stdout.splitlines()[-1]))


def test_pydantic_ai_goes_through_it_all(start_daemon: StartDaemon, tmp_path: Path) -> None:
    with scripted(start_daemon) as (daemon, server):
        told = plays("with_pydantic_ai.py", tmp_path, daemon.environment, daemon.port)
    assert told["errors"] == []
    assert told["tools"] == ["London"]
    said = [text for who, text in told["said"] if who == "assistant"]
    assert [said[0], said[1], *said[3:]] == [
        *(scenario.HELLO, scenario.WEATHER, scenario.NOON, scenario.WELCOME)
    ]
    assert was_cut(said[2])
    assert ["user", scenario.COMMAND] in told["said"]
    again = [message["content"] for message in server.requests[-1]["messages"]]
    assert {scenario.COMMAND, scenario.HELLO, scenario.FOGGY, scenario.ASK_AGAIN} <= set(again)


def test_livekit_goes_through_it_all(start_daemon: StartDaemon, tmp_path: Path) -> None:
    with scripted(start_daemon) as (daemon, server):
        told = plays("with_livekit.py", tmp_path, daemon.environment, daemon.port)
    assert [error for error in told["errors"] if "connection" not in error] == []
    assert told["heard"] == [scenario.COMMAND, scenario.OVER]
    hello, weather, story, noon, *again = told["said"]
    assert [hello, weather, noon] == [scenario.HELLO, scenario.WEATHER, scenario.NOON]
    assert story.startswith("Once upon a time")
    assert again == [scenario.WELCOME] * 2
    assert [json.loads(call) for call in told["calls"]] == [{"city": "London"}]
    assert told["audio"] > 100_000
    assert told["held"] == told["wanted"]
    assert told["user_initiated"] == [False, True, True, True, False, True, True]
    after_the_break, long = (request["messages"] for request in server.requests[-2:])
    kept = [message["content"] for message in after_the_break]
    assert kept[1:3] == [scenario.COMMAND, scenario.HELLO]
    assert scenario.FOGGY in kept
    assert long[0]["content"] == "Sum it up."
    assert [message["content"].partition(".")[0] for message in long[1:9]] == [
        *("Line 0", "Line 1", "Line 2", "Line 3", "Between", "Line 4", "Line 5", "Line 6")
    ]


def test_pipecat_goes_through_it_all(start_daemon: StartDaemon, tmp_path: Path) -> None:
    """Its pipeline has the service speak first."""
    with scripted(start_daemon, says(scenario.GREETING)) as (daemon, _):
        told = plays("with_pipecat.py", tmp_path, daemon.environment, daemon.port)
    assert told["errors"] == []
    assert told["heard"] == [scenario.COMMAND, scenario.OVER, scenario.COMMAND]
    assert told["tools"] == [{"city": "London"}]
    assert told["interrupted"] >= 1
    assert told["audio"] > 100_000
    said = [text for who, text in told["messages"] if who == "assistant" and text]
    greeting, hello, weather, story, noon, welcome = said
    assert [greeting, hello, weather] == [scenario.GREETING, scenario.HELLO, scenario.WEATHER]
    assert was_cut(story)
    assert [noon, welcome] == [scenario.NOON, scenario.WELCOME]
