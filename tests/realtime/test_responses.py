"""`response.*`: what a response is asked with, and what is told of it."""

import asyncio
import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest

from airos_edge.errors import PromptError
from airos_edge.realtime.responses import MOST_APART
from airos_edge.voice.ports import Call, Done, Prompt, Text, Truncation
from airos_edge.voice.served import ServedTool
from tests.fakes import At, FakeAsr, FakeResponder, Said, Step
from tests.realtime.client import Client, Json, sound

LONG = "One two three four five six seven eight nine ten."
"""2500 ms of speech."""
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
OTHER = {"type": "function", "name": "clock", "parameters": {"type": "object"}}
APART = {"conversation": "none", "output_modalities": ["text"]}
RECORDING = {"type": "input_audio", "audio": sound(500)}


def question(text: str, **fields: Any) -> Json:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content, **fields}


def prompts(client: Client) -> list[Prompt]:
    return client.lease.engines.responder.prompts  # type: ignore[attr-defined, no-any-return]


def says(*steps: Step) -> FakeResponder:
    return FakeResponder(lambda prompt: [*steps, Done("fake")])


def code_of(event: Json) -> str:
    assert event["type"] == "error", event
    return str(event["error"]["code"])


# ---- what it is asked with ----------------------------------------------------------------------


async def test_a_response_may_have_all_of_its_own_and_the_session_keeps_its_own() -> None:
    async with Client(responder=says(Text("Yes."))) as client:
        client.configure(instructions="Be long.", tools=[TOOL], tool_choice="required")
        own = {
            "instructions": "Be brief.",
            "tools": [OTHER],
            "tool_choice": {"type": "function", "name": "clock"},
            "parallel_tool_calls": False,
            "output_modalities": ["text"],
            "max_output_tokens": 77,
            "metadata": {"topic": "x"},
            "audio": {"output": {"voice": "marin"}},
            "prompt": {"id": "pmpt_1"},
            "reasoning": {"effort": "low"},
        }
        client.send("response.create", response=own)
        done = (await client.until("response.done"))["response"]
        created = client.of("response.created")[0]["response"]
        client.send("response.create")
        await client.until("response.done", 2)
        first, second = prompts(client)
        assert (first.instructions, first.tools) == ("Be brief.", (OTHER,))
        assert first.tool_choice == {"type": "function", "name": "clock"}
        assert (first.parallel_calls, first.max_tokens, first.speaking) == (False, 77, None)
        assert (second.instructions, second.tools) == ("Be long.", (TOOL,))
        assert (second.tool_choice, second.parallel_calls) == ("required", True)
    for told in (created, done):
        assert told["metadata"] == {"topic": "x"}
        assert told["max_output_tokens"] == 77
        assert told["output_modalities"] == ["text"]
        assert told["audio"]["output"]["voice"] == "marin"
        assert told["conversation_id"] == client.conversation.id


async def test_a_response_has_the_keys_that_openais_have() -> None:
    async with Client() as client:
        client.add("hello")
        client.send("response.create")
        done = (await client.until("response.done"))["response"]
        created = client.of("response.created")[0]["response"]
    keys = {
        "object",
        "id",
        "status",
        "status_details",
        "output",
        "conversation_id",
        "output_modalities",
        "max_output_tokens",
        "audio",
        "usage",
        "metadata",
    }
    assert created.keys() == done.keys() == keys
    assert created["usage"] is None
    assert created["max_output_tokens"] == "inf"
    assert done["output"][0].keys() == {"id", "type", "status", "role", "content"}


async def test_what_a_response_was_begun_with_is_told_at_its_end_whatever_the_session_has_become() -> (
    None
):
    async with Client(responder=says(Text(LONG))) as client:
        client.add("hello")
        client.send("response.create")
        await client.until("response.output_audio.delta")
        client.configure(audio={"output": {"voice": "cedar"}})
        done = (await client.until("response.done"))["response"]
    assert done["audio"]["output"]["voice"] == "airos"


