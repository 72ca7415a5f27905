"""`conversation.item.*`: what a client puts into the conversation, and gets out of it."""

import asyncio
import base64
import json
from typing import Any

import numpy as np
import pytest

from airos_edge.realtime.content import LARGEST_PICTURE
from airos_edge.voice import history
from airos_edge.voice.ports import Done, Text
from tests.fakes import FakeAsr, FakeResponder, Fault, Said
from tests.realtime.client import Client, Json, sound

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
TEXT = {"type": "input_text", "text": "what is this"}
PICTURE = {"type": "input_image", "image_url": PNG, "detail": "low"}
TRANSCRIBED = {"input": {"transcription": {"model": "whisper-1"}}}
LARGEST_FRAME = 1024 * 1024


def create(client: Client, *content: Json, role: str = "user", **fields: Any) -> Json:
    item = {"type": "message", "role": role, "content": list(content), **fields}
    return client.send("conversation.item.create", item=item)


def retrieve(client: Client, item_id: str) -> Json:
    event = client.send("conversation.item.retrieve", item_id=item_id)
    return event["item"]["content"][0]  # type: ignore[no-any-return]


def heard(audio: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(audio), "<i2")


# ---- ids ----------------------------------------------------------------------------------------


async def test_a_question_that_is_being_said_has_its_id_already() -> None:
    async with Client() as client:
        await client.play(600)
        item_id = (await client.until("input_audio_buffer.speech_started"))["item_id"]
        error = create(client, TEXT, id=item_id)
        assert error["error"]["code"] == "item_create_duplicate_item_id"
        await client.play(700, 0)
        committed = await client.until("input_audio_buffer.committed")
        assert committed["item_id"] == item_id


async def test_what_a_client_puts_in_the_place_of_a_question_keeps_its_words() -> None:
    async with Client(asr=FakeAsr(Said("hello", takes_ms=300))) as client:
        client.configure(audio={"input": {"turn_detection": None}})
        await client.play(400)
        client.send("input_audio_buffer.commit")
        item_id = client.of("input_audio_buffer.committed")[0]["item_id"]
        client.send("conversation.item.delete", item_id=item_id)
        create(client, TEXT, id=item_id)
        await asyncio.sleep(1)
        assert client.session.history.get(item_id).text == TEXT["text"]


# ---- content ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "kind"),
    [("system", "input_text"), ("user", "input_text"), ("assistant", "output_text")],
)
async def test_a_message_of_several_texts_is_shown_as_it_came(role: str, kind: str) -> None:
    content = [{"type": kind, "text": "One."}, {"type": kind, "text": "Two."}]
    async with Client() as client:
        done = create(client, *content, role=role, id="mine")
        assert done["item"] == {
            "id": "mine",
            "type": "message",
            "status": "completed",
            "role": role,
            "content": content,
        }
        assert client.session.history.get("mine").text == "One.\nTwo."


async def test_a_recording_without_its_words_is_recognised_and_a_reply_waits_for_them() -> None:
    async with Client(asr=FakeAsr("lights on")) as client:
        client.configure(audio=TRANSCRIBED, output_modalities=["text"])
        done = create(client, {"type": "input_audio", "audio": sound(500)}, id="mine")
        assert done["item"]["content"] == [{"type": "input_audio", "transcript": None}]
        client.send("response.create")
        answered = await client.until("response.done")
        told = client.of("conversation.item.input_audio_transcription.completed")[0]
        assert (told["item_id"], told["transcript"]) == ("mine", "lights on")
        assert told["usage"]["seconds"] == pytest.approx(0.5, abs=0.01)
        assert answered["response"]["output"][0]["content"][0]["text"] == "You said lights on."
        got = retrieve(client, "mine")
        assert got["transcript"] == "lights on"
        assert len(heard(got["audio"])) == pytest.approx(0.5 * 24_000, abs=50)


async def test_a_recording_between_texts_gets_its_words_in_its_place() -> None:
    async with Client(asr=FakeAsr("this")) as client:
        create(client, TEXT, {"type": "input_audio", "audio": sound(500)}, TEXT, id="mine")
        client.send("response.create")
        await client.until("response.done")
        item = client.session.history.get("mine")
        assert item.text == "what is this\nthis\nwhat is this"
        got = client.send("conversation.item.retrieve", item_id="mine")["item"]["content"]
        assert [part["type"] for part in got] == ["input_text", "input_audio", "input_text"]
        assert got[1]["transcript"] == "this"


