"""A client's frames to what it is told: every frame that is sent is checked against OpenAI's SDK."""

import asyncio
import base64
import copy
import json
import random
from typing import Any

import pytest
from openai.types.realtime import RealtimeMcpApprovalRequest

from airos_edge.realtime.frames import LARGEST_EVENT
from airos_edge.realtime.input_audio import LARGEST_APPEND
from airos_edge.realtime.protocol import HANDLERS, receive
from airos_edge.voice.ports import Call, Done, Prompt, Text
from tests.fakes import FakeAsr, FakeResponder, FakeTts, Fault, Said, Step
from tests.realtime.client import Client, Json, sound

LONG = "One two three four five six seven eight nine ten."
"""2500 ms of speech."""
TRANSCRIBED = {"input": {"transcription": {"model": "whisper-1"}}}


def says(*steps: Step) -> FakeResponder:
    return FakeResponder(lambda prompt: [*steps, Done("fake")])


def code_of(event: Json) -> str:
    assert event["type"] == "error", event
    return str(event["error"]["code"])


# ---- turns --------------------------------------------------------------------------------------


async def test_a_spoken_question_is_answered_aloud_in_the_order_that_the_api_promises() -> None:
    async with Client(asr=FakeAsr("what time is it"), responder=says(Text("Noon."))) as client:
        client.configure(audio=TRANSCRIBED)
        await client.ask()
        done = await client.until("response.done")
        await client.until("rate_limits.updated")
    assert client.types == [
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    item_id = client.of("input_audio_buffer.speech_started")[0]["item_id"]
    question = client.of("conversation.item.added")[0]
    assert question["item"]["id"] == item_id
    assert question["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    transcribed = client.of("conversation.item.input_audio_transcription.completed")[0]
    assert (transcribed["item_id"], transcribed["transcript"]) == (item_id, "what time is it")
    assert client.of("conversation.item.added")[1]["previous_item_id"] == item_id
    assert done["response"]["status"] == "completed"
    assert done["response"]["output"][0]["content"][0]["transcript"] == "Noon."
    pcm = b"".join(base64.b64decode(e["delta"]) for e in client.of("response.output_audio.delta"))
    assert len(pcm) / 2 / 24 == pytest.approx(len("Noon.") * 50, abs=1)


async def test_speech_is_placed_in_the_milliseconds_of_what_was_appended() -> None:
    async with Client() as client:
        client.configure(audio={"input": {"turn_detection": {"type": "server_vad"}}})
        await client.play(1000, 0)
        await client.play(600)
        await client.play(700, 0)
        stopped = await client.until("input_audio_buffer.speech_stopped")
        started = client.of("input_audio_buffer.speech_started")[0]
    assert started["audio_start_ms"] == pytest.approx(1000 - 300, abs=40), "padding included"
    assert stopped["audio_end_ms"] == pytest.approx(1600, abs=40)


async def test_what_held_no_word_is_answered_too_since_the_client_waits_for_it() -> None:
    async with Client(asr=FakeAsr("")) as client:
        await client.ask()
        assert (await client.until("response.done"))["response"]["status"] == "completed"


async def test_what_else_was_perhaps_said_is_not_shown() -> None:
    said = Said("five", alternatives=("nine",), sure=False)
    responder = FakeResponder(lambda prompt: [Text("Which?"), Done("fake", expects=("nine",))])
    async with Client(asr=FakeAsr(said), responder=responder) as client:
        client.configure(audio=TRANSCRIBED)
        await client.ask()
        await client.until("response.done")
        item_id = client.of("input_audio_buffer.speech_started")[0]["item_id"]
        retrieved = client.send("conversation.item.retrieve", item_id=item_id)
    assert retrieved["item"]["content"][0]["transcript"] == "five"
    assert "nine" not in json.dumps(client.events)


async def test_talking_over_the_answer_cancels_it_and_a_late_truncate_leaves_what_was_heard() -> (
    None
):
    asr = FakeAsr("first", "second")
    async with Client(asr=asr, responder=says(Text(LONG))) as client:
        await client.ask()
        delta = await client.until("response.output_audio.delta")
        await asyncio.sleep(0.8)
        await client.ask()
        done = await client.until("response.done")
        assert done["response"]["status_details"] == {
            "type": "cancelled",
            "reason": "turn_detected",
        }
        assert done["response"]["output"][0]["status"] == "incomplete"
        await client.until("response.done", 2)
        client.send(
            "conversation.item.truncate",
            item_id=delta["item_id"],
            content_index=0,
            audio_end_ms=620,
        )
        assert client.events[-1]["audio_end_ms"] == 620
        got = client.send("conversation.item.retrieve", item_id=delta["item_id"])
        assert got["item"]["content"][0]["transcript"] == "One two"


async def test_more_than_there_is_can_be_truncated_to_and_cuts_nothing() -> None:
    async with Client(responder=says(Text("Noon."))) as client:
        client.add("what time is it")
        client.send("response.create")
        done = await client.until("response.done")
        item_id = done["response"]["output"][0]["id"]
        fields = {"item_id": item_id, "content_index": 0, "audio_end_ms": 60_000}
        assert client.send("conversation.item.truncate", **fields)["type"].endswith("truncated")
        got = client.send("conversation.item.retrieve", item_id=item_id)
        assert got["item"]["content"][0]["transcript"] == "Noon."


async def test_typed_text_gets_text() -> None:
    async with Client() as client:
        client.configure(output_modalities=["text"])
        client.add("hello")
        client.send("response.create")
        done = await client.until("response.done")
        await client.until("rate_limits.updated")
    assert client.types[-11:] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert done["response"]["output"][0]["content"] == [
        {"type": "output_text", "text": "You said hello."}
    ]
    assert done["response"]["output_modalities"] == ["text"]


async def test_a_response_may_be_written_in_a_session_that_speaks() -> None:
    async with Client() as client:
        client.add("hello")
        client.send("response.create", response={"output_modalities": ["text"]})
        written = await client.until("response.done")
        client.send("response.create")
        said = await client.until("response.done", 2)
    assert written["response"]["output"][0]["content"][0]["type"] == "output_text"
    assert said["response"]["output"][0]["content"][0]["type"] == "output_audio"


async def test_a_clients_call_ends_the_response_and_its_result_goes_into_the_next() -> None:
    def script(prompt: Prompt) -> list[Step]:
        if prompt.items[-1].kind == "function_call_output":
            return [Text(f"It is {prompt.items[-1].text}."), Done("fake")]
        return [Call("weather", {"city": "Rome"}, "call_1"), Done("fake")]

    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    async with Client(responder=FakeResponder(script)) as client:
        client.configure(tools=[tool], output_modalities=["text"])
        client.add("weather?")
        client.send("response.create")
        first = await client.until("response.done")
        called = client.of("response.function_call_arguments.done")[0]
        assert (called["name"], json.loads(called["arguments"])) == ("weather", {"city": "Rome"})
        assert called["call_id"] == "call_1"
        assert first["response"]["output"][0]["type"] == "function_call"
        result = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
        client.send("conversation.item.create", item=result)
        client.send("response.create")
        second = await client.until("response.done", 2)
        assert second["response"]["output"][0]["content"][0]["text"] == "It is sunny."


@pytest.mark.parametrize(
    ("tool", "label", "name"),
    [("HassTurnOff", "airos", "HassTurnOff"), ("files__write_file", "files", "write_file")],
)
async def test_a_call_that_waits_for_a_yes_is_no_function_call_of_the_client(
    tool: str, label: str, name: str
) -> None:
    call = Call(tool, {"domain": "light"}, waits_for_yes=True)
    script = [Text("Shall I?"), call, Done("fake")]
    async with Client(responder=FakeResponder(lambda prompt: script)) as client:
        client.configure(output_modalities=["text"])
        client.add("lights off")
        client.send("response.create")
        done = await client.until("response.done")
        message, request = done["response"]["output"]
        assert message["content"][0]["text"] == "Shall I?"
        read = RealtimeMcpApprovalRequest.model_validate(request)
        assert (read.type, read.server_label, read.name) == ("mcp_approval_request", label, name)
        assert json.loads(read.arguments) == {"domain": "light"}
        assert client.of("conversation.item.done")[-1]["item"] == request
        assert not client.of("response.function_call_arguments.done")


async def test_a_response_apart_has_its_own_input_and_leaves_the_conversation_alone() -> None:
    async with Client() as client:
        client.add("hello")
        before = len(client.of("conversation.item.added"))
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "apart"}],
        }
        response = {
            "conversation": "none",
            "input": [item],
            "metadata": {"topic": "x"},
            "output_modalities": ["text"],
        }
        client.send("response.create", response=response)
        done = (await client.until("response.done"))["response"]
        assert done["output"][0]["content"][0]["text"] == "You said apart."
        assert (done["conversation_id"], done["metadata"]) == (None, {"topic": "x"})
        assert len(client.of("conversation.item.added")) == before


