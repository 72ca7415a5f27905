"""Clients of the beta: what they send is understood, and what they are told is in their own words."""

import json
from typing import Any

import pytest

from airos_edge.realtime.dialect import asks_for_beta
from airos_edge.voice.ports import Call, Done, Text
from tests.fakes import FakeAsr, FakeResponder
from tests.realtime.client import Client, Json

FLAT = {
    "modalities": ["text", "audio"],
    "instructions": "Be brief.",
    "voice": "alloy",
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "input_audio_transcription": {"model": "whisper-1"},
    "turn_detection": {"type": "server_vad", "threshold": 0.6, "silence_duration_ms": 400},
    "tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}}],
    "tool_choice": "auto",
    "temperature": 0.7,
    "max_response_output_tokens": 200,
    "speed": 1.0,
}
"""A session as the beta's documents show it."""


def answering(*steps: Text | Call) -> FakeResponder:
    return FakeResponder(lambda prompt: [*steps, Done("fake")])


def flat(client: Client, **session: Any) -> Json:
    return client.send("session.update", session=session)


# ---- who speaks it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "beta"),
    [
        ({"OpenAI-Beta": "realtime=v1"}, True),
        ({"OpenAI-Beta": "assistants=v2, realtime=v1"}, True),
        ({"OpenAI-Beta": "assistants=v2"}, False),
        ({"Sec-WebSocket-Protocol": "realtime, openai-beta.realtime-v1"}, True),
        ({"Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.k"}, False),
        ({}, False),
    ],
)
def test_a_client_says_by_its_headers_that_it_speaks_the_beta(
    headers: dict[str, str], beta: bool
) -> None:
    assert asks_for_beta(headers) is beta


@pytest.mark.parametrize(
    ("type", "fields", "beta"),
    [
        ("session.update", {"session": {"modalities": ["text"]}}, True),
        ("session.update", {"session": {"instructions": "x", "temperature": 0.8}}, True),
        ("response.create", {"response": {"modalities": ["text"]}}, True),
        ("transcription_session.update", {"session": {"input_audio_format": "pcm16"}}, True),
        ("session.update", {"session": {"type": "realtime", "modalities": ["text"]}}, False),
        ("session.update", {"session": {"audio": {"input": {"transcription": None}}}}, False),
        ("session.update", {"session": {"instructions": "x"}}, False),
        ("response.create", {}, False),
    ],
)
async def test_without_headers_the_first_flat_session_or_response_tells(
    type: str, fields: Json, beta: bool
) -> None:
    async with Client() as client:
        client.send(type, **fields)
        assert client.conversation.dialect.beta is beta


async def test_what_tells_nothing_leaves_it_open_and_what_is_known_stays() -> None:
    async with Client() as client:
        flat(client, instructions="Be brief.")
        flat(client, modalities=["text"])
        assert "modalities" in flat(client, type="realtime", instructions="x")["session"]


# ---- sessions ------------------------------------------------------------------------------------


async def test_a_session_is_created_in_the_shape_of_the_beta() -> None:
    async with Client(beta=True) as client:
        assert client.types == ["session.created", "conversation.created"]
        session = client.events[0]["session"]
    assert session["modalities"] == ["text", "audio"]
    assert session["input_audio_format"] == session["output_audio_format"] == "pcm16"
    assert session["turn_detection"]["type"] == "server_vad"
    assert session["max_response_output_tokens"] == "inf"
    assert not session.keys() & {"type", "audio", "output_modalities", "max_output_tokens"}


async def test_flat_fields_are_obeyed_and_echoed_as_they_were_sent() -> None:
    async with Client(beta=True, responder=answering(Text("Yes."))) as client:
        session = flat(client, **FLAT)["session"]
        assert {key: session[key] for key in FLAT if key not in ("turn_detection",)} == {
            key: value
            for key, value in FLAT.items()
            if key not in ("turn_detection", "input_audio_transcription")
        } | {"input_audio_transcription": session["input_audio_transcription"]}
        assert session["input_audio_transcription"]["model"] == "whisper-1"
        assert session["turn_detection"].items() >= dict(FLAT["turn_detection"]).items()  # type: ignore[call-overload]
        configured = client.conversation.configuration
        assert configured["audio"]["output"]["voice"] == "alloy"
        assert configured["max_output_tokens"] == 200
        assert flat(client, turn_detection=None)["session"]["turn_detection"] is None


async def test_a_transcription_session_may_name_modalities_which_it_has_none_of() -> None:
    async with Client(kind="transcription", beta=True) as client:
        session = {"modalities": ["text"], "input_audio_transcription": {"model": "whisper-1"}}
        told = client.send("transcription_session.update", session=session)
        assert told["type"] == "transcription_session.updated"