async def test_a_recording_that_brings_its_words_is_not_recognised() -> None:
    asr = FakeAsr("nonsense")
    async with Client(asr=asr) as client:
        create(client, {"type": "input_audio", "audio": sound(200), "transcript": "yes"}, id="a")
        create(client, {"type": "input_audio", "transcript": "no"}, id="b")
        client.send("response.create")
        await client.until("response.done")
        assert [item.text for item in client.session.history][:2] == ["yes", "no"]
        assert not asr.opened
        assert retrieve(client, "b") == {"type": "input_audio", "transcript": "no"}


async def test_while_a_recording_is_recognised_silence_is_silence() -> None:
    async with Client(asr=FakeAsr(Said("what was that", takes_ms=9000))) as client:
        detection = {"type": "server_vad", "idle_timeout_ms": 6000}
        client.configure(audio={"input": {"turn_detection": detection}})
        client.send("response.create")
        await client.until("response.done")
        create(client, {"type": "input_audio", "audio": sound(500)})
        await client.until("input_audio_buffer.timeout_triggered")
        done = await client.until("response.done", 2)
        assert "what was that" in str(done["response"]["output"])


async def test_a_recording_that_cannot_be_recognised_fails_its_response() -> None:
    async with Client(asr=FakeAsr(Said(Fault.RAISE))) as client:
        client.configure(audio=TRANSCRIBED)
        create(client, {"type": "input_audio", "audio": sound(200)}, id="a")
        client.send("response.create")
        done = await client.until("response.done")
        assert done["response"]["status"] == "failed"
        failed = client.of("conversation.item.input_audio_transcription.failed")[0]
        assert failed["item_id"] == "a"


async def test_a_picture_is_kept_and_its_bytes_go_to_who_retrieves_it_only() -> None:
    async with Client(responder=FakeResponder()) as client:
        done = create(client, TEXT, PICTURE, id="mine")
        assert done["item"]["content"] == [TEXT, {"type": "input_image", "detail": "low"}]
        got = client.send("conversation.item.retrieve", item_id="mine")
        assert got["item"]["content"] == [TEXT, PICTURE]
        client.send("response.create")
        await client.until("response.done")
        picture = client.lease.engines.responder.prompts[0].items[0].pictures[0]  # type: ignore[attr-defined]
        assert (picture.url, picture.detail) == (PNG, "low")


async def test_a_picture_that_no_frame_holds_is_kept_and_not_sent_back() -> None:
    large = PNG + base64.b64encode(bytes(900_000)).decode()
    async with Client() as client:
        create(client, {**PICTURE, "image_url": large}, id="mine")
        got = retrieve(client, "mine")
        assert got == {"type": "input_image", "detail": "low"}
        assert client.session.history.get("mine").pictures[0].url == large


@pytest.mark.parametrize(
    ("role", "part", "code", "param"),
    [
        ("user", {"type": "output_audio"}, "unsupported_content_type", "type"),
        ("assistant", PICTURE, "unsupported_content_type", "type"),
        ("assistant", {"type": "input_audio"}, "unsupported_content_type", "type"),
        ("system", {"type": "input_audio"}, "unsupported_content_type", "type"),
        ("user", {"type": "input_text"}, "missing_required_parameter", "text"),
        ("user", {"type": "input_audio"}, "missing_required_parameter", "audio"),
        ("user", {"type": "input_audio", "audio": "?"}, "invalid_value", "audio"),
        ("user", {"type": "input_image"}, "missing_required_parameter", "image_url"),
        ("user", {**PICTURE, "image_url": "https://x/y.png"}, "invalid_value", "image_url"),
        (
            "user",
            {**PICTURE, "image_url": PNG.replace("png", "tiff")},
            "invalid_value",
            "image_url",
        ),
        (
            "user",
            {**PICTURE, "image_url": PNG.replace("png", "jpeg")},
            "invalid_value",
            "image_url",
        ),
        ("user", {**PICTURE, "image_url": PNG + "!"}, "invalid_value", "image_url"),
        (
            "user",
            {**PICTURE, "image_url": PNG + "A" * LARGEST_PICTURE},
            "invalid_value",
            "image_url",
        ),
        ("user", {**PICTURE, "detail": "huge"}, "invalid_value", "detail"),
    ],
)
async def test_what_no_message_has_is_refused_by_its_place(
    role: str, part: Json, code: str, param: str
) -> None:
    async with Client() as client:
        text = {"type": "input_text", "text": "hello"}
        error = create(client, text, part, role=role)["error"]
        assert (error["code"], error["param"]) == (code, f"item.content[1].{param}")
        assert len(client.session.history) == 0