@pytest.mark.parametrize(
    ("own", "code", "param"),
    [
        ({"nonsense": 1}, "unknown_parameter", "response.nonsense"),
        ({"conversation": "conv_x"}, "invalid_value", "response.conversation"),
        (
            {"audio": {"output": {"nonsense": 1}}},
            "unknown_parameter",
            "response.audio.output.nonsense",
        ),
        ({"tool_choice": "sometimes"}, "invalid_value", "response.tool_choice"),
        ({"max_output_tokens": 0}, "invalid_value", "response.max_output_tokens"),
        ({"metadata": {f"{n}": "x" for n in range(17)}}, "invalid_value", "response.metadata"),
        ({"metadata": {"k" * 65: "x"}}, "invalid_value", f"response.metadata.{'k' * 65}"),
        ({"metadata": {"k": "x" * 513}}, "invalid_value", "response.metadata.k"),
        ({"metadata": {"k": 5}}, "invalid_value", "response.metadata.k"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "item_not_found", "id"),
        ({"input": [{"type": "nonsense"}]}, "invalid_value", "response.input[0].type"),
    ],
)
async def test_what_no_response_has_is_refused_and_none_is_begun(
    own: Json, code: str, param: str
) -> None:
    async with Client() as client:
        error = client.send("response.create", response=own, event_id="mine")["error"]
        assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
        assert not client.of("response.created")
        assert not client.conversation.of_reply


async def test_metadata_may_be_as_much_as_openai_allows() -> None:
    metadata = {f"{n}".rjust(64, "k"): "x" * 512 for n in range(16)}
    async with Client() as client:
        client.send("response.create", response={"metadata": metadata})
        done = await client.until("response.done")
    assert done["response"]["metadata"] == metadata


async def test_input_takes_the_place_of_the_conversation() -> None:
    async with Client() as client:
        client.configure(output_modalities=["text"])
        client.add("hello", id="item_1")
        client.add("and again")
        reference = {"type": "item_reference", "id": "item_1"}
        client.send("response.create", response={"input": [reference, question("now")]})
        await client.until("response.done")
        client.send("response.create", response={"input": []})
        await client.until("response.done", 2)
        first, second = prompts(client)
        assert [item.text for item in first.items] == ["hello", "now"]
        assert second.items == ()
        said = [item.text for item in client.session.history]
        assert said == ["hello", "and again", "You said now.", "You said ."]


async def test_a_recording_in_the_input_is_recognised() -> None:
    async with Client(asr=FakeAsr(Said("what time is it", takes_ms=300))) as client:
        item = {"type": "message", "role": "user", "content": [RECORDING]}
        client.send("response.create", response={**APART, "input": [item]})
        done = (await client.until("response.done"))["response"]
        assert done["output"][0]["content"][0]["text"] == "You said what time is it."
        assert len(client.session.history) == 0


async def test_nothing_is_told_of_its_words_as_it_is_no_item_that_a_client_knows() -> None:
    partials = [At(100, "what"), At(200, "what time"), At(300, "what time is")]
    async with Client(asr=FakeAsr(Said("what time is it", partials))) as client:
        client.configure(audio={"input": {"transcription": {"model": "whisper-1"}}})
        item = {"type": "message", "role": "user", "content": [RECORDING]}
        client.send("response.create", response={**APART, "input": [item]})
        await client.until("response.done")
        assert not [kind for kind in client.types if "transcription" in kind]


async def test_where_another_part_of_the_input_is_wrong_it_is_not_recognised() -> None:
    asr = FakeAsr("what time is it")
    async with Client(asr=asr) as client:
        item = {"type": "message", "role": "user", "content": [RECORDING]}
        unknown = {"type": "item_reference", "id": "item_none"}
        error = client.send("response.create", response={**APART, "input": [item, unknown]})
        assert code_of(error) == "item_not_found"
        await asyncio.sleep(5)
        assert asr.opened == 0


# ---- beside which others ------------------------------------------------------------------------


async def test_responses_out_of_band_go_on_in_parallel_with_the_conversations_own() -> None:
    def script(prompt: Prompt) -> Iterable[Step]:
        return [1000, Text(f"{prompt.question}!"), Done("fake")]

    async with Client(responder=FakeResponder(script)) as client:
        client.configure(output_modalities=["text"])
        client.add("own")
        client.send("response.create", response={"metadata": {"topic": "own"}})
        for topic in ("a", "b"):
            own = {**APART, "input": [question(topic)], "metadata": {"topic": topic}}
            client.send("response.create", response=own)
        await client.until("response.done", 3)
        done = {
            e["response"]["metadata"]["topic"]: e["response"] for e in client.of("response.done")
        }
        said = {topic: one["output"][0]["content"][0]["text"] for topic, one in done.items()}
        assert said == {"own": "own!", "a": "a!", "b": "b!"}
        assert done["a"]["conversation_id"] is None
        assert len(client.of("conversation.item.added")) == 2
        assert asyncio.get_running_loop().time() < 1.5


