"""A second opinion on our events: the schemas by which OpenAI's Agents for JavaScript read them."""

import json
import subprocess

from tests.e2e.test_npm_clients import PACKAGES, SCRIPTS, needs
from tests.realtime.client import Json
from tests.realtime.golden import FOLDER, frames


def complaints(events: list[Json]) -> list[str]:
    lines = "".join(json.dumps(event) + "\n" for event in events)
    command = ["node", str(SCRIPTS / "schemas.mjs"), str(PACKAGES)]
    result = subprocess.run(
        command, input=lines, capture_output=True, text=True, check=True, timeout=20
    )
    return result.stdout.splitlines()


async def test_every_event_of_the_recorded_conversations_is_one_that_they_know() -> None:
    needs("@openai/agents-realtime")
    events = [
        event for file in sorted((FOLDER / "ga").glob("*.jsonl")) for event in await frames(file)
    ]
    assert len(events) > 100
    assert complaints(events) == []
    without_id = {key: value for key, value in events[0].items() if key != "event_id"}
    assert len(complaints([without_id, {"type": "no.such", "event_id": "event_1"}])) == 2