async def test_a_message_has_one_recording_at_most() -> None:
    async with Client() as client:
        part = {"type": "input_audio", "audio": sound(100)}
        error = create(client, part, part)["error"]
        assert (error["code"], error["param"]) == (
            "unsupported_content_type",
            "item.content[1].type",
        )


# ---- what is kept -------------------------------------------------------------------------------


async def test_a_question_is_retrieved_with_its_sound() -> None:
    async with Client(asr=FakeAsr("hello")) as client:
        await client.ask()
        await client.until("response.done")
        item_id = client.of("input_audio_buffer.speech_started")[0]["item_id"]
        got = retrieve(client, item_id)
        samples = heard(got["audio"])
        assert got["transcript"] == "hello"
        assert np.count_nonzero(abs(samples) > 4000) == pytest.approx(0.6 * 24_000, rel=0.05)
        assert "audio" not in client.of("conversation.item.added")[0]["item"]["content"][0]


async def test_speech_is_retrieved_as_far_as_it_was_heard() -> None:
    async with Client(
        responder=FakeResponder(lambda _: [Text("Noon it is."), Done("x")])
    ) as client:
        client.add("what time is it")
        client.send("response.create")
        done = await client.until("response.done")
        item_id = done["response"]["output"][0]["id"]
        assert len(heard(retrieve(client, item_id)["audio"])) == pytest.approx(550 * 24, abs=30)
        client.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=300
        )
        got = retrieve(client, item_id)
        assert got["transcript"] == "Noon"
        assert len(heard(got["audio"])) == pytest.approx(300 * 24, abs=30)
        client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
        assert retrieve(client, item_id) == {"type": "output_audio", "transcript": ""}


async def test_no_frame_is_larger_than_a_stock_client_reads() -> None:
    async with Client(asr=FakeAsr("hello")) as client:
        create(client, {"type": "input_audio", "audio": sound(60_000), "transcript": "x"}, id="a")
        got = client.send("conversation.item.retrieve", item_id="a")
        assert 900_000 < len(str(got)) < LARGEST_FRAME
        assert len(heard(got["item"]["content"][0]["audio"])) == 15 * 24_000


@pytest.mark.parametrize("sign", ["x", "\N{GRINNING FACE}"])
async def test_nor_does_a_client_make_one_that_is(sign: str) -> None:
    async with Client() as client:
        fits = 900_000 // (len(json.dumps(sign)) - 2)
        added = client.add(sign * fits)
        assert len(json.dumps(added)) < LARGEST_FRAME
        error = client.add(sign * 2 * fits)["error"]
        assert (error["code"], error["param"]) == ("string_above_max_length", "item")


async def test_the_oldest_sound_is_forgotten_first_and_its_words_stay() -> None:
    async with Client() as client:
        for place in range(12):
            part = {"type": "input_audio", "audio": sound(15_000), "transcript": f"{place}"}
            create(client, part, id=f"item_{place}")
        assert retrieve(client, "item_0") == {"type": "input_audio", "transcript": "0"}
        assert retrieve(client, "item_11")["audio"]


async def test_a_conversation_without_end_forgets_its_beginning_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "MOST_ITEMS", 3)
    async with Client() as client:
        for place in range(5):
            client.add("hello", id=f"item_{place}")
        assert [item.id for item in client.session.history] == ["item_2", "item_3", "item_4"]
        deleted = client.of("conversation.item.deleted")
        assert [event["item_id"] for event in deleted] == ["item_0", "item_1"]


async def test_characters_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_CHARACTERS", 250)
    async with Client() as client:
        for place in range(4):
            client.add("x" * 100, id=f"item_{place}")
        assert [item.id for item in client.session.history] == ["item_2", "item_3"]
        client.add("x" * 1000, id="large")
        assert [item.id for item in client.session.history] == ["large"]


async def test_what_is_being_spoken_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_ITEMS", 2)
    async with Client() as client:
        client.add("hello")
        client.send("response.create")
        spoken = (await client.until("response.output_audio.delta"))["item_id"]
        await asyncio.sleep(0.1)
        for _ in range(3):
            client.add("more")
        assert spoken in client.session.history
        done = await client.until("response.done")
        assert done["response"]["status"] == "completed"