async def test_an_input_may_refer_to_items_of_the_conversation() -> None:
    async with Client() as client:
        client.add("first", id="item_first")
        client.add("second")
        response = {
            "conversation": "none",
            "input": [{"type": "item_reference", "id": "item_first"}],
            "output_modalities": ["text"],
        }
        client.send("response.create", response=response)
        done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["text"] == "You said first."


async def test_push_to_talk_commits_and_asks_for_its_response() -> None:
    async with Client(asr=FakeAsr("hello")) as client:
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(600)
        client.send("input_audio_buffer.commit")
        assert "input_audio_buffer.speech_started" not in client.types
        await asyncio.sleep(1)
        assert "response.created" not in client.types
        client.send("response.create")
        done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "You said hello."


async def test_a_response_asked_for_at_once_waits_for_the_words_it_answers() -> None:
    async with Client(asr=FakeAsr(Said("hello", takes_ms=800))) as client:
        client.configure(audio={"input": {"turn_detection": None, **TRANSCRIBED["input"]}})
        await client.play(600)
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        assert client.events[-1]["type"] == "response.created"
        done = await client.until("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "You said hello."
        completed = "conversation.item.input_audio_transcription.completed"
        assert client.types.index(completed) < client.types.index("response.output_item.added")


async def test_a_response_to_what_could_not_be_heard_fails() -> None:
    async with Client(asr=FakeAsr(Said(Fault.RAISE, takes_ms=300))) as client:
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(600)
        client.send("input_audio_buffer.commit")
        client.send("response.create")
        assert (await client.until("response.done"))["response"]["status"] == "failed"


async def test_too_little_to_commit_is_refused_in_openais_words() -> None:
    async with Client() as client:
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(40)
        refused = client.send("input_audio_buffer.commit")
        assert code_of(refused) == "input_audio_buffer_commit_empty"
        assert "buffer only has 40.00ms" in refused["error"]["message"]
        client.send("input_audio_buffer.clear")
        await client.play(40)
        assert (
            "buffer only has 40.00ms"
            in client.send("input_audio_buffer.commit")["error"]["message"]
        )


async def test_half_a_sample_waits_for_its_other_half_until_the_buffer_is_cleared() -> None:
    async with Client(asr=FakeAsr("hello")) as client:
        client.configure(audio={"input": {"turn_detection": None}})
        pcm = base64.b64decode(sound(200))
        for part in (pcm[:4801], pcm[4801:], b"\x01"):
            audio = base64.b64encode(part).decode()
            client.send("input_audio_buffer.append", audio=audio)
        utterance = client.session.ear.utterance
        assert utterance is not None
        assert utterance.ms == pytest.approx(200, abs=1)
        loud = [sample for sample in memoryview(utterance.pcm).cast("h") if sample > 7000]
        assert len(loud) > 0.95 * utterance.samples
        client.send("input_audio_buffer.clear")
        client.send("input_audio_buffer.append", audio=sound(200))
        again = client.session.ear.utterance
        assert again is not None
        assert max(memoryview(again.pcm).cast("h")) < 8200, "bytes that do not belong together"


async def test_minutes_in_one_event_are_heard_in_pieces() -> None:
    async with Client() as client:
        client.configure(audio={"input": {"turn_detection": None}})
        frame = json.dumps({"type": "input_audio_buffer.append", "audio": sound(60_000)})
        assert len(list(receive(client.conversation, frame))) == 59, "between 60 pieces"
        utterance = client.session.ear.utterance
        assert utterance is not None
        assert utterance.ms == pytest.approx(60_000, abs=2)


async def test_a_recording_by_other_rules_is_not_a_question_by_the_new_ones() -> None:
    async with Client(asr=FakeAsr("hello")) as client:
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(1000, 0)
        client.configure(audio={"input": {"turn_detection": {"type": "server_vad"}}})
        await client.play(2000, 0)
        assert "input_audio_buffer.committed" not in client.types
        await client.ask()
        assert (await client.until("response.done"))["response"]["status"] == "completed"
        assert len(client.of("input_audio_buffer.speech_started")) == 1


async def test_a_transcription_session_transcribes_and_has_no_responses() -> None:
    async with Client(kind="transcription", asr=FakeAsr("hello")) as client:
        await client.ask()
        done = await client.until("conversation.item.input_audio_transcription.completed")
        assert done["transcript"] == "hello"
        assert code_of(client.send("response.create")) == "invalid_event"
        await asyncio.sleep(5)
        assert not [kind for kind in client.types if kind.startswith("response.")]


async def test_a_recogniser_that_fails_fails_the_transcription_and_the_response() -> None:
    async with Client(asr=FakeAsr(Said(Fault.RAISE))) as client:
        client.configure(audio=TRANSCRIBED)
        await client.ask()
        failed = await client.until("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["type"] == "server_error"
        done = (await client.until("response.done"))["response"]
        assert done["status"] == "failed"
        assert done["status_details"]["error"]["code"] == "engine_failed"
        assert done["output"][0]["content"][0]["transcript"] == "Sorry, something went wrong."


async def test_a_voice_that_fails_fails_the_response_and_the_next_one_is_fine() -> None:
    tts = FakeTts(fault=Fault.RAISE)
    async with Client(tts=tts) as client:
        client.add("hello")
        client.send("response.create")
        assert (await client.until("response.done"))["response"]["status"] == "failed"
        client.send("response.create", response={"output_modalities": ["text"]})
        assert (await client.until("response.done", 2))["response"]["status"] == "completed"


# ---- cancelling ---------------------------------------------------------------------------------


async def test_a_client_cancels_and_every_open_part_is_still_ended() -> None:
    async with Client(responder=says(Text(LONG))) as client:
        client.add("hello")
        client.send("response.create")
        await client.until("response.output_audio.delta")
        client.send("response.cancel")
        done = client.of("response.done")[0]["response"]
        assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert client.types[-7:] == [
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
        ]
        sent = len(client.of("response.output_audio.delta"))
        await asyncio.sleep(5)
        assert len(client.of("response.output_audio.delta")) == sent


async def test_cancelling_what_is_not_there_is_refused_in_openais_words() -> None:
    async with Client() as client:
        refused = client.send("response.cancel", event_id="event_of_the_client")
        assert code_of(refused) == "response_cancel_not_active"
        assert refused["error"]["message"].startswith("Cancellation failed")
        assert refused["error"]["event_id"] == "event_of_the_client"
        assert code_of(client.send("response.cancel", response_id="resp_x"))


async def test_there_is_one_response_at_a_time() -> None:
    async with Client(responder=says(Text(LONG))) as client:
        client.add("hello")
        client.send("response.create")
        code = code_of(client.send("response.create", event_id="event_2"))
        assert code == "conversation_already_has_active_response"


# ---- items --------------------------------------------------------------------------------------


async def test_items_go_where_the_client_wants_them() -> None:
    async with Client() as client:
        client.add("b", id="item_b")
        front = {"type": "message", "role": "system", "content": [], "id": "item_a"}
        client.send("conversation.item.create", item=front, previous_item_id="root")
        assert client.events[-1]["previous_item_id"] is None
        client.add("d", id="item_d")
        assert client.events[-1]["previous_item_id"] == "item_b"
        between = {"type": "message", "role": "user", "content": [], "id": "item_c"}
        client.send("conversation.item.create", item=between, previous_item_id="item_b")
        order = [item.id for item in client.session.history]
        assert order == ["item_a", "item_b", "item_c", "item_d"]
        assert client.send("conversation.item.delete", item_id="item_c") == {
            "type": "conversation.item.deleted",
            "event_id": client.events[-1]["event_id"],
            "item_id": "item_c",
        }
        assert [item.id for item in client.session.history] == ["item_a", "item_b", "item_d"]


EMPTY = {"type": "message", "role": "user", "content": []}


@pytest.mark.parametrize(
    ("event", "fields", "code"),
    [
        ("item.create", {"item": {**EMPTY, "id": "item_1"}}, "item_create_duplicate_item_id"),
        (
            "item.create",
            {"item": EMPTY, "previous_item_id": "x"},
            "item_create_invalid_previous_item_id",
        ),
        (
            "item.create",
            {"item": {**EMPTY, "content": [{"type": "refusal"}]}},
            "unsupported_content_type",
        ),
        ("item.create", {"item": {"type": "mcp_call"}}, "invalid_value"),
        ("item.create", {}, "missing_required_parameter"),
        ("item.retrieve", {"item_id": "x"}, "item_retrieve_invalid_item_id"),
        ("item.truncate", {"item_id": "x"}, "item_truncate_invalid_item_id"),
        ("item.truncate", {"item_id": "item_1", "audio_end_ms": 1}, "invalid_value"),
        ("item.delete", {"item_id": "x"}, "item_delete_invalid_item_id"),
        ("input_audio_buffer.append", {"audio": "?"}, "invalid_value"),
        ("input_audio_buffer.append", {}, "missing_required_parameter"),
        ("output_audio_buffer.clear", {}, "invalid_event"),
        ("response.create", {"response": 5}, "invalid_value"),
        ("session.update", {}, "missing_required_parameter"),
        ("nonsense", {}, "invalid_value"),
    ],
)
async def test_what_cannot_be_done_is_an_error_and_the_session_lives(
    event: str, fields: Json, code: str
) -> None:
    async with Client() as client:
        client.add("hello", id="item_1")
        kind = f"conversation.{event}" if event.startswith("item.") else event
        assert code_of(client.send(kind, **fields)) == code
        client.send("response.create")
        assert (await client.until("response.done"))["response"]["status"] == "completed"


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "5",
        "{}",
        '{"type": 5}',
        '{"type": "response.cancel", "n": NaN}',
        "[" * 100_000,
        '{"type": "session.update", "session": {"prompt": '
        + '{"a":' * 600
        + "1"
        + "}" * 600
        + "}}",
        '{"type": "conversation.item.create", "item": {"type": "message", "role": "user", '
        '"content": [{"type": "input_text", "text": "\\ud800"}]}}',
    ],
)
async def test_a_frame_that_is_no_event_is_an_error(frame: str) -> None:
    async with Client() as client:
        client.receive(frame)
        assert client.events[-1]["type"] == "error"