async def test_they_are_bounded_and_each_is_cancelled_by_its_id() -> None:
    async with Client(responder=says(60_000)) as client:
        for _ in range(MOST_APART):
            client.send("response.create", response=APART)
        assert code_of(client.send("response.create", response=APART)) == "rate_limit_exceeded"
        first = client.of("response.created")[0]["response"]["id"]
        client.send("response.cancel", response_id=first)
        done = (await client.until("response.done"))["response"]
        assert (done["id"], done["status"]) == (first, "cancelled")
        assert code_of(client.send("response.cancel")) == "response_cancel_not_active"
        await asyncio.sleep(0.1)
        client.send("response.create", response=APART)
        assert len(client.of("response.created")) == MOST_APART + 1


async def test_of_two_that_race_one_is_made() -> None:
    async with Client() as client:
        client.add("hello")
        client.send("response.create", event_id="first")
        error = client.send("response.create", event_id="second")
        assert code_of(error) == "conversation_already_has_active_response"
        assert error["error"]["event_id"] == "second"
        done = await client.until("response.done")
        assert done["response"]["status"] == "completed"


async def test_a_response_that_is_asked_for_while_the_question_is_recognised_comes_first() -> None:
    async with Client(asr=FakeAsr(Said("hello", takes_ms=400))) as client:
        client.configure(audio={"input": {"turn_detection": None}}, output_modalities=["text"])
        await client.play(400)
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        assert code_of(client.send("response.create")) == "conversation_already_has_active_response"
        done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["text"] == "You said hello."


async def test_a_response_that_is_asked_for_before_the_servers_own_begins_takes_its_place() -> None:
    async with Client(asr=FakeAsr(Said("hello", takes_ms=300))) as client:
        client.configure(output_modalities=["text"])
        await client.play(600)
        await client.play(520, 0)
        await client.until("input_audio_buffer.committed")
        client.send("response.create", response={"metadata": {"whose": "mine"}})
        done = (await client.until("response.done"))["response"]
        assert (done["metadata"], done["status"]) == ({"whose": "mine"}, "completed")
        assert done["output"][0]["content"][0]["text"] == "You said hello."
        await asyncio.sleep(5)
        assert len(client.of("response.created")) == 1
        assert not client.of("error")


async def test_one_about_something_else_does_not() -> None:
    async with Client(asr=FakeAsr(Said("hello", takes_ms=300))) as client:
        client.configure(output_modalities=["text"])
        await client.play(600)
        await client.play(520, 0)
        await client.until("input_audio_buffer.committed")
        client.send("response.create", response={"input": [question("else")]})
        await client.until("response.done", 2)
        said = [event["text"] for event in client.of("response.output_text.done")]
        assert said == ["You said else.", "You said hello."]


# ---- calls --------------------------------------------------------------------------------------


async def test_the_calls_of_a_response_come_one_after_the_other_and_their_results_in_any_order() -> (
    None
):
    def script(prompt: Prompt) -> Iterable[Step]:
        results = [item for item in prompt.items if item.kind == "function_call_output"]
        if results:
            return [Text(" ".join(item.text or "" for item in results)), Done("fake")]
        calls = [Call("weather", {"city": city}, f"call_{city}") for city in ("Rome", "Oslo")]
        return [Text("A moment."), *calls, Done("fake")]

    async with Client(responder=FakeResponder(script)) as client:
        client.configure(tools=[TOOL], output_modalities=["text"])
        client.add("weather?")
        client.send("response.create")
        done = (await client.until("response.done"))["response"]
        assert [item["type"] for item in done["output"]] == [
            "message",
            "function_call",
            "function_call",
        ]
        indexes = [event["output_index"] for event in client.of("response.output_item.added")]
        assert indexes == [0, 1, 2]
        for city in ("Oslo", "Rome"):
            result = {"type": "function_call_output", "call_id": f"call_{city}", "output": city}
            added = client.send("conversation.item.create", item=result)
            assert added["item"].keys() == {"id", "type", "call_id", "output"}
        client.send("response.create")
        second = (await client.until("response.done", 2))["response"]
        assert second["output"][0]["content"][0]["text"] == "Oslo Rome"


async def test_a_result_that_is_sent_as_soon_as_the_call_is_known_is_told_after_its_response() -> (
    None
):
    async with Client(responder=says(Call("weather", {}, "call_1"))) as client:
        client.configure(tools=[TOOL])
        client.add("weather?")
        client.send("response.create")
        await client.until("response.function_call_arguments.done")
        result = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
        client.send("conversation.item.create", item=result)
        types = [event["type"] for event in client.events]
        told = [
            e for e in client.of("conversation.item.added") if e["item"]["type"] == result["type"]
        ]
        assert client.events.index(told[0]) > types.index("response.done")


