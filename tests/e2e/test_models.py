"""The daemon with models: scripted servers on the loopback, asked by text, by speech, and by OpenAI's SDK."""

import asyncio
import base64
import json
import time
import urllib.error
import urllib.request
import wave
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from airos_edge.engines.llm_completion import LONGEST_ANSWER
from tests.e2e.conftest import Daemon, StartDaemon, free_port
from tests.e2e.test_realtime import Talk
from tests.model_server import (
    LIMIT_S,
    Cut,
    ModelServer,
    Raw,
    Status,
    Step,
    Wait,
    calls,
    claude_says,
    model_server,
    says,
    words,
)
from tests.phrases import APOLOGY

pytestmark = pytest.mark.real_time

QUESTION = "why is the sky blue"
ANSWER = "It scatters blue light, **mostly**. 🙂 See [more](https://example.org)."
SPOKEN = "It scatters blue light, mostly. See more."


def config(*models: str, reach: str = "local", tiers: str = "commands, fast") -> str:
    return f"reach: {reach}\nllm: {{{', '.join(models)}}}\nrouter: {{tiers: [{tiers}]}}\n"


def model(server: ModelServer, name: str = "fast", **options: Any) -> str:
    settings = {"url": server.url, "model": "tiny", **options}
    return f"{name}: {json.dumps(settings)}"


def ask(daemon: Daemon, text: str, *options: str) -> dict[str, Any]:
    result = daemon.airos("ask", text, "--json", "--quiet", *options)
    assert result.stdout, result.stderr
    return dict(json.loads(result.stdout))


def health(daemon: Daemon) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{daemon.port}/healthz") as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))


@pytest.mark.parametrize(
    ("engine", "steps"), [("openai", says(*ANSWER)), ("anthropic", claude_says(*ANSWER))]
)
def test_what_is_no_command_is_answered_by_a_model_aloud(
    start_daemon: StartDaemon, tmp_path: Path, engine: str, steps: list[Step]
) -> None:
    saved = tmp_path / "answer.wav"
    with model_server(steps) as server:
        daemon = start_daemon("--demo", config=config(model(server, engine=engine)))
        assert f"llm fast: tiny at {server.url} (local)" in daemon.log
        answer = ask(daemon, QUESTION, "--save", str(saved))
        assert (answer["answer"], answer["tier"]) == (SPOKEN, "fast")
        assert (answer["left"], answer["status"]) == ("nothing", "completed")
        with wave.open(str(saved)) as speech:
            assert speech.getnframes() > speech.getframerate()
        assert health(daemon)["parts"]["llm fast"] == {"state": "ok"}
        assert ask(daemon, "turn on the kitchen light")["tier"] == "commands"
        assert len(server.requests) == 1, "a command is nothing for a model"


def test_a_model_beyond_reach_is_never_asked(start_daemon: StartDaemon) -> None:
    with model_server(says("From afar.")) as server:
        far = config(model(server, place="cloud"), reach="edge")
        daemon = start_daemon("--demo", config=far)
        assert "never asked: `reach` is edge" in daemon.log
        answer = ask(daemon, QUESTION)
        assert answer["answer"] == "I only know house commands yet."
        assert (answer["tier"], answer["left"]) == ("commands", "nothing")
        assert server.requests == []


def test_how_far_a_question_went_is_said(start_daemon: StartDaemon) -> None:
    with model_server(says("From afar.")) as server:
        daemon = start_daemon("--demo", config=config(model(server, place="cloud"), reach="cloud"))
        assert ask(daemon, QUESTION)["left"] == "internet"
        assert ask(daemon, "turn on the kitchen light")["left"] == "nothing"


def test_a_dead_model_makes_way_for_the_next(start_daemon: StartDaemon) -> None:
    dead = json.dumps({"url": f"http://127.0.0.1:{free_port()}/v1", "model": "m", "place": "edge"})
    with model_server(says("It scatters.")) as server:
        daemon = start_daemon(
            "--demo",
            config=config(
                f"dead: {dead}", model(server), tiers="commands, dead, fast", reach="edge"
            ),
            expect_warnings=True,
        )
        answer = ask(daemon, QUESTION)
        assert (answer["answer"], answer["tier"], answer["left"]) == ("It scatters.", "fast", "lan")
        assert "does its server run?; asking fast" in daemon.log
        parts = health(daemon)["parts"]
        assert (parts["llm dead"]["state"], parts["llm fast"]["state"]) == ("degraded", "ok")