async def test_a_pair_of_surrogates_is_a_letter() -> None:
    async with Client() as client:
        client.add("\U0001f600")  # json.dumps writes it as a pair
        assert client.events[-1]["item"]["content"][0]["text"] == "\U0001f600"


async def test_too_large_is_an_error() -> None:
    async with Client() as client:
        code_of(client.send("input_audio_buffer.append", audio="A" * (LARGEST_APPEND + 4)))
        code_of(client.send("session.update", session={"instructions": "A" * LARGEST_EVENT}))
        assert client.configure(instructions="short")["type"] == "session.updated"


NASTY: list[Any] = [
    None,
    True,
    -1,
    0,
    1e999,
    "",
    "root",
    "none",
    [],
    [[]],
    {},
    {"type": []},
    "é" * 300,
]
VALID: dict[str, Json] = {
    "session.update": {
        "session": {
            "type": "realtime",
            "instructions": "x",
            "tools": [{"type": "function", "name": "f"}],
            "tool_choice": "auto",
            "max_output_tokens": 10,
            "output_modalities": ["text"],
            "audio": {
                "input": {
                    "turn_detection": {"type": "semantic_vad", "eagerness": "low"},
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": {"model": "whisper-1"},
                },
                "output": {"voice": "marin", "speed": 1.0},
            },
        }
    },
    "input_audio_buffer.append": {"audio": sound(200)},
    "conversation.item.create": {
        "item": {
            "type": "message",
            "id": "item_0",
            "role": "user",
            "content": [{"type": "input_text", "text": "x"}],
        },
        "previous_item_id": "item_1",
    },
    "conversation.item.retrieve": {"item_id": "item_1"},
    "conversation.item.truncate": {"item_id": "item_1", "content_index": 0, "audio_end_ms": 5},
    "conversation.item.delete": {"item_id": "item_1"},
    "response.create": {
        "response": {
            "conversation": "none",
            "metadata": {"a": "b"},
            "input": [{"type": "item_reference", "id": "item_1"}],
            "tools": [],
            "output_modalities": ["text"],
        }
    },
    "response.cancel": {"response_id": "resp_1"},
}