async def test_cancelled_in_a_later_call_it_asks_once_about_an_earlier_one() -> None:
    async def works_on(call: Call) -> str:
        await asyncio.sleep(100)
        return "done"

    asks = ServedTool("box__open", "open", "box", "box", asks=True)
    free = ServedTool("box__look", "look", "box", "box")
    script = says(
        Call("box__open", {}, "call_1", waits_for_yes=True, served=asks),
        Call("box__look", {}, "call_2", served=free),
    )
    async with Client(responder=script, tools=works_on) as client:
        client.add("open it, and look")
        client.send("response.create")
        await client.until("response.mcp_call.in_progress")
        client.send("response.cancel")
        output = (await client.until("response.done"))["response"]["output"]
        assert [item["type"] for item in output] == ["mcp_call", "mcp_approval_request", "mcp_call"]


# ---- its end ------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["audio", "text"])
async def test_where_it_may_say_no_more_its_message_is_incomplete_too(modality: str) -> None:
    script = FakeResponder(lambda prompt: [Text("One two"), Done("fake", why="max_tokens")])
    async with Client(responder=script) as client:
        client.send("response.create", response={"output_modalities": [modality]})
        response = (await client.until("response.done"))["response"]
        assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
        assert response["output"][0]["status"] == "incomplete"


async def test_what_it_took_is_told_as_the_model_told_it() -> None:
    spent = Done("fake", input_tokens=100, output_tokens=20, cached_tokens=64)
    async with Client(responder=FakeResponder(lambda _: [Text("Yes."), spent])) as client:
        client.add("hello")
        client.send("response.create")
        usage = (await client.until("response.done"))["response"]["usage"]
    none = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    assert usage == {
        "total_tokens": 120,
        "input_tokens": 100,
        "output_tokens": 20,
        "input_token_details": {
            **none,
            "text_tokens": 100,
            "cached_tokens": 64,
            "cached_tokens_details": {**none, "text_tokens": 64},
        },
        "output_token_details": {"text_tokens": 20, "audio_tokens": 0},
    }


async def test_what_a_client_may_still_ask_for_is_told_after_each_response() -> None:
    limits = [{"name": "requests", "limit": 10, "remaining": 9, "reset_seconds": 60.0}]
    async with Client() as client:
        client.conversation.rate_limits = lambda: limits
        client.send("response.create")
        told = await client.until("rate_limits.updated")
    assert told["rate_limits"] == limits


async def test_a_failure_of_the_clients_own_making_has_its_code() -> None:
    class Blind(FakeResponder):
        async def reply(self, prompt: Prompt, act: Any) -> Any:
            raise PromptError("tiny", "does not see pictures", "unsupported_content_type")
            yield

    async with Client(responder=Blind()) as client:
        client.configure(output_modalities=["text"])
        client.add("hello")
        client.send("response.create")
        done = (await client.until("response.done"))["response"]
    assert done["status_details"] == {
        "type": "failed",
        "error": {
            "type": "invalid_request_error",
            "code": "unsupported_content_type",
            "message": "tiny: does not see pictures",
        },
    }


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("auto", Truncation()),
        ("disabled", Truncation(None)),
        ({"type": "retention_ratio", "retention_ratio": 0.5}, Truncation(0.5)),
        (
            {
                "type": "retention_ratio",
                "retention_ratio": 1,
                "token_limits": {"post_instructions": 5000},
            },
            Truncation(1, 5000),
        ),
    ],
)
async def test_what_may_be_left_out_is_the_clients_to_say(given: Any, meant: Truncation) -> None:
    async with Client() as client:
        updated = client.configure(truncation=given)
        assert updated["session"]["truncation"] == given
        client.send("response.create")
        await client.until("response.done")
        assert prompts(client)[0].truncation == meant


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ("sometimes", "session.truncation"),
        ({"type": "retention_ratio"}, "session.truncation.retention_ratio"),
        ({"type": "x", "retention_ratio": 0.5}, "session.truncation.type"),
        (
            {
                "type": "retention_ratio",
                "retention_ratio": 0.5,
                "token_limits": {"post_instructions": 0},
            },
            "session.truncation.token_limits.post_instructions",
        ),
    ],
)
async def test_another_way_of_leaving_out_is_refused(given: Any, param: str) -> None:
    async with Client() as client:
        error = client.configure(truncation=given)["error"]
        assert error["param"] == param


async def test_a_response_apart_speaks_and_its_sound_is_its_own() -> None:
    async with Client(responder=says(Text("Noon."))) as client:
        client.send("response.create", response={"conversation": "none", "input": [question("x")]})
        done = (await client.until("response.done"))["response"]
        deltas = client.of("response.output_audio.delta")
        assert {event["response_id"] for event in deltas} == {done["id"]}
        assert sum(len(base64.b64decode(event["delta"])) for event in deltas) > 0
        assert json.dumps(client.events).count("conversation.item") == 0