FIRST_TOKEN_S = 0.5
FAULTS: list[tuple[list[Step], str]] = [
    ([Wait(3)], "did not begin to answer within 0.5 s"),
    ([*words("Well. "), Cut()], "broke off"),
    (says("All is well."), ""),
    ([Status(401)], "wants a key: give it as llm.fast.api_key"),
    ([Status(404)], "knows no model 'tiny'"),
    (says("All is well."), ""),
    ([Status(500)], "its server failed (HTTP 500"),
    ([Raw(b"data: {\n\n")], "no JSON"),
    (says("All is well."), ""),
    (calls("oven", '{"on": tr', "u"), "calls oven with what is no JSON object"),
]


def test_whatever_a_model_does_somebody_hears_of_it_and_the_next_question_is_answered(
    start_daemon: StartDaemon,
) -> None:
    with model_server(*(steps for steps, _ in FAULTS)) as server:
        daemon = start_daemon(
            "--demo",
            config=config(model(server, first_token_s=FIRST_TOKEN_S)),
            expect_warnings=True,
        )
        for _, told in FAULTS:
            before_s = time.monotonic()
            answer = ask(daemon, QUESTION)
            assert time.monotonic() - before_s < 5
            assert answer["answer"].endswith(APOLOGY) == bool(told)
            assert told in (answer["error"] or "")
            assert told in daemon.log


def test_one_that_is_asked_too_often_rests_and_comes_back(start_daemon: StartDaemon) -> None:
    busy = [Status(429, headers={"Retry-After": "2"})]
    with model_server(busy, says("Here again.")) as server:
        daemon = start_daemon("--demo", config=config(model(server)), expect_warnings=True)
        assert "it rests for 2 s" in ask(daemon, QUESTION)["error"]
        assert "is not asked for another" in ask(daemon, QUESTION)["error"]
        assert len(server.requests) == 1
        state = health(daemon)
        assert (state["status"], state["parts"]["llm fast"]["state"]) == ("degraded", "failed")
        until = time.monotonic() + 10
        while (answer := ask(daemon, QUESTION))["status"] == "failed":
            assert time.monotonic() < until
        assert answer["answer"] == "Here again."
        assert health(daemon)["status"] == "ok"


# ---- Realtime -----------------------------------------------------------------------------------

DOOR = {
    "type": "function",
    "name": "open_door",
    "description": "Opens a door.",
    "parameters": {"type": "object", "properties": {"door": {"type": "string"}}},
}


async def test_a_client_has_its_own_tool_called_by_the_model_that_it_names(
    start_daemon: StartDaemon,
) -> None:
    asked = [*words("One moment. "), *calls("open_door", '{"door": ', '"front"}')]
    with model_server(asked, says("It is ", "open.")) as server:
        daemon = start_daemon("--demo", config=config(model(server)))
        client = AsyncOpenAI(api_key="any", base_url=daemon.url)
        async with client.realtime.connect(model="fast") as connection:
            talk = Talk(connection)
            await talk.until("session.created")
            await talk.configure(
                output_modalities=["text"], instructions="You are a porter.", tools=[DOOR]
            )
            await talk.type("turn on the kitchen light")
            await connection.response.create()
            call = await talk.until("response.function_call_arguments.done")
            assert (call.name, json.loads(call.arguments)) == ("open_door", {"door": "front"})
            done = await talk.until("response.done")
            assert [item.type for item in done.response.output] == ["message", "function_call"]
            result = {"type": "function_call_output", "call_id": call.call_id, "output": "ok"}
            await connection.conversation.item.create(item=result)
            await connection.response.create()
            text = await talk.until("response.output_text.done")
            assert text.text == "It is open."
            assert (await talk.until("response.done")).response.usage.output_tokens == 2
        first, second = server.requests
        assert first["tools"][0]["function"]["name"] == "open_door"
        assert first["messages"][0] == {"role": "system", "content": "You are a porter."}
        assert [message["role"] for message in second["messages"]] == [
            *("system", "user", "assistant", "tool")
        ]
        assert second["messages"][2]["tool_calls"][0]["id"] == call.call_id
        assert second["messages"][3]["content"] == "ok"