def spoiled(event: Json, draw: random.Random) -> Json:
    """The event with one of its values, somewhere within, replaced by something it must not be."""
    event = copy.deepcopy(event)
    place: Any = event
    while True:
        key = draw.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or draw.random() < 0.3:
            place[key] = draw.choice(NASTY)
            return event
        place = place[key]


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_a_client_sends_its_session_lives(seed: int) -> None:
    draw = random.Random(seed)
    async with Client() as client:
        for _ in range(60):
            kind = draw.choice(list(VALID))
            client.receive(json.dumps({"type": kind, **spoiled(VALID[kind], draw)}))
            await asyncio.sleep(draw.choice([0, 0, 0.01, 0.5]))
        client.send("response.cancel")
        client.add("still there", id="item_last")
        response = {"conversation": "none", "output_modalities": ["text"], "metadata": {"n": "1"}}
        client.send("response.create", response=response)
        while True:
            done = await client.until("response.done", len(client.of("response.done")) + 1)
            if done["response"]["metadata"] == {"n": "1"}:
                break
        assert done["response"]["status"] == "completed"


def test_every_client_event_of_the_api_is_known() -> None:
    from openai.types.realtime import RealtimeClientEvent

    from tests.realtime.oracle import types_of

    assert set(HANDLERS) == set(types_of(RealtimeClientEvent))