async def test_a_transcription_session_is_made_and_updated_under_its_old_name() -> None:
    async with Client("transcription", beta=True) as client:
        assert client.types == ["transcription_session.created"]
        transcription = {"model": "whisper-1", "language": "en"}
        told = client.send(
            "transcription_session.update",
            session={"input_audio_format": "pcm16", "input_audio_transcription": transcription},
        )
    assert told["type"] == "transcription_session.updated"
    assert told["session"]["input_audio_transcription"]["language"] == "en"


async def test_a_client_of_today_may_send_a_flat_field_and_is_answered_as_one_of_today() -> None:
    async with Client(responder=answering(Text("Yes."))) as client:
        session = client.configure(modalities=["text"], voice="alloy")["session"]
        assert session["output_modalities"] == ["text"]
        assert session["audio"]["output"]["voice"] == "alloy"
        nested = {"output": {"voice": "ash"}}
        assert client.configure(voice="alloy", audio=nested)["session"]["audio"]["output"][
            "voice"
        ] == ("ash")
        client.add("hello")
        client.send("response.create", response={"modalities": ["audio", "text"]})
        done = await client.until("response.done")
    assert done["response"]["output_modalities"] == ["audio"]


async def test_what_is_wrong_is_said_of_the_field_that_the_client_sent() -> None:
    async with Client(beta=True) as client:
        error = flat(client, turn_detection={"type": "server_vad", "threshold": 7})["error"]
        assert error["param"] == "session.turn_detection.threshold"
        assert error["param"] in error["message"]
        assert flat(client, output_audio_format="mp3")["error"]["param"] == (
            "session.output_audio_format"
        )


@pytest.mark.parametrize("body", [None, 3, "x", [], {"modalities": 3}, {"voice": 3, "audio": 3}])
async def test_what_is_no_session_gets_an_error_and_no_more(body: Any) -> None:
    async with Client(beta=True) as client:
        for type in ("session.update", "transcription_session.update"):
            assert client.send(type, session=body)["type"] in ("error", "session.updated")
        client.send("conversation.item.create", item={"role": "assistant", "content": [3, None]})
        client.send("response.create", response={"input": [3, {"role": "assistant"}]})
        assert client.events[-1]["type"] == "error"


# ---- turns ---------------------------------------------------------------------------------------


async def test_a_spoken_turn_has_the_events_of_the_beta() -> None:
    async with Client(beta=True, responder=answering(Text("Noon."))) as client:
        await client.ask()
        done = await client.until("response.done")
    kinds = set(client.types)
    assert {"conversation.item.created", "response.audio.delta", "response.audio.done"} <= kinds
    assert {"response.audio_transcript.delta", "response.audio_transcript.done"} <= kinds
    assert not [
        kind for kind in kinds if "output_audio" in kind or "conversation.item.added" in kind
    ]
    response = done["response"]
    assert response["output"][0]["content"] == [{"type": "audio", "transcript": "Noon."}]
    assert response["output"][0]["object"] == "realtime.item"
    assert response["modalities"] == ["text", "audio"]
    assert response["output_audio_format"] == "pcm16"


async def test_an_assistants_text_is_called_text_both_ways() -> None:
    async with Client(beta=True, responder=answering(Text("Yes."))) as client:
        content = [{"type": "text", "text": "Hello."}]
        item = {"type": "message", "role": "assistant", "content": content}
        told = client.send("conversation.item.create", item=item)
        assert (told["type"], told["item"]["content"]) == ("conversation.item.created", content)
        client.send(
            "response.create",
            response={"modalities": ["text"], "input": [item], "conversation": "none"},
        )
        await client.until("response.done")
    assert client.of("response.text.done")[0]["text"] == "Yes."


async def test_a_call_and_its_result_go_as_ever() -> None:
    responder = FakeResponder(
        lambda prompt: [
            Text("Fine.") if prompt.items[-1].kind == "function_call_output" else LOOK,
            Done("fake"),
        ]
    )
    async with Client(beta=True, asr=FakeAsr("how is it"), responder=responder) as client:
        flat(client, tools=FLAT["tools"])
        await client.ask()
        call = (await client.until("response.done"))["response"]["output"][0]
        assert (call["name"], json.loads(call["arguments"])) == ("look", {"where": "out"})
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
        client.send("conversation.item.create", item=output)
        client.send("response.create")
        done = await client.until("response.done", 2)
    assert done["response"]["output"][0]["content"][0]["transcript"] == "Fine."


LOOK = Call("look", {"where": "out"}, "call_1")