@pytest.mark.parametrize(
    ("name", "instructions", "by_commands"),
    [
        ("airos", "", True),
        ("gpt-realtime", "", True),
        ("airos", "You are a pirate.", False),
        ("commands", "You are a pirate.", True),
        ("fast", "", False),
    ],
)
async def test_the_name_that_a_client_connects_with_chooses_who_answers(
    start_daemon: StartDaemon, name: str, instructions: str, by_commands: bool
) -> None:
    with model_server(says("Arr.")) as server:
        daemon = start_daemon("--demo", config=config(model(server)))
        client = AsyncOpenAI(api_key="any", base_url=daemon.url)
        async with client.realtime.connect(model=name) as connection:
            talk = Talk(connection)
            await talk.until("session.created")
            await talk.configure(output_modalities=["text"], instructions=instructions)
            await talk.type("turn on the kitchen light")
            await connection.response.create()
            text = (await talk.until("response.output_text.done")).text
        assert text == ("Turned on the light, in the demo house" if by_commands else "Arr.")


PICTURE = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()


@pytest.mark.parametrize("engine", ["openai", "anthropic"])
async def test_a_picture_is_shown_to_a_model_that_sees_and_to_no_other(
    start_daemon: StartDaemon, engine: str
) -> None:
    answer = (claude_says if engine == "anthropic" else says)("A cat.")
    with model_server(answer) as server:
        models = (model(server, engine=engine), model(server, "clever", engine=engine, sees=True))
        daemon = start_daemon("--demo", config=config(*models), expect_warnings=True)
        client = AsyncOpenAI(api_key="any", base_url=daemon.url)
        for name, status in (("fast", "failed"), ("clever", "completed")):
            async with client.realtime.connect(model=name) as connection:
                talk = Talk(connection)
                await talk.until("session.created")
                await talk.configure(output_modalities=["text"])
                content: list[Any] = [
                    {"type": "input_text", "text": "what is this"},
                    {"type": "input_image", "image_url": PICTURE},
                ]
                await connection.conversation.item.create(
                    item={"type": "message", "role": "user", "content": content}
                )
                await connection.response.create()
                response = (await talk.until("response.done")).response
                assert response.status == status
                if status == "failed":
                    assert response.status_details.error.code == "unsupported_content_type"
        shown = json.dumps(server.requests)
        assert len(server.requests) == 1
        assert PICTURE.partition(",")[2] in shown


async def test_an_endless_answer_is_cut_and_says_so(start_daemon: StartDaemon) -> None:
    with model_server([*words(*["On and on it goes. "] * 2000), Wait()]) as server:
        daemon = start_daemon("--demo", config=config(model(server)))
        client = AsyncOpenAI(api_key="any", base_url=daemon.url)
        async with client.realtime.connect(model="fast") as connection:
            talk = Talk(connection)
            await talk.until("session.created")
            await talk.configure(output_modalities=["text"])
            await talk.type(QUESTION)
            await connection.response.create()
            done = (await talk.until("response.done")).response
        assert (done.status, done.status_details.reason) == ("incomplete", "max_output_tokens")
        assert 0 < len(done.output[0].content[0].text) - LONGEST_ANSWER < 100
        assert server.hung_up.wait(LIMIT_S)


async def test_a_reply_that_is_cancelled_hangs_up_on_its_model(start_daemon: StartDaemon) -> None:
    with model_server([*words("Once upon a time there was a king. ", "He had"), Wait()]) as server:
        daemon = start_daemon("--demo", config=config(model(server)))
        client = AsyncOpenAI(api_key="any", base_url=daemon.url)
        async with client.realtime.connect(model="fast") as connection:
            talk = Talk(connection)
            await talk.until("session.created")
            await talk.type("tell me a story")
            await connection.response.create()
            await talk.until("response.output_audio.delta")
            assert not server.hung_up.is_set()
            await connection.response.cancel()
            assert (await talk.until("response.done")).response.status == "cancelled"
            assert await asyncio.to_thread(server.hung_up.wait, LIMIT_S)
